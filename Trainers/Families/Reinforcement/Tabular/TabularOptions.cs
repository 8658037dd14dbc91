using MLExtensions.Families.Reinforcement;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Options shared by the learners of numbered states. They are checked and copied when the estimator is created: changing them afterwards has
/// no effect.
/// </summary>
public abstract class TabularOptions : IStepOptions
{
    internal const string DefaultStateColumnName = "State";
    internal const string DefaultActionColumnName = "Action";
    internal const string DefaultRewardColumnName = "Reward";
    internal const string DefaultNextStateColumnName = "NextState";
    internal const double DefaultDiscountFactor = 0.99;

    private protected TabularOptions()
    {
    }

    /// <summary>
    /// The column of the state, a key: in logged rows, and in the rows that the transformer adds columns to. Default <c>State</c>.
    /// </summary>
    public string StateColumnName { get; set; } = DefaultStateColumnName;

    /// <summary>The column of the action that was taken, a key. Default <c>Action</c>.</summary>
    public string ActionColumnName { get; set; } = DefaultActionColumnName;

    /// <summary>The column of the reward, a <c>Single</c>. Default <c>Reward</c>.</summary>
    public string RewardColumnName { get; set; } = DefaultRewardColumnName;

    /// <summary>
    /// The column of the state that followed, a key. Where it is missing, the episode ended. States are matched by the values that keys stand
    /// for. Default <c>NextState</c>.
    /// </summary>
    public string NextStateColumnName { get; set; } = DefaultNextStateColumnName;

    /// <summary>
    /// The column that says whether the episode ended with the row, a <c>Boolean</c>. An episode that was only cut off did not end. Default
    /// null: episodes end where the next state is missing.
    /// </summary>
    public string? TerminatedColumnName { get; set; }

    /// <summary>The column that the transformer adds for the best action, a key. Default <c>PredictedAction</c>.</summary>
    public string OutputColumnName { get; set; } = "PredictedAction";

    /// <summary>
    /// The column that the transformer adds for the values of all actions, a <c>Vector&lt;Single&gt;</c>. Default <c>ActionValues</c>.
    /// </summary>
    public string ActionValuesColumnName { get; set; } = "ActionValues";

    /// <summary>
    /// What a reward is worth one step later, above 0 and at most 1. Too small a factor finds short-sighted policies: 0.95 cannot cross the
    /// large lake of FrozenLake. Default 0.99.
    /// </summary>
    public double DiscountFactor { get; set; } = DefaultDiscountFactor;

    /// <summary>Cancels the training; <c>Fit</c> then throws <see cref="OperationCanceledException"/>. Default: not cancelable.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal TabularOptions Snapshot() => (TabularOptions)MemberwiseClone();

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal virtual void Check()
    {
        this.CheckSteps();
        if (TerminatedColumnName != null)
            OptionCheck.NotEmpty(TerminatedColumnName, nameof(TerminatedColumnName));
    }
}
