using System.Diagnostics;
using MLExtensions.Training.Data;
using TorchSharp;

namespace MLExtensions.Training.Engine;

/// <summary>
/// The one training loop: epochs over batches, with validation, early stopping, checkpoints, history and progress. What a batch
/// means is the step's business.
/// </summary>
internal sealed class TrainingLoop : IDisposable
{
    private readonly TrainingStep _step;
    private readonly IBatchSource _training;
    private readonly IBatchSource? _validation;
    private readonly TrainingOptions _options;
    private readonly TrainingReporter _reporter;
    private readonly CheckpointFile? _checkpoint;
    private readonly EarlyStoppingMonitor _monitor;
    private readonly Action _checkAlive;
    private List<EpochRecord> _records = [];
    private EpochRecord? _initial;

    /// <param name="step">What is trained.</param>
    /// <param name="training">The training batches.</param>
    /// <param name="validation">The validation batches, or null.</param>
    /// <param name="options">The options.</param>
    /// <param name="reporter">Is told how it goes.</param>
    /// <param name="checkpoint">Where to leave checkpoints, or null.</param>
    /// <param name="checkAlive">Called before each batch; throws to cancel.</param>
    public TrainingLoop(TrainingStep step, IBatchSource training, IBatchSource? validation, TrainingOptions options, TrainingReporter reporter, CheckpointFile? checkpoint, Action checkAlive)
    {
        _step = step;
        _training = training;
        _validation = validation;
        _options = options;
        _reporter = reporter;
        _checkpoint = checkpoint;
        _checkAlive = checkAlive;
        _monitor = new EarlyStoppingMonitor(options.EarlyStopping, step);
    }

    /// <summary>Trains; afterwards the step holds the resulting weights.</summary>
    /// <exception cref="OperationCanceledException">Training was cancelled; the last checkpoint stands.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    public TrainingOutcome Run()
    {
        var stopReason = "epochs";
        if (_options.Resume && _checkpoint!.TryLoad(_step, _monitor) is { } state)
        {
            (_records, _initial) = (state.Records.ToList(), state.Initial);
            if (state.Stopped)
                stopReason = "early stopping";
        }
        else
        {
            MeasureUntrained();
        }
        while (_records.Count < _options.Epochs && stopReason == "epochs")
        {
            var record = RunEpoch(_records.Count + 1);
            _records.Add(record);
            if (_monitor.ShouldStop(record.Epoch, record.ValidationLoss))
                stopReason = "early stopping";
            _reporter.EpochDone(record, _step);
            SaveCheckpoint(stopReason != "epochs");
        }
        if (_options.EarlyStopping != null)
            _monitor.Best?.Restore(_step);
        return new TrainingOutcome(_records, _initial, _monitor.BestEpoch, stopReason);
    }

    public void Dispose() => _monitor.Dispose();

    /// <summary>A pass over the validation data before training finds a bug there before hours are spent.</summary>
    private void MeasureUntrained()
    {
        if (_validation == null)
            return;
        var watch = Stopwatch.StartNew();
        var values = Validate(0);
        _initial = new EpochRecord
        {
            Epoch = 0,
            LearningRate = 0,
            Seconds = watch.Elapsed.TotalSeconds,
            Examples = 0,
            Training = new Dictionary<string, double>(),
            Validation = values,
        };
        _reporter.Untrained(_initial);
    }

    private EpochRecord RunEpoch(int epoch)
    {
        var watch = Stopwatch.StartNew();
        var metrics = new MetricSums();
        var batchNumber = 0;
        _step.BeginEpoch(epoch);
        _reporter.EpochBegins(epoch, _training.BatchCount);
        foreach (var batch in _training.ReadEpoch(epoch))
        {
            using (batch)
            using (torch.NewDisposeScope())
            {
                _checkAlive();
                batchNumber++;
                var loss = _step.Train(batch, LearningRateAt(epoch - 1 + batch.EpochFraction), metrics);
                if (!double.IsFinite(loss))
                    throw new TrainingDivergedException(epoch, batchNumber, loss);
                metrics.AddLoss(loss, batch.RowCount);
                _reporter.BatchDone(batchNumber, metrics);
            }
        }
        using (torch.NewDisposeScope())
            _step.EndEpoch(metrics);
        var validation = _validation == null ? new Dictionary<string, double>() : Validate(epoch);
        return new EpochRecord
        {
            Epoch = epoch,
            LearningRate = LearningRateAt(epoch - 1 + ((double)(batchNumber - 1) / Math.Max(1, batchNumber))),
            Seconds = watch.Elapsed.TotalSeconds,
            Examples = metrics.Examples,
            Training = metrics.ToValues(),
            Validation = validation,
        };
    }

    private IReadOnlyDictionary<string, double> Validate(int epoch)
    {
        using var result = new ResultInUse(_step);
        _step.BeginValidation();
        var metrics = new MetricSums();
        foreach (var batch in _validation!.ReadEpoch(0))
        {
            using (batch)
            using (torch.NewDisposeScope())
            {
                _checkAlive();
                var loss = _step.Validate(batch, metrics);
                if (!double.IsFinite(loss))
                    throw new TrainingDivergedException(epoch, batch: null, loss);
                metrics.AddLoss(loss, batch.RowCount);
            }
        }
        return metrics.ToValues();
    }

    private void SaveCheckpoint(bool stopped)
    {
        var isLast = stopped || _records.Count == _options.Epochs;
        if (_checkpoint != null && (isLast || _records.Count % _options.CheckpointEveryEpochs == 0))
            _checkpoint.Save(_step, _monitor, new CheckpointState(_records, _initial, stopped));
    }

    private double LearningRateAt(double epoch) =>
        _options.LearningRate * _options.LearningRateSchedule.Factor(epoch, _options.Epochs);

    /// <summary>Validation sees the weights that the model would get: the average where there is one.</summary>
    private sealed class ResultInUse : IDisposable
    {
        private readonly List<(ParameterSet Parameters, torch.Tensor Weights)> _replaced = [];

        public ResultInUse(TrainingStep step)
        {
            foreach (var (_, updater) in step.Updaters)
            {
                if (updater.Average is { } average)
                    _replaced.Add((updater.Parameters, updater.Parameters.Exchange(average)));
            }
        }

        public void Dispose()
        {
            foreach (var (parameters, weights) in _replaced)
            {
                parameters.Exchange(weights).Dispose();
                weights.Dispose();
            }
        }
    }
}

/// <summary>How a training went.</summary>
internal sealed record TrainingOutcome(IReadOnlyList<EpochRecord> Records, EpochRecord? Initial, int? BestEpoch, string StopReason);
