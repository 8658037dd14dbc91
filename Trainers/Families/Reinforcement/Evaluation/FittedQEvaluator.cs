using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Messages;

namespace MLExtensions.Families.Reinforcement;

/// <summary>
/// Learns from a log what a policy is worth that did not make it (fitted Q evaluation): deep Q-learning in which the next action is that
/// of the policy, not the best one. Le, Voloshin and Yue, "Batch Policy Learning under Constraints", 2019.
/// </summary>
internal static class FittedQEvaluator
{
    private const double LargestUncoveredShare = 0.01;
    private const double LeastAgreement = 0.05;
    private const int FewFirstStates = 30;
    private const double LeastReach = 0.98;
    private const double Tolerance = 1.05;

    /// <exception cref="ArgumentException">
    /// An option is out of range, or a column or the policy does not suit; the message names it.
    /// </exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    public static FittedQMetrics Evaluate(IHostEnvironment env, IDataView data, IPolicy? policy, FittedQOptions options)
    {
        options.Check(policy != null);
        var training = (DqnEstimator.Options)options.Training.Snapshot();
        // A value is a mean; Huber's loss finds something between mean and median, which thinks too well of policies that fail rarely.
        (training.DoubleLearning, training.ConservativeWeight, training.ReturnSteps, training.Loss) = (false, 0, 1, ValueLoss.Squared);
        var seed = training.ChooseSeed(env);
        training.Seed = seed;
        var followed = new FollowedPolicy(policy, options, seed);
        var model = new DqnEstimator(env, training, followed).Fit(data);
        try
        {
            var values = followed.FirstStates.Select(first => (double)model.ActionValues(first.State)[first.Action]).ToArray();
            var resampler = new Resampler(values.Length, options.Resamples, options.ConfidenceLevel, seed, training.CancellationToken);
            var metrics = new FittedQMetrics
            {
                Value = resampler.Run(Mean, 1)[0],
                FirstStates = followed.Rule,
                FirstStateCount = values.Length,
                AgreementShare = followed.AgreementShare,
                UncoveredShare = followed.NeverTaken.Sum(action => action.Share),
                Warnings = [],
                Model = model,
            };
            metrics = metrics with { Warnings = Warnings(followed, metrics, training).ToArray() };
            using var channel = env.Register("FittedQEvaluation").Start("Evaluate");
            foreach (var warning in metrics.Warnings.Except(model.History.Warnings)) // the training has said its own
                channel.Warning("{0}", warning);
            return metrics;

            void Mean(int[] counts, Span<double> means)
            {
                var sum = 0.0;
                for (var i = 0; i < counts.Length; i++)
                    sum += counts[i] * values[i];
                means[0] = sum / values.Length;
            }
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static IEnumerable<string> Warnings(FollowedPolicy followed, FittedQMetrics metrics, DqnEstimator.Options training)
    {
        if (metrics.UncoveredShare >= LargestUncoveredShare)
            yield return FormattableString.Invariant($"The log does not cover the policy: in {metrics.UncoveredShare:P1} of the rows the policy does what no row did ({NameList.Of(followed.NeverTaken.Select(action => action.Name).ToArray())}). Values of that are guesses.");
        if (metrics.AgreementShare < LeastAgreement)
            yield return FormattableString.Invariant($"The log hardly covers the policy: it did what the policy does in {metrics.AgreementShare:P1} of the rows. Values rest on few of them.");
        if (metrics.FirstStates == FirstStates.OfAllRows)
            yield return FormattableString.Invariant($"The rows do not say where episodes begin: their states do not follow one another, or no episode ends. The value is the mean over {metrics.FirstStateCount} states of all rows, not over first states. Keep rows in order, or use {nameof(training.EpisodeColumnName)}.");
        else if (metrics.FirstStateCount < FewFirstStates)
            yield return FormattableString.Invariant($"There are only {metrics.FirstStateCount} first states; the interval says little.");
        // Each time that the target network has followed, values know of one step more.
        var updates = (double)training.Epochs * Math.Max(1, followed.Rows / training.BatchSize);
        var steps = training.TargetUpdateInterval is { } interval ? updates / interval : updates * training.TargetUpdateRate;
        if (1 - Math.Pow(training.DiscountFactor, steps) < LeastReach)
            yield return FormattableString.Invariant($"Training was too short for returns of more than about {steps:0} steps: {updates:0} training steps, with a target network that follows that slowly, come to {1 - Math.Pow(training.DiscountFactor, steps):P0} of the value of a reward that never ends (discount factor {training.DiscountFactor}). Unless episodes of the policy are shorter, the value is too close to 0: raise {nameof(training.Epochs)} or {nameof(training.TargetUpdateRate)}, or lower {nameof(training.BatchSize)}.");
        foreach (var warning in metrics.Model.History.Warnings)
            yield return warning;
        if (training.DiscountFactor == 1)
            yield break;
        // No return can be beyond the best reward for ever, or the worst.
        var forever = 1 / (1 - training.DiscountFactor);
        var (least, greatest) = (followed.LeastReward * (followed.LeastReward < 0 ? forever : 1), followed.GreatestReward * (followed.GreatestReward > 0 ? forever : 1));
        var slack = (Tolerance - 1) * (greatest - least);
        if (!(metrics.Value.Value >= least - slack && metrics.Value.Value <= greatest + slack))
            yield return FormattableString.Invariant($"The value {metrics.Value.Value:G5} is not possible: rewards from {followed.LeastReward:G4} to {followed.GreatestReward:G4} give returns from {least:G5} to {greatest:G5}. The network has diverged: use a lower learning rate or a slower target network.");
    }
}
