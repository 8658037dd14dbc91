using System.Diagnostics;
using Microsoft.ML.Runtime;
using MLExtensions.Networks;

namespace MLExtensions.Families.Reinforcement;

/// <summary>One training of a table: acting, correcting values, and what is said about it.</summary>
internal sealed class QLearningRun(QLearningEstimator.Options options, int seed, IChannel channel)
{
    private const int ReportSteps = 1024;
    private const string Advice = "Try smaller rewards (RewardClip), a smaller LearningRate, or a DiscountFactor below 1: rewards without end have no sum.";
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(0.1);

    private readonly SeededRandom _random = new(SeedSequence.Derive(seed, SeedSequence.Exploration));
    private readonly List<EpochRecord> _records = [];
    private readonly Stopwatch _watch = new();
    private TimeSpan _lastReport;
    private double _loss;
    private long _episodes;
    private double _returns;
    private long _lengths;

    /// <summary>Learns by acting.</summary>
    public void Play(ActionTable table, CheckedEnvironment environment)
    {
        var (total, step) = ((double)options.Epochs * options.StepsPerEpoch, 0L);
        var (firstState, firstAction) = (((DiscreteSpace)environment.ObservationSpace).Start, environment.ActionSpace.Start);
        var mask = new bool[table.ActionCount];
        var state = Place(environment.Reset(seed) is var start ? start.Observation : default);
        var allowed = CopyMask(start.ActionMask.Span);
        var action = Choose(state, options.Epsilon(0));
        var (sum, length) = (0.0, 0);
        for (var epoch = 1; epoch <= options.Epochs; epoch++)
        {
            Begin();
            for (var i = 0; i < options.StepsPerEpoch; i++, step++)
            {
                Heed(epoch, i, options.StepsPerEpoch);
                var result = environment.Step(action + firstAction);
                (sum, length) = (sum + result.Reward, length + 1);
                var next = Place(result.Observation);
                allowed = CopyMask(result.ActionMask.Span);
                var epsilon = options.Epsilon(step / total);
                // SARSA must know the action that comes next; the others may as well.
                var nextAction = result.Terminated ? -1 : Choose(next, epsilon);
                var future = result.Terminated ? 0 : options.Algorithm switch
                {
                    TemporalDifference.Sarsa => table[next, nextAction],
                    TemporalDifference.ExpectedSarsa => Expected(next, epsilon),
                    _ => table.Greatest(next, Mask()),
                };
                Correct(table, state, action, result.Reward + (options.DiscountFactor * future), Rate(step / (double)options.StepsPerEpoch));
                (state, action) = (next, nextAction);
                if (!result.IsEnd)
                    continue;
                (_episodes, _returns, _lengths) = (_episodes + 1, _returns + sum, _lengths + length);
                (sum, length) = (0, 0);
                start = environment.Reset();
                (state, allowed) = (Place(start.Observation), CopyMask(start.ActionMask.Span));
                action = Choose(state, epsilon);
            }
            End(epoch, options.StepsPerEpoch, options.Epsilon(step / total));
        }

        int Place(ReadOnlyMemory<float> observation) => (int)observation.Span[0] - firstState;

        bool CopyMask(ReadOnlySpan<bool> given)
        {
            given.CopyTo(mask);
            return !given.IsEmpty;
        }

        ReadOnlySpan<bool> Mask() => allowed ? mask : [];

        int Choose(int from, double epsilon)
        {
            // Random among all actions if their values do not matter.
            return GreedyChoice.Choose(_random.NextDouble() < epsilon ? [] : table.Row(from), table.ActionCount, Mask(), null, _random);
        }

        double Expected(int from, double epsilon)
        {
            var row = table.Row(from);
            var (mean, count, greatest) = (0.0, 0, table.Greatest(from, Mask()));
            for (var each = 0; each < row.Length; each++)
            {
                if (!allowed || mask[each])
                    (mean, count) = (mean + row[each], count + 1);
            }
            return (epsilon * mean / count) + ((1 - epsilon) * greatest);
        }
    }

    /// <summary>Learns from rows.</summary>
    public void Replay(ActionTable table, LoggedTransition[] rows)
    {
        var order = Enumerable.Range(0, rows.Length).ToArray();
        for (var epoch = 1; epoch <= options.Epochs; epoch++)
        {
            Begin();
            new SplitMix64(SeedSequence.Derive(seed, SeedSequence.Shuffle, epoch)).Shuffle(order);
            for (var i = 0; i < order.Length; i++)
            {
                Heed(epoch, i, order.Length);
                ref readonly var row = ref rows[order[i]];
                var future = row.Terminated ? 0 : table.GreatestTried(row.NextState);
                Correct(table, row.State, row.Action, row.Reward + (options.DiscountFactor * future), Rate(epoch - 1 + ((double)i / order.Length)));
            }
            End(epoch, order.Length, epsilon: null);
        }
    }

    public TrainingHistory History(IReadOnlyList<string> warnings, IReadOnlyDictionary<string, long> counts) => new()
    {
        Epochs = _records,
        StopReason = StopReason.Epochs,
        Seed = seed,
        ThreadCount = 1,
        Device = "cpu",
        Precision = "float64",
        Warnings = warnings,
        DataCounts = counts,
    };

    private double Rate(double epoch) => options.LearningRate * options.LearningRateSchedule.Factor(epoch, options.Epochs);

    private void Correct(ActionTable table, int state, int action, double target, double rate)
    {
        ref var value = ref table[state, action];
        var error = target - value;
        value += rate * error;
        table.SetTried(state, action);
        _loss += error * error;
    }

    private void Begin()
    {
        (_loss, _episodes, _returns, _lengths, _lastReport) = (0, 0, 0, 0, TimeSpan.Zero);
        _watch.Restart();
    }

    /// <summary>Cancels and reports now and then.</summary>
    private void Heed(int epoch, int done, int steps)
    {
        options.CancellationToken.ThrowIfCancellationRequested(); // at each step: some environments take long
        if (done % ReportSteps != 0 || options.Progress == null || _watch.Elapsed - _lastReport < ReportInterval)
            return;
        _lastReport = _watch.Elapsed;
        Report(epoch, done, steps, completed: null);
    }

    private void End(int epoch, int steps, double? epsilon)
    {
        var metrics = new Dictionary<string, double> { ["loss"] = _loss / steps };
        if (epsilon is { } value)
            (metrics["epsilon"], metrics["episodes"]) = (value, _episodes);
        if (_episodes > 0)
            (metrics["return"], metrics["length"]) = (_returns / _episodes, (double)_lengths / _episodes);
        if (!double.IsFinite(_loss))
            throw new TrainingDivergedException(epoch, null, "The mean squared correction", _loss / steps, "of the values of actions", Advice);
        _records.Add(new EpochRecord { Epoch = epoch, LearningRate = Rate(epoch), Seconds = _watch.Elapsed.TotalSeconds, Examples = steps, Training = metrics });
        channel.Info("{0}", _records[^1]);
        if (options.Progress != null)
            Report(epoch, steps, steps, _records[^1]);
        if (epoch == options.Epochs)
            (options.Progress as IProgressDisplay)?.End();
    }

    private void Report(int epoch, int done, int steps, EpochRecord? completed)
    {
        var seconds = Math.Max(1e-9, _watch.Elapsed.TotalSeconds);
        options.Progress!.Report(new TrainingProgress
        {
            Epoch = epoch,
            Epochs = options.Epochs,
            Batch = done,
            Batches = steps,
            TrainingLoss = _loss / Math.Max(1, done),
            Completed = completed,
            ExamplesPerSecond = done / seconds,
            TimeLeft = TimeSpan.FromSeconds(seconds / Math.Max(1, done) * (((double)(options.Epochs - epoch + 1) * steps) - done)),
        });
    }
}
