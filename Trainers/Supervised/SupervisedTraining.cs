using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Supervised.Tasks;
using MLExtensions.Tensors;
using MLExtensions.Training.Engine;
using MLExtensions.Training.Start;

namespace MLExtensions.Supervised;

/// <summary>One training of a supervised network: puts data, network, step and loop together.</summary>
internal sealed class SupervisedTraining(IHost host, NetworkTrainerOptions options, SupervisedTask task, ColumnCheck columns, int seed)
{
    public NetworkModelParameters Run(IDataView input, IDataView? validation)
    {
        options.CheckValidation(validation);
        using var channel = host.Start("Training");
        var session = new TrainingSession(host, channel, options, seed);
        session.CheckAlive();
        var device = session.OpenDevice();
        using var start = StartingWeights.Open(options);
        var features = columns.FindFeatures(input);
        var format = options.CreateFormat(input, features, start.Architecture, session.CheckAlive);
        using var data = new SupervisedData(options, task, channel, seed, session.CheckAlive);
        var draft = options.CreateArchitecture(features, format, Math.Max(1, columns.Find(input, format).ClassCount));
        using var threads = TorchThreads.Use(options.ThreadCount ?? TorchThreads.CountFor(draft.MultiplyAdds * options.BatchSize));
        start.Check(draft);
        data.Open(input, validation, view => columns.Find(view, format), draft.MinimumBatchRows, start.Head, device);
        var architecture = options.CreateArchitecture(features, format, data.Head.OutputCount);
        using var step = new SupervisedStep(start.CreateNetwork(architecture, seed, channel), task, data.Head, options, seed, device, options.CreateAugmenter(architecture));
        var history = session.Run(step, architecture, data.Training, data.Validation, start.FileReport, Fingerprint(data));
        return new NetworkModelParameters(host, architecture, data.Head, step.Export(architecture), history);
    }

    private Dictionary<string, object?> Fingerprint(SupervisedData data) => new()
    {
        ["head"] = JsonSerializer.Serialize(data.Head),
        [nameof(options.ShuffleBufferRows)] = options.ShuffleBufferRows,
        [nameof(ImageOptions.Augmentations)] = options is ImageOptions images ? JsonSerializer.Serialize(images.Augmentations) : null,
        ["ClassWeights"] = options.ClassWeighting,
    };
}
