using MLExtensions.Training;

namespace MLExtensions;

/// <summary>How the rewards of all actions are predicted for each row of a log.</summary>
public sealed class RewardPredictionOptions
{
    internal const string DefaultOutputColumnName = "PredictedRewards";
    internal const string DefaultFeatureColumnName = "Features";
    internal const int DefaultFolds = 5;

    /// <summary>The column of what is known before the action, a <c>Vector&lt;Single&gt;</c>. Default <c>Features</c>.</summary>
    public string FeatureColumnName { get; set; } = DefaultFeatureColumnName;

    /// <summary>The column of the action that was taken, a key. Default <c>Action</c>.</summary>
    public string ActionColumnName { get; set; } = TabularOptions.DefaultActionColumnName;

    /// <summary>The column of the reward, a <c>Single</c>. Default <c>Reward</c>.</summary>
    public string RewardColumnName { get; set; } = TabularOptions.DefaultRewardColumnName;

    /// <summary>
    /// The column that is added, a <c>Vector&lt;Single&gt;</c> with a value for each action. Default <c>PredictedRewards</c>.
    /// </summary>
    public string OutputColumnName { get; set; } = DefaultOutputColumnName;

    /// <summary>
    /// The number of parts of the log, at least 2: the rows of each are predicted by a model of the others. Default 5.
    /// </summary>
    public int Folds { get; set; } = DefaultFolds;

    /// <summary>
    /// The column whose values must not be in two parts, such as the user, a key or a whole number. Default null: rows are divided at
    /// random.
    /// </summary>
    public string? SamplingKeyColumnName { get; set; }

    /// <summary>The seed of the parts. The same seed gives the same parts. Default 0.</summary>
    public int Seed { get; set; }

    /// <summary>
    /// Cancels the work between trainings, which then throws <see cref="OperationCanceledException"/>. Default: not cancelable.
    /// </summary>
    public CancellationToken CancellationToken { get; set; }

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal void Check()
    {
        foreach (var (name, option) in new[]
        {
            (FeatureColumnName, nameof(FeatureColumnName)), (ActionColumnName, nameof(ActionColumnName)), (RewardColumnName, nameof(RewardColumnName)),
            (OutputColumnName, nameof(OutputColumnName)), (SamplingKeyColumnName ?? "none", nameof(SamplingKeyColumnName)),
        })
            OptionCheck.NotEmpty(name, option);
        OptionCheck.AtLeast(Folds, 2, nameof(Folds));
    }
}
