using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Messages;

namespace MLExtensions.Families.Reinforcement;

/// <summary>Judges a policy by what another one did.</summary>
internal static class LogEvaluator
{
    // Below these, intervals say little: the few rows with large weights are all there is.
    private const double LeastEffectiveSize = 30;
    private const double LeastEffectiveShare = 0.01;
    private const double LargestUncoveredShare = 0.01;
    private const double UnlikelyErrors = 4;
    private const double NoticeableWeightError = 0.02;
    private const int EstimateCount = 5;

    /// <exception cref="ArgumentException">
    /// An option is out of range, or a column is missing or of a wrong type; the message names it.
    /// </exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    public static LogEvaluationMetrics Evaluate(IHostEnvironment env, IDataView data, LogEvaluationOptions options)
    {
        options.Check();
        var log = WeightedLog.Read(data, options);
        var (hasWeights, hasPredictions) = (options.PropensityColumnName != null, options.PredictedRewardsColumnName != null);
        var estimates = new Resampler(log.Starts.Count, options.Resamples, options.ConfidenceLevel, options.Seed, options.CancellationToken).Run(Estimator(log), EstimateCount);
        var (sum, squares, largest) = (0.0, 0.0, 0.0);
        foreach (var weight in log.Products)
            (sum, squares, largest) = (sum + weight, squares + (weight * weight), Math.Max(largest, weight));
        var metrics = new LogEvaluationMetrics
        {
            Logged = estimates[0],
            ImportanceSampling = hasWeights ? estimates[1] : null,
            SelfNormalized = hasWeights ? estimates[2] : null,
            DirectMethod = hasPredictions ? estimates[3] : null,
            DoublyRobust = hasWeights && hasPredictions ? estimates[4] : null,
            RowCount = log.Rows,
            EpisodeCount = log.Starts.Count,
            EffectiveSampleSize = squares == 0 ? 0 : sum * sum / squares,
            LargestWeight = largest,
            MeanWeight = sum / log.Starts.Count,
            ClippedWeights = log.Clipped,
            UncoveredShare = log.NeverTaken.Sum(action => action.Share),
            Warnings = [],
        };
        metrics = metrics with { Warnings = [.. Warnings(log, metrics, squares, options), .. Notes(data.Schema, log.Actions, options)] };
        using var channel = env.Register("EvaluateLog").Start("Evaluate");
        foreach (var warning in metrics.Warnings)
            channel.Warning("{0}", warning);
        return metrics;
    }

    /// <summary>All estimates at once: logged, importance sampling, self-normalized, direct method, doubly robust.</summary>
    private static Action<int[], Span<double>> Estimator(WeightedLog log)
    {
        var (starts, weights, rewards) = (log.Starts.Append(log.Rows).ToArray(), log.Weights.ToArray(), log.Rewards.ToArray());
        var (returns, direct, robust) = (log.Returns.ToArray(), log.Direct.ToArray(), log.Robust.ToArray());
        var longest = Enumerable.Range(0, returns.Length).Max(episode => starts[episode + 1] - starts[episode]);
        // At each step, an episode that has ended keeps its last weight, and gets nothing more. Weights are only added: what remains of a
        // difference with a large one would be noise.
        var (gains, running, ended) = (new double[longest], new double[longest], new double[longest + 1]);
        return (counts, values) =>
        {
            Array.Clear(gains);
            Array.Clear(running);
            Array.Clear(ended);
            var (ofLog, ofModel, ofBoth) = (0.0, 0.0, 0.0);
            for (var episode = 0; episode < counts.Length; episode++)
            {
                var count = counts[episode];
                if (count == 0)
                    continue;
                (ofLog, ofModel, ofBoth) = (ofLog + (count * returns[episode]), ofModel + (count * direct[episode]), ofBoth + (count * robust[episode]));
                for (int row = starts[episode], step = 0; row < starts[episode + 1]; row++, step++)
                {
                    gains[step] += count * weights[row] * rewards[row];
                    running[step] += count * weights[row];
                }
                ended[starts[episode + 1] - starts[episode]] += count * weights[starts[episode + 1] - 1];
            }
            var (plain, normalized, kept) = (0.0, 0.0, 0.0);
            for (var step = 0; step < longest; step++)
            {
                kept += ended[step];
                plain += gains[step];
                if (gains[step] != 0 || step == 0)
                    normalized += gains[step] / (running[step] + kept);
            }
            var units = (double)counts.Length;
            (values[0], values[1], values[2], values[3], values[4]) = (ofLog / units, plain / units, normalized, ofModel / units, ofBoth / units);
        };
    }

    private static IEnumerable<string> Notes(DataViewSchema schema, PolicyKeys actions, LogEvaluationOptions options) =>
        ((string?[])[options.PolicyColumnName, options.PredictedRewardsColumnName]).OfType<string>().Select(name => ActionSlots.NoteOf(schema[name], actions)).OfType<string>();

    private static IEnumerable<string> Warnings(WeightedLog log, LogEvaluationMetrics metrics, double squares, LogEvaluationOptions options)
    {
        var (count, units) = ((double)metrics.EpisodeCount, options.EpisodeColumnName == null ? "rows" : "episodes");
        var never = log.NeverTaken.OrderByDescending(action => action.Share).ToArray();
        if (never.Length > 0 && metrics.UncoveredShare >= LargestUncoveredShare)
            yield return FormattableString.Invariant($"The log does not cover the policy: {metrics.UncoveredShare:P1} of its probability lies on actions that no row took ({NameList.Of(never.Select(action => action.Name).ToArray())}). What they give is unknown; weighted estimates count nothing for it, and predictions are guesses there.");
        if (options.PropensityColumnName == null)
        {
            yield return $"There are no propensities ({nameof(options.PropensityColumnName)} is null), so only the direct method is computed, and nobody knows how wrong its predictions are. {WeightedLog.PropensityAdvice}";
            yield break;
        }
        if (metrics.LargestWeight == 0)
            yield return $"The log does not cover the policy: it gives no probability to what the log did in any of the {units}. There is nothing to estimate from.";
        else if (metrics.EffectiveSampleSize < Math.Max(LeastEffectiveSize, LeastEffectiveShare * count))
            yield return FormattableString.Invariant($"The log hardly covers the policy: {count:#,0} {units} say as much as {metrics.EffectiveSampleSize:0.0} of the policy itself, and the largest weight is {metrics.LargestWeight:G4}. Values and intervals of importance sampling are not to be trusted.");
        // The mean weight is 1 but for chance, of which a few equal weights show nothing: if it is 1, the mean of the squares is that of the
        // weights in the policy's own rows.
        var variance = Math.Max((squares / count) - (metrics.MeanWeight * metrics.MeanWeight), (squares / (count * metrics.MeanWeight)) - 1);
        var error = Math.Sqrt(Math.Max(0, variance) / count);
        if (metrics.LargestWeight > 0 && count >= LeastEffectiveSize && Math.Abs(metrics.MeanWeight - 1) > Math.Max(NoticeableWeightError, UnlikelyErrors * error))
            yield return FormattableString.Invariant($"The mean weight is {metrics.MeanWeight:G4} +- {error:G2}; it should be 1. {(metrics.MeanWeight < 1 ? "The policy does what the log's policy never does where it is, or the propensities are wrong." : "The propensities are wrong: they are lower than the log's actions are frequent.")}");
        if (metrics.ClippedWeights > 0)
            yield return FormattableString.Invariant($"{metrics.ClippedWeights} of {metrics.RowCount} weights were above {nameof(options.MaximumWeight)} = {options.MaximumWeight} and were made so small; estimates are wrong to one side.");
    }
}
