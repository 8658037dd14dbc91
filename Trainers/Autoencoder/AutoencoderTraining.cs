using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Codes;
using MLExtensions.Heads;
using MLExtensions.Tensors;
using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using MLExtensions.Training.Start;

namespace MLExtensions.Autoencoder;

/// <summary>One training of an autoencoder: puts data, network, step and loop together.</summary>
internal sealed class AutoencoderTraining(IHost host, AutoencoderEstimator.Options options, int seed)
{
    public NetworkModelParameters Run(IDataView input, IDataView? validation)
    {
        options.CheckValidation(validation);
        using var channel = host.Start("Training");
        var session = new TrainingSession(host, channel, options, seed);
        session.CheckAlive();
        var width = WidthOf(input, validation);
        var device = session.OpenDevice();
        var design = new AutoencoderDesign(options);
        using var start = StartingWeights.Open(options);
        var architecture = design.CreateArchitecture(width);
        using var threads = TorchThreads.Use(options.ThreadCount ?? TorchThreads.CountFor(architecture.MultiplyAdds * options.BatchSize));
        start.Check(architecture);
        using var data = UnlabelledData.Open(input, validation, options.InputColumnName, FormatOf(architecture), Rows(), session.CheckAlive);
        var (training, aside) = data.CreateBatches(options.BatchSize, seed, device);
        using var step = new AutoencoderStep(start.CreateNetwork(architecture, seed, channel), architecture.Output, options, seed, device);
        var history = session.Run(step, architecture, training, aside, start.FileReport, Fingerprint());
        return new NetworkModelParameters(host, architecture, new FeaturesHead(width), step.Export(architecture), history);
    }

    private static FeatureFormat FormatOf(AutoencoderArchitecture architecture)
    {
        var values = new DenseFormat(architecture.InputCount);
        return architecture.Output == AutoencoderOutput.Probability
            ? new UnitRangeFormat(values, $"features of an autoencoder with {nameof(options.Output)} = {architecture.Output}")
            : values;
    }

    private int WidthOf(IDataView input, IDataView? validation)
    {
        var width = FeatureReader.WidthOf(CodeColumns.Find(input.Schema, options.InputColumnName));
        if (validation == null)
            return width;
        var other = FeatureReader.WidthOf(CodeColumns.Find(validation.Schema, options.InputColumnName));
        if (other != width)
            throw new ArgumentException($"Column '{options.InputColumnName}' has {other} values in the validation data and {width} in the training data.", nameof(validation));
        return width;
    }

    private RowSetSettings Rows() => new(options.Buffering, options.ShuffleBufferRows, options.ValidationFraction, seed);

    private Dictionary<string, object?> Fingerprint() => new() { [nameof(options.ShuffleBufferRows)] = options.ShuffleBufferRows };
}
