using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Scoring;
using MLExtensions.Tensors;
using MLExtensions.Training;
using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using static TorchSharp.torch;

namespace MLExtensions.Autoencoder;

/// <summary>One training of an autoencoder.</summary>
internal sealed class AutoencoderTraining(IHost host, AutoencoderEstimator.Options options, int seed) : NetworkTraining<RowBatch>(host, options, seed)
{
    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session) =>
        new AutoencoderDesign(options, start.Model).CreateArchitecture(WidthOf(input, validation));

    private protected override TrainingData<RowBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        var rows = UnlabeledData.Open(input, validation, options.InputColumnName, FormatOf((AutoencoderArchitecture)architecture), options.CreateRowSettings(Seed), session.ThrowIfCancelled);
        var (training, aside) = rows.CreateBatches(options.BatchSize, Seed, device);
        return new TrainingData<RowBatch>(training, aside, head: null, rows);
    }

    private protected override TrainingStep<RowBatch> CreateStep(TrainedNetwork network, TrainingData<RowBatch> data) =>
        new AutoencoderStep(network, ((AutoencoderArchitecture)network.Architecture).Output);

    private static FeatureFormat FormatOf(AutoencoderArchitecture architecture)
    {
        var values = new DenseFormat(architecture.InputCount);
        return architecture.Output == AutoencoderOutput.Probability
            ? new UnitRangeFormat(values, $"features of an autoencoder with {nameof(options.Output)} = {architecture.Output}")
            : values;
    }

    private int WidthOf(IDataView input, IDataView? validation)
    {
        var width = FeatureReader.WidthOf(FeatureRows.Find(input.Schema, options.InputColumnName));
        if (validation == null)
            return width;
        var other = FeatureReader.WidthOf(FeatureRows.Find(validation.Schema, options.InputColumnName));
        if (other != width)
            throw new ArgumentException($"Column '{options.InputColumnName}' has {other} values in the validation data and {width} in the training data.", nameof(validation));
        return width;
    }
}
