using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Heads;
using MLExtensions.Supervised.Tasks;
using MLExtensions.Tensors;
using MLExtensions.Training;
using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>One training of a supervised network: puts data, network, step and loop together.</summary>
internal sealed class SupervisedTraining(IHost host, NetworkTrainerOptions options, SupervisedTask task, ColumnCheck columns, int seed)
{
    public NetworkModelParameters Run(IDataView input, IDataView? validation)
    {
        if (options.EarlyStopping != null && validation == null && options.ValidationFraction == 0)
            throw new ArgumentException($"{nameof(options.EarlyStopping)} needs validation data: set {nameof(options.ValidationFraction)}, or give validation data to Fit.");
        CheckAlive();
        TorchRuntime.Initialize();
        using var channel = host.Start("Training");
        var device = TrainingDevice.Resolve(options.Device);
        if (options.Precision == Precision.BFloat16 && device.type == DeviceType.CPU && BFloat16Instructions.Name == null)
            channel.Warning("This processor has no bfloat16 instructions: Precision = Float32 is faster on it.");
        using var start = StartingWeights.Open(options);
        var trainingColumns = columns.Find(input);
        using var data = new SupervisedData(options, task, channel, seed, CheckAlive);
        var draft = options.CreateArchitecture(trainingColumns.Features, Math.Max(1, trainingColumns.ClassCount));
        using var threads = TorchThreads.Use(options.ThreadCount ?? TorchThreads.CountFor(draft.MultiplyAdds * options.BatchSize));
        start.Check(draft);
        data.Open(input, validation, columns.Find, draft.MinimumBatchRows, start.Head, device);
        var architecture = options.CreateArchitecture(trainingColumns.Features, data.Head.OutputCount);
        using var step = new SupervisedStep(start.CreateNetwork(architecture, seed, channel), task, data.Head, options, seed, device, options.CreateAugmenter(architecture));
        var outcome = RunLoop(data, architecture, step, channel);
        var history = new TrainingHistory
        {
            Epochs = outcome.Records,
            BestEpoch = outcome.BestEpoch,
            StopReason = outcome.StopReason,
            Initial = outcome.Initial,
            InitialWeights = start.FileReport,
            Seed = seed,
            ThreadCount = get_num_threads(),
            Device = device.ToString(),
            Precision = options.Precision.ToString().ToLowerInvariant(),
        };
        return new NetworkModelParameters(host, architecture, data.Head, step.Export(architecture), history);
    }

    private TrainingOutcome RunLoop(SupervisedData data, NetworkArchitecture architecture, TrainingStep step, IChannel channel)
    {
        using var progress = host.StartProgressChannel("Training");
        using var reporter = new TrainingReporter(channel, progress, options);
        var checkpoint = options.CheckpointFolder == null
            ? null
            : new CheckpointFile(options.CheckpointFolder, TrainingFingerprint.Create(options, architecture, data, step, seed));
        using var loop = new TrainingLoop(step, data.Training, data.Validation, options, reporter, checkpoint, CheckAlive);
        return loop.Run();
    }

    private void CheckAlive()
    {
        options.CancellationToken.ThrowIfCancellationRequested();
        host.CheckAlive();
    }
}
