using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using MLExtensions.Distribution;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>
/// The training loop of all families: epochs over batches, with validation, early stopping, checkpoints, history and progress. The step
/// defines what happens with a batch.
/// </summary>
/// <param name="step">The networks in training.</param>
/// <param name="training">The training batches.</param>
/// <param name="validation">The validation batches, or null.</param>
/// <param name="goal">The metric by which epochs are compared, or null.</param>
/// <param name="options">The options.</param>
/// <param name="reporter">Receives progress reports.</param>
/// <param name="checkpoint">The checkpoint file, or null.</param>
/// <param name="throwIfCancelled">Called before each batch.</param>
/// <param name="warnings">What the training has warned of, which checkpoints keep; null for nothing.</param>
internal sealed class TrainingLoop<TBatch>(
    TrainingStep<TBatch> step,
    IBatchSource<TBatch> training,
    IBatchSource<TBatch>? validation,
    TrainingGoal? goal,
    TrainingOptions options,
    TrainingReporter reporter,
    CheckpointFile? checkpoint,
    Action throwIfCancelled,
    List<string>? warnings = null) : IDisposable
    where TBatch : Batch
{
    // Readers of rows and receivers of progress are code of the host, which runs between the steps.
    private readonly TorchState _state = TorchState.Enter();
    private readonly ProcessGroup? _group = options.Distributed?.Group;
    private readonly GoalMonitor _monitor = new(goal, options.EarlyStopping, step);
    private List<EpochRecord> _records = [];
    private EpochRecord? _beforeTraining;
    private StopReason? _stopReason;
    private double? _firstLoss;

    /// <summary>Trains. Afterwards the step holds the resulting weights.</summary>
    /// <exception cref="OperationCanceledException">Training was cancelled; the last checkpoint is intact.</exception>
    /// <exception cref="TrainingDivergedException">The loss, or a weight after an epoch, is no finite number.</exception>
    /// <exception cref="InvalidOperationException">The checkpoint has more epochs than the options ask for.</exception>
    public TrainingOutcome Run()
    {
        if (!TryResume())
            _beforeTraining = MeasureUntrained();
        while (_stopReason == null && _records.Count < options.Epochs)
        {
            var record = RunEpoch(_records.Count + 1);
            _records.Add(record);
            _state.Resume();
            if (_monitor.ShouldStop(record))
                _stopReason = StopReason.EarlyStopping;
            reporter.EpochDone(record, step, goal);
            _state.Resume();
            SaveCheckpoint();
        }
        if (options.EarlyStopping != null)
            _monitor.Best?.Restore(step);
        return new TrainingOutcome(_records, _beforeTraining, _monitor.BestEpoch, _stopReason ?? StopReason.Epochs, _firstLoss);
    }

    public void Dispose()
    {
        _monitor.Dispose();
        _state.Dispose();
    }

    private bool TryResume()
    {
        using var scope = NewDisposeScope();
        if (!options.ResumeFromCheckpoint || checkpoint!.TryLoad(step, training.HasStateOfEachRank ? RankedState.ToLoad(_group, training.State) : training.State, _monitor, _group) is not { } state)
            return false;
        if (state.Records.Count > options.Epochs)
            throw new InvalidOperationException(FormattableString.Invariant($"{nameof(options.Epochs)} is {options.Epochs}, but the checkpoint in {nameof(options.CheckpointFolder)} '{options.CheckpointFolder}' was made after epoch {state.Records.Count}. Set {nameof(options.Epochs)} to {state.Records.Count} or more to resume, or use another {nameof(options.CheckpointFolder)}."));
        (_records, _beforeTraining, _firstLoss) = (state.Records.ToList(), state.BeforeTraining, state.FirstLoss);
        warnings?.AddRange((state.Warnings ?? []).Except(warnings));
        _stopReason = state.Stopped ? StopReason.EarlyStopping : null;
        return true;
    }

    /// <summary>A pass over the validation data before training reveals problems there before hours are spent.</summary>
    private EpochRecord? MeasureUntrained()
    {
        if (validation == null)
            return null;
        var watch = Stopwatch.StartNew();
        var values = Validate(0);
        var record = new EpochRecord
        {
            Epoch = 0,
            LearningRate = 0,
            Seconds = watch.Elapsed.TotalSeconds,
            Examples = 0,
            Training = new Dictionary<string, double>(),
            Validation = values,
        };
        reporter.Untrained(record);
        return record;
    }

    private EpochRecord RunEpoch(int epoch)
    {
        var watch = Stopwatch.StartNew();
        var metrics = new MetricSums();
        var batchNumber = 0;
        step.BeginEpoch(epoch);
        reporter.EpochBegins(epoch, training.BatchCount);
        foreach (var batch in training.ReadEpoch(epoch))
        {
            using (batch)
            using (NewDisposeScope())
            {
                throwIfCancelled();
                _state.Resume();
                batchNumber++;
                foreach (var network in step.Networks)
                    (network.Examples, network.EndsEpoch) = (batch.RowCount, batchNumber == training.BatchCount);
                var loss = Train(batch, LearningRateAt(epoch - 1 + batch.EpochFraction), metrics);
                Count(loss, batch, metrics, epoch, batchNumber);
                _firstLoss ??= MeanOfRanks(loss);
                if (batchNumber == training.BatchCount && IsResult(epoch))
                    LookAfter(batch, epoch, batchNumber);
                reporter.BatchDone(batchNumber, metrics);
            }
        }
        _state.Resume();
        using (NewDisposeScope())
        {
            MeetOthers();
            step.EndEpoch(metrics);
        }
        metrics.Add(_group);
        DivergenceCheck.CheckWeights(step, epoch, batchNumber);
        var measured = validation == null ? new Dictionary<string, double>() : Validate(epoch);
        return new EpochRecord
        {
            Epoch = epoch,
            LearningRate = LearningRateAt(epoch - 1 + ((double)(batchNumber - 1) / Math.Max(1, batchNumber))),
            Seconds = watch.Elapsed.TotalSeconds,
            Examples = metrics.Examples,
            Training = metrics.ToValues(),
            Validation = measured,
        };
    }

    private double MeanOfRanks(double value)
    {
        double[] sum = [value];
        _group?.Sum(sum.AsSpan());
        return sum[0] / (_group?.Size ?? 1);
    }

    private void MeetOthers()
    {
        if (_group is not { } group)
            return;
        foreach (var network in step.Networks)
            network.Meet(group);
    }

    private double Train(TBatch batch, double learningRate, MetricSums metrics)
    {
        try
        {
            return step.Train(batch, learningRate, metrics);
        }
        catch (ExternalException e) when (TorchSharp.AnomalyMode.IsEnabled && e.Message.Contains("nan values", StringComparison.Ordinal))
        {
            return double.NaN; // the host looks for gradients that are NaN: the same without the text of libtorch
        }
    }

    /// <summary>Whether the networks are kept as they are after this epoch, and no validation looks at them.</summary>
    private bool IsResult(int epoch) =>
        validation == null && (epoch == options.Epochs || (checkpoint != null && epoch % options.CheckpointInterval == 0));

    private void LookAfter(TBatch batch, int epoch, int batchNumber)
    {
        using var result = new ResultInUse(step.Networks);
        var loss = step.LossAfter(batch);
        if (!double.IsFinite(loss))
            throw new TrainingDivergedException(epoch, batchNumber, "The loss", loss, FormattableString.Invariant($"after batch {batchNumber}"), step.DivergenceAdvice);
    }

    private IReadOnlyDictionary<string, double> Validate(int epoch)
    {
        _state.Resume();
        using var result = new ResultInUse(step.Networks);
        step.BeginValidation();
        var metrics = new MetricSums();
        var isDivided = _group != null && validation!.HasIndependentBatches;
        var number = 0;
        foreach (var batch in validation!.ReadEpoch(0))
        {
            using (batch)
            using (NewDisposeScope())
            {
                throwIfCancelled();
                if (isDivided && number++ % _group!.Size != _group.Rank)
                    continue;
                _state.Resume();
                if (step.Validate(batch, metrics) is { } loss)
                    Count(loss, batch, metrics, epoch, batchNumber: null);
                else
                    metrics.AddExamples(batch.RowCount);
            }
        }
        metrics.Add(_group); // also where all have read the same: what is decided by a metric must be decided alike
        return metrics.ToValues();
    }

    private void Count(double loss, TBatch batch, MetricSums metrics, int epoch, int? batchNumber)
    {
        if (!double.IsFinite(loss))
            throw new TrainingDivergedException(epoch, batchNumber, loss, step.DivergenceAdvice);
        metrics.AddLoss(loss, batch.RowCount);
    }

    private void SaveCheckpoint()
    {
        var isLast = _stopReason != null || _records.Count == options.Epochs;
        if (checkpoint == null || !(isLast || _records.Count % options.CheckpointInterval == 0))
            return;
        using var scope = NewDisposeScope();
        var source = training.HasStateOfEachRank ? RankedState.Gather(_group, training.State) : training.State;
        if (options.Distributed is not { IsMain: false })
            checkpoint.Save(step, source, _monitor, new CheckpointState(_records, _beforeTraining, Stopped: _stopReason != null, _firstLoss, warnings));
    }

    private double LearningRateAt(double epoch) =>
        options.LearningRate * options.RankRateFactor * options.LearningRateSchedule.Factor(epoch, options.Epochs);

    /// <summary>Validation uses the weights that the model would get: the moving average if there is one.</summary>
    private sealed class ResultInUse(IReadOnlyList<TrainedNetwork> networks) : IDisposable
    {
        private readonly IDisposable[] _uses = networks.Select(network => network.UseResult()).ToArray();

        public void Dispose()
        {
            foreach (var use in _uses)
                use.Dispose();
        }
    }
}

/// <summary>The result of a training. The first loss is that of the first batch, before any step.</summary>
internal sealed record TrainingOutcome(IReadOnlyList<EpochRecord> Records, EpochRecord? BeforeTraining, int? BestEpoch, StopReason StopReason, double? FirstLoss);

/// <summary>Sums of an epoch's losses and metrics over its examples.</summary>
internal sealed class MetricSums
{
    private readonly Dictionary<string, (double Sum, MetricMean Mean)> _sums = [];
    private double _loss;
    private bool _hasNoLoss;

    public long Examples { get; private set; }

    /// <summary>The mean loss per example.</summary>
    public double Loss => Examples == 0 ? 0 : _loss / Examples;

    /// <summary>Adds a batch's mean loss.</summary>
    public void AddLoss(double mean, int examples)
    {
        _loss += mean * examples;
        Examples += examples;
    }

    /// <summary>Adds examples that have no loss.</summary>
    public void AddExamples(int examples) => (_hasNoLoss, Examples) = (true, Examples + examples);

    /// <summary>Adds to a metric that is reported as a mean over the examples.</summary>
    public void Add(string metric, double sum, MetricMean mean = MetricMean.Arithmetic)
    {
        _sums.TryGetValue(metric, out var before);
        _sums[metric] = (before.Sum + sum, mean);
    }

    /// <summary>Adds a metric that was measured once at the end, as a mean.</summary>
    public void AddMean(string metric, double mean) => Add(metric, mean * Examples);

    /// <summary>Adds the sums of all ranks.</summary>
    public void Add(ProcessGroup? group)
    {
        if (group == null)
            return;
        // A rank that had no batch has no names yet: those of all are taken.
        var names = group.Gather(JsonSerializer.SerializeToUtf8Bytes(_sums.ToDictionary(entry => entry.Key, entry => entry.Value.Mean)))
            .SelectMany(json => JsonSerializer.Deserialize<Dictionary<string, MetricMean>>(json)!)
            .DistinctBy(entry => entry.Key)
            .ToList();
        double[] sums = [_loss, Examples, _hasNoLoss ? 1 : 0, .. names.Select(entry => _sums.GetValueOrDefault(entry.Key).Sum)];
        group.Sum(sums.AsSpan());
        (_loss, Examples, _hasNoLoss) = (sums[0], (long)sums[1], sums[2] > 0);
        for (var i = 0; i < names.Count; i++)
            _sums[names[i].Key] = (sums[i + 3] / (Examples == 0 ? group.Size : 1), names[i].Value); // without examples there are values that are no sums
    }

    public IReadOnlyDictionary<string, double> ToValues()
    {
        var values = new Dictionary<string, double>();
        if (!_hasNoLoss)
            values[MetricValues.Loss] = Loss;
        foreach (var (metric, (sum, kind)) in _sums)
        {
            var mean = sum / Math.Max(1, Examples);
            values[metric] = kind switch
            {
                MetricMean.RootOfSquares => Math.Sqrt(mean),
                MetricMean.Exponential => Math.Exp(mean),
                _ => mean,
            };
        }
        return values;
    }
}

/// <summary>How the sum of a metric becomes its value.</summary>
internal enum MetricMean
{
    /// <summary>The mean.</summary>
    Arithmetic,

    /// <summary>The square root of the mean, for sums of squares.</summary>
    RootOfSquares,

    /// <summary>The exponential of the mean, for sums of logarithms.</summary>
    Exponential,
}
