using Microsoft.ML.Runtime;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>What every family needs around the loop: device, cancellation, log, progress, checkpoint, history.</summary>
internal sealed class TrainingSession(IHost host, IChannel channel, TrainingOptions options, int seed)
{
    /// <summary>The names of the data in messages.</summary>
    public const string TrainingData = "training data";
    public const string ValidationData = "validation data";

    private readonly DataCounts _counts = new();

    public IChannel Channel => channel;

    public int Seed => seed;

    /// <summary>Finds the device, and warns about options that do not suit it.</summary>
    public Device OpenDevice()
    {
        TorchRuntime.Initialize();
        var device = TrainingDevice.Resolve(options.Device);
        if (options.Precision == Precision.BFloat16 && device.type == DeviceType.CPU && BFloat16Instructions.Name == null)
            channel.Warning("This processor has no bfloat16 instructions; Precision = Float32 is faster on it.");
        return device;
    }

    /// <summary>Keeps what was cut, skipped or unknown in data for the history, and says it in the log.</summary>
    /// <param name="counts">The counts of the data.</param>
    /// <param name="data"><see cref="TrainingData"/> or <see cref="ValidationData"/>.</param>
    /// <param name="notes">What to say.</param>
    public void Report(DataCounts counts, string data, IEnumerable<DataNote> notes)
    {
        _counts.Add(counts, data == ValidationData ? "validation: " : "");
        foreach (var note in notes)
        {
            if (note.IsWarning)
                channel.Warning("{0}", note.Text);
            else
                channel.Info("{0}", note.Text);
        }
    }

    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    public void ThrowIfCancelled()
    {
        options.CancellationToken.ThrowIfCancellationRequested();
        host.CheckAlive();
    }

    /// <summary>Trains; afterwards the step holds the resulting weights.</summary>
    /// <param name="step">The networks in training.</param>
    /// <param name="training">The training batches.</param>
    /// <param name="validation">The validation batches, or null.</param>
    /// <param name="goal">The metric by which epochs are compared, or null.</param>
    /// <param name="initialWeights">The report on the initial weights file, or null.</param>
    /// <param name="fingerprint">What else the result depends on, by name.</param>
    /// <exception cref="ArgumentException">Early stopping is set, but the training has no goal.</exception>
    public TrainingHistory Run<TBatch>(
        TrainingStep<TBatch> step,
        IBatchSource<TBatch> training,
        IBatchSource<TBatch>? validation,
        TrainingGoal? goal,
        WeightReport? initialWeights = null,
        IReadOnlyDictionary<string, string>? fingerprint = null)
        where TBatch : Batch
    {
        if (goal == null && options.EarlyStopping != null)
            throw new ArgumentException($"{nameof(options.EarlyStopping)} is set, but this training has no metric to compare epochs with; it must be null.", nameof(options.EarlyStopping));
        using var progress = host.StartProgressChannel("Training");
        using var reporter = new TrainingReporter(channel, progress, options);
        var checkpoint = options.CheckpointFolder == null
            ? null
            : new CheckpointFile(options.CheckpointFolder, TrainingFingerprint.Create(options, seed, step, training.Checksum, validation?.Checksum, fingerprint ?? new Dictionary<string, string>()));
        using var loop = new TrainingLoop<TBatch>(step, training, validation, goal, options, reporter, checkpoint, ThrowIfCancelled);
        var outcome = loop.Run();
        return new TrainingHistory
        {
            Epochs = outcome.Records,
            BestEpoch = outcome.BestEpoch,
            StopReason = outcome.StopReason,
            BeforeTraining = outcome.BeforeTraining,
            InitialWeights = initialWeights,
            DataCounts = _counts.Values,
            Seed = seed,
            ThreadCount = get_num_threads(),
            Device = step.Networks[0].Device.ToString(),
            Precision = options.Precision.ToString().ToLowerInvariant(),
        };
    }
}
