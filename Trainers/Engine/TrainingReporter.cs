using System.Diagnostics;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Messages;
using MLExtensions.TensorBoard;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>The progress of a training. Reported about ten times per second and at the end of each epoch.</summary>
public sealed record TrainingProgress
{
    /// <summary>Which of several networks is being trained, such as "layer 2 of 3"; null if there is only one.</summary>
    public string? Stage { get; init; }

    /// <summary>The current epoch, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>The requested number of epochs.</summary>
    public required int Epochs { get; init; }

    /// <summary>The number of finished batches in this epoch.</summary>
    public required int Batch { get; init; }

    /// <summary>The number of batches per epoch.</summary>
    public required int Batches { get; init; }

    /// <summary>The mean training loss of this epoch so far.</summary>
    public required double TrainingLoss { get; init; }

    /// <summary>The record of the epoch with the validation loss and the metrics; null before the end of the epoch.</summary>
    public EpochRecord? Completed { get; init; }

    /// <summary>
    /// The name of the validation metric that epochs are compared by, such as "loss" or "return"; null before the end of the epoch, and if there
    /// is none.
    /// </summary>
    public string? GoalMetric { get; init; }

    /// <summary>Training examples per second in this epoch so far.</summary>
    public required double ExamplesPerSecond { get; init; }

    /// <summary>The estimated remaining time at this speed.</summary>
    public required TimeSpan TimeLeft { get; init; }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(TrainingProgress), PrintMembers);
}

/// <summary>A display of progress of this library.</summary>
internal interface IProgressDisplay
{
    /// <summary>Called when a training is over, however it ended.</summary>
    void End();

    /// <summary>Why nothing is shown anymore, once; null if all is well.</summary>
    Exception? TakeFailure();
}

/// <summary>Reports progress to the ML.NET log, the ML.NET progress channel, IProgress and TensorBoard.</summary>
internal sealed class TrainingReporter : IDisposable
{
    // Often enough for a progress bar, but rare enough to cost nothing.
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    private readonly IChannel _channel;
    private readonly IProgressChannel _progressChannel;
    private readonly TrainingOptions _options;
    private readonly bool _logsEpochs;
    private readonly bool _speaks;
    private readonly TensorBoardReporter? _tensorBoard;
    private readonly Stopwatch _epochWatch = new();
    private TimeSpan _lastReport;
    private int _epoch;
    private int _batches;
    private int _batch;
    private double _loss;

    /// <param name="channel">The log.</param>
    /// <param name="progressChannel">ML.NET's progress.</param>
    /// <param name="options">The options.</param>
    /// <param name="logsEpochs">Whether the log has a line for each epoch.</param>
    public TrainingReporter(IChannel channel, IProgressChannel progressChannel, TrainingOptions options, bool logsEpochs = true)
    {
        _speaks = options.Distributed is not { IsMain: false };
        _logsEpochs = logsEpochs && _speaks;
        _channel = channel;
        _progressChannel = progressChannel;
        _options = options;
        _tensorBoard = options.TensorBoardFolder == null ? null : new TensorBoardReporter(options.TensorBoardFolder);
        progressChannel.SetHeader(new ProgressHeader(["loss"], ["epochs", "batches"]), Fill);
    }

    public void Untrained(EpochRecord record)
    {
        if (_speaks)
            _channel.Info("before training: {0}", record);
        _tensorBoard?.Write(record);
    }

    public void EpochBegins(int epoch, int batches)
    {
        _epoch = epoch;
        _batches = batches;
        _batch = 0;
        _lastReport = TimeSpan.Zero;
        _epochWatch.Restart();
    }

    public void BatchDone(int batch, MetricSums metrics)
    {
        _batch = batch;
        _loss = metrics.Loss;
        var elapsed = _epochWatch.Elapsed;
        if (_options.Progress == null || elapsed - _lastReport < ReportInterval)
            return;
        _lastReport = elapsed;
        Report(CreateReport(metrics.Examples, elapsed.TotalSeconds, null));
    }

    public void EpochDone(EpochRecord record, TrainingStep step, TrainingGoal? goal)
    {
        if (_logsEpochs)
            _channel.Info("{0}{1}", _options.Stage == null ? "" : _options.Stage + ", ", record);
        _progressChannel.Checkpoint(record.TrainingLoss, record.Epoch, _batch);
        _tensorBoard?.Write(record);
        using (NewDisposeScope())
        {
            foreach (var picture in step.Draw(record.Epoch))
                _tensorBoard?.Write(record.Epoch, picture);
        }
        _tensorBoard?.WriteWeights(record.Epoch, step);
        Report(CreateReport(record.Examples, record.Seconds, record) with { GoalMetric = goal?.Metric });
    }

    public void Dispose()
    {
        (_options.Progress as IProgressDisplay)?.End();
        _tensorBoard?.Dispose();
    }

    private void Report(TrainingProgress report)
    {
        _options.Progress?.Report(report);
        if ((_options.Progress as IProgressDisplay)?.TakeFailure() is { } failure)
            _channel.Warning("{0}", $"The progress is not shown anymore, because it could not be written: {failure.Message} The training goes on.");
    }

    private TrainingProgress CreateReport(long examples, double seconds, EpochRecord? completed)
    {
        var share = completed != null ? 1 : (double)_batch / Math.Max(1, _batches);
        var epochsLeft = _options.Epochs - _epoch + (1 - share);
        return new TrainingProgress
        {
            Stage = _options.Stage,
            Epoch = _epoch,
            Epochs = _options.Epochs,
            Batch = _batch,
            Batches = _batches,
            TrainingLoss = _loss,
            Completed = completed,
            ExamplesPerSecond = examples / Math.Max(1e-9, seconds),
            TimeLeft = TimeSpan.FromSeconds(seconds / Math.Max(share, 1e-9) * epochsLeft),
        };
    }

    private void Fill(IProgressEntry entry)
    {
        entry.SetProgress(0, _epoch, _options.Epochs);
        entry.SetProgress(1, _batch, _batches);
        entry.SetMetric(0, _loss);
    }
}

/// <summary>Writes scalars and weight histograms of a training for TensorBoard, one step per epoch.</summary>
internal sealed class TensorBoardReporter(string folder) : IDisposable
{
    private readonly EventWriter _writer = new(folder);

    public void Write(EpochRecord record)
    {
        if (record.Epoch > 0)
        {
            _writer.Scalar("learning rate", record.LearningRate, record.Epoch);
            _writer.Scalar("seconds", record.Seconds, record.Epoch);
        }
        foreach (var (name, value) in record.Training)
            _writer.Scalar($"{name}/training", value, record.Epoch);
        foreach (var (name, value) in record.Validation)
            _writer.Scalar($"{name}/validation", value, record.Epoch);
        _writer.Flush();
    }

    public void Write(int epoch, StepPicture picture) => _writer.Image(picture.Name, picture.Png, picture.Width, picture.Height, epoch);

    public void WriteWeights(int epoch, TrainingStep step)
    {
        using var scope = NewDisposeScope();
        foreach (var network in step.Networks)
        {
            foreach (var (name, value) in network.Parameters.Split(network.Result))
                _writer.Histogram($"{network.Name}/{name}", TensorMemory.Floats(value.detach().cpu().contiguous()), epoch);
        }
        _writer.Flush();
    }

    public void Dispose() => _writer.Dispose();
}
