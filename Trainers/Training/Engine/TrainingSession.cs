using Microsoft.ML.Runtime;
using MLExtensions.Training.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>What surrounds the loop in every family: device, cancellation, log, progress, checkpoint, history.</summary>
internal sealed class TrainingSession(IHost host, IChannel channel, TrainingOptions options, int seed)
{
    public IChannel Channel => channel;

    public int Seed => seed;

    /// <summary>Finds the device, and warns where the options are unwise on it.</summary>
    public Device OpenDevice()
    {
        TorchRuntime.Initialize();
        var device = TrainingDevice.Resolve(options.Device);
        if (options.Precision == Precision.BFloat16 && device.type == DeviceType.CPU && BFloat16Instructions.Name == null)
            channel.Warning("This processor has no bfloat16 instructions: Precision = Float32 is faster on it.");
        return device;
    }

    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    public void CheckAlive()
    {
        options.CancellationToken.ThrowIfCancellationRequested();
        host.CheckAlive();
    }

    /// <summary>Trains; afterwards the step holds the resulting weights.</summary>
    /// <param name="step">What is trained.</param>
    /// <param name="architecture">Its network.</param>
    /// <param name="training">The training batches.</param>
    /// <param name="validation">The validation batches, or null.</param>
    /// <param name="initialWeights">What came from a file of weights, or null.</param>
    /// <param name="fingerprint">What else the bits of the result depend on, by name.</param>
    public TrainingHistory Run(TrainingStep step, NetworkArchitecture architecture, IBatchSource training, IBatchSource? validation, WeightReport? initialWeights, IReadOnlyDictionary<string, object?> fingerprint)
    {
        using var progress = host.StartProgressChannel("Training");
        using var reporter = new TrainingReporter(channel, progress, options);
        var checkpoint = options.CheckpointFolder == null
            ? null
            : new CheckpointFile(options.CheckpointFolder, TrainingFingerprint.Create(options, architecture, step, training, validation, seed, fingerprint));
        using var loop = new TrainingLoop(step, training, validation, options, reporter, checkpoint, CheckAlive);
        var outcome = loop.Run();
        return new TrainingHistory
        {
            Epochs = outcome.Records,
            BestEpoch = outcome.BestEpoch,
            StopReason = outcome.StopReason,
            Initial = outcome.Initial,
            InitialWeights = initialWeights,
            Seed = seed,
            ThreadCount = get_num_threads(),
            Device = step.Device.ToString(),
            Precision = options.Precision.ToString().ToLowerInvariant(),
        };
    }
}
