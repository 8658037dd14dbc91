using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Which states of a log count as those that episodes begin in.</summary>
public enum FirstStates
{
    /// <summary>Those of the first rows of episodes, which a column names.</summary>
    OfEpisodes,

    /// <summary>
    /// Those of rows in order, whose state is not what followed the row before: the first row, and those after an episode ended or was cut
    /// off.
    /// </summary>
    AfterEnds,

    /// <summary>
    /// All, or 10,000 of them: rows are in no order, or no episode ends. The value is that of a state of the log, not of a beginning.
    /// </summary>
    OfAllRows,
}

/// <summary>How a policy is judged by fitted Q evaluation.</summary>
public sealed class FittedQOptions
{
    /// <summary>
    /// The training, with the columns of the log: layers, replay, target network, epochs, seed, progress, cancellation, all as of deep Q-learning
    /// from logged rows. Not used: what is only for learning a better policy, which is <see cref="DqnEstimator.Options.DoubleLearning"/>,
    /// <see cref="DqnEstimator.Options.ConservativeWeight"/>, <see cref="DqnEstimator.Options.LogLearning"/>,
    /// <see cref="DqnEstimator.Options.ReturnSteps"/> (it is 1: later actions are the log's) and <see cref="DqnEstimator.Options.Loss"/> (it is
    /// squared: a value is a mean).
    /// </summary>
    public DqnEstimator.Options Training { get; set; } = new();

    /// <summary>
    /// The column of the action that the policy takes in the state, a key, met by name with the log's action, if no <see cref="IPolicy"/> is
    /// given. Default null.
    /// </summary>
    public string? PolicyActionColumnName { get; set; }

    /// <summary>
    /// The column of the action that the policy takes in the state that followed; missing values are allowed where the episode terminated. Needed
    /// with <see cref="PolicyActionColumnName"/> unless rows are whole episodes, where it is that of the next row. Default null.
    /// </summary>
    public string? NextPolicyActionColumnName { get; set; }

    /// <summary>The number of times that first states are drawn again for the interval, from 2 to 1,000,000. Default 1,000.</summary>
    public int Resamples { get; set; } = LogEvaluationOptions.DefaultResamples;

    /// <summary>
    /// The probability with which an interval is to hold the mean over all first states, above 0 and below 1. Default 0.95.
    /// </summary>
    public double ConfidenceLevel { get; set; } = LogEvaluationOptions.DefaultConfidenceLevel;

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal void Check(bool hasPolicy)
    {
        OptionCheck.NotNull(Training, nameof(Training));
        OptionCheck.Require(Training.LogLearning == LogLearning.ActionValues, Training.LogLearning, nameof(Training.LogLearning), $"{LogLearning.ActionValues}: what is learned are the values of the policy");
        LogEvaluationOptions.CheckResampling(Resamples, ConfidenceLevel);
        if (hasPolicy)
        {
            OptionCheck.Require(PolicyActionColumnName == null && NextPolicyActionColumnName == null, PolicyActionColumnName ?? NextPolicyActionColumnName, PolicyActionColumnName == null ? nameof(NextPolicyActionColumnName) : nameof(PolicyActionColumnName), "null: the policy is given itself");
            return;
        }
        OptionCheck.Require(!string.IsNullOrEmpty(PolicyActionColumnName), PolicyActionColumnName ?? "null", nameof(PolicyActionColumnName), $"the name of a column, unless an {nameof(IPolicy)} is given");
        if (Training.EpisodeColumnName == null)
            OptionCheck.NotEmpty(NextPolicyActionColumnName, nameof(NextPolicyActionColumnName));
        else
            OptionCheck.Require(NextPolicyActionColumnName == null, NextPolicyActionColumnName, nameof(NextPolicyActionColumnName), $"null with {nameof(Training.EpisodeColumnName)}: the next row has it");
    }
}

/// <summary>What a policy is worth according to fitted Q evaluation.</summary>
public sealed record FittedQMetrics
{
    /// <summary>
    /// The mean discounted return from first states. The interval holds what comes from their being a sample; it knows nothing of the errors of
    /// the network, which other seeds show.
    /// </summary>
    public required PolicyValueEstimate Value { get; init; }

    /// <summary>Which states of the log are first states.</summary>
    public required FirstStates FirstStates { get; init; }

    /// <summary>The number of first states.</summary>
    public required int FirstStateCount { get; init; }

    /// <summary>The share of rows in which the log did what the policy does.</summary>
    public required double AgreementShare { get; init; }

    /// <summary>The share of rows in which the policy does what no row of the log did.</summary>
    public required double UncoveredShare { get; init; }

    /// <summary>What speaks against the value; it is in the log of the context, too.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>
    /// The network: its <see cref="DqnTransformer.ActionValues"/> are those of actions that are followed by the policy. It has the history of the
    /// training. Dispose it.
    /// </summary>
    public required DqnTransformer Model { get; init; }

    /// <summary>Returns a summary in one line.</summary>
    public override string ToString() => FormattableString.Invariant($"value {Value} of {FirstStateCount} states ({FirstStates}), agreement {AgreementShare:P1}, not covered {UncoveredShare:P1}, {Warnings.Count} warnings");
}
