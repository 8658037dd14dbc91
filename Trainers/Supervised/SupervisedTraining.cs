using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Heads;
using MLExtensions.Supervised.Tasks;
using MLExtensions.Tensors;
using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>One training of a supervised network.</summary>
internal sealed class SupervisedTraining(IHost host, SupervisedTrainerOptions options, SupervisedTask task, ColumnCheck columns, int seed)
    : NetworkTraining<LabeledBatch>(host, options, seed)
{
    private FeatureFormat _format = new DenseFormat(0);

    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        var features = columns.FindFeatures(input);
        _format = options.CreateFormat(input, features, start.Architecture, session.ThrowIfCancelled);
        return options.CreateArchitecture(features, _format, columns.OutputCount(input));
    }

    private protected override TrainingData<LabeledBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session) =>
        new SupervisedData(options, task, session.Channel, Seed, session.ThrowIfCancelled)
            .Open(input, validation, view => columns.Find(view, _format), architecture.MinimumBatchRows, start.Head, device);

    private protected override TrainingStep<LabeledBatch> CreateStep(TrainedNetwork network, TrainingData<LabeledBatch> data) =>
        new SupervisedStep(network, task, (ScoreHead)data.Head!, options.CreateAugmenter(network.Architecture), Seed);

    /// <summary>The head can come from the initial model, whose weights do not tell it.</summary>
    private protected override IReadOnlyDictionary<string, string> Fingerprint(TrainingData<LabeledBatch> data) =>
        new Dictionary<string, string> { ["head"] = JsonSerializer.Serialize(data.Head) };
}
