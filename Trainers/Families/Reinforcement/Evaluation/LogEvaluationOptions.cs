using MLExtensions.Families.Reinforcement;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// How a policy is judged by what another one did: the columns of the log and of the policy, and how sure the result is.
/// </summary>
public sealed class LogEvaluationOptions
{
    internal const string DefaultPolicyColumnName = "Score";
    internal const string DefaultPropensityColumnName = "Propensity";
    internal const int DefaultResamples = 1000;
    internal const double DefaultConfidenceLevel = 0.95;
    private const int MostResamples = 1_000_000;

    /// <summary>
    /// The column of the policy that is judged: the probabilities of all actions, a <c>Vector&lt;Single&gt;</c> such as the score of a
    /// classifier, or the action that it takes, a key. Keys and slots are met by name with those of <see cref="ActionColumnName"/>; slots without
    /// names, or whose names are all others, are in key order; of other names a warning says so. Default <c>Score</c>.
    /// </summary>
    public string PolicyColumnName { get; set; } = DefaultPolicyColumnName;

    /// <summary>The column of the action that was taken, a key. Default <c>Action</c>.</summary>
    public string ActionColumnName { get; set; } = TabularOptions.DefaultActionColumnName;

    /// <summary>The column of the reward, a <c>Single</c>. Default <c>Reward</c>.</summary>
    public string RewardColumnName { get; set; } = TabularOptions.DefaultRewardColumnName;

    /// <summary>
    /// The column of the probability with which the log's policy took the action, a <c>Single</c> above 0 and at most 1. Null: there is none, and
    /// only the direct method is possible. Default <c>Propensity</c>.
    /// </summary>
    public string? PropensityColumnName { get; set; } = DefaultPropensityColumnName;

    /// <summary>
    /// The column of the predicted rewards of all actions, a <c>Vector&lt;Single&gt;</c>, which the direct method and the doubly robust estimate
    /// need; its slots are met as those of <see cref="PolicyColumnName"/>. Each row must be predicted by a model that did not see it, as
    /// <c>PredictRewards</c> does. With <see cref="EpisodeColumnName"/>, they are the predicted returns from there on, such as the
    /// <c>ActionValues</c> of fitted Q evaluation. Default null: there is none.
    /// </summary>
    public string? PredictedRewardsColumnName { get; set; }

    /// <summary>
    /// The column of the episode, a key or a whole number, if rows are steps of episodes, one after the other; then values are returns of
    /// episodes. Default null: each row is for itself.
    /// </summary>
    public string? EpisodeColumnName { get; set; }

    /// <summary>What a reward is worth one step later, above 0 and at most 1; only for episodes. Default 0.99.</summary>
    public double DiscountFactor { get; set; } = TabularOptions.DefaultDiscountFactor;

    /// <summary>
    /// The largest weight, above 0: larger ones are made so small, which makes estimates steadier and wrong to one side. How many there were is
    /// in the result. Default null: weights stay as they are, and one above 1e100 is refused.
    /// </summary>
    public double? MaximumWeight { get; set; }

    /// <summary>The number of times that rows, or episodes, are drawn again for the intervals, from 2 to 1,000,000. Default 1,000.</summary>
    public int Resamples { get; set; } = DefaultResamples;

    /// <summary>The probability with which an interval is to hold the truth, above 0 and below 1. Default 0.95.</summary>
    public double ConfidenceLevel { get; set; } = DefaultConfidenceLevel;

    /// <summary>The seed of what is drawn. The same seed gives the same intervals. Default 0.</summary>
    public int Seed { get; set; }

    /// <summary>Cancels the evaluation, which then throws <see cref="OperationCanceledException"/>. Default: not cancelable.</summary>
    public CancellationToken CancellationToken { get; set; }

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal void Check()
    {
        foreach (var (name, option) in new[] { (PolicyColumnName, nameof(PolicyColumnName)), (ActionColumnName, nameof(ActionColumnName)), (RewardColumnName, nameof(RewardColumnName)) })
            OptionCheck.NotEmpty(name, option);
        foreach (var (name, option) in new[] { (PropensityColumnName, nameof(PropensityColumnName)), (PredictedRewardsColumnName, nameof(PredictedRewardsColumnName)), (EpisodeColumnName, nameof(EpisodeColumnName)) })
        {
            if (name != null)
                OptionCheck.NotEmpty(name, option);
        }
        if (PropensityColumnName == null && PredictedRewardsColumnName == null)
            throw new ArgumentException($"{nameof(PropensityColumnName)} and {nameof(PredictedRewardsColumnName)} are null; one of them is needed. {WeightedLog.PropensityAdvice} PredictRewards makes predicted rewards.", nameof(PropensityColumnName));
        OptionCheck.Above(DiscountFactor, 0, 1, nameof(DiscountFactor));
        OptionCheck.Positive(MaximumWeight ?? 1, nameof(MaximumWeight));
        CheckResampling(Resamples, ConfidenceLevel);
    }

    internal static void CheckResampling(int resamples, double confidenceLevel)
    {
        OptionCheck.Require(resamples is >= 2 and <= MostResamples, resamples, nameof(Resamples), "at least 2 and at most 1,000,000");
        OptionCheck.Require(confidenceLevel is > 0 and < 1, confidenceLevel, nameof(ConfidenceLevel), "above 0 and below 1");
    }
}
