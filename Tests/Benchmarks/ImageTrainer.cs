using Microsoft.ML;

namespace MLExtensions.Benchmarks;

/// <summary>Trains on pictures through the public trainer.</summary>
internal sealed class ImageTrainer
{
    public static readonly int[] SmallNetwork = [128, 32];

    private readonly MLContext _ml = new(1);

    public MLContext Context => _ml;

    public MulticlassNetworkTransformer Fit(IDataView data, Action<MlpMulticlassTrainer.Options> configure)
    {
        var options = new MlpMulticlassTrainer.Options
        {
            HiddenLayers = [.. SmallNetwork.Select(units => new HiddenLayer(units))],
            BatchSize = 128,
            Epochs = 1,
        };
        configure(options);
        return _ml.MulticlassClassification.Trainers.Mlp(options).Fit(data);
    }

    /// <summary>The seconds of the engine's epochs alone, reading left out.</summary>
    public double SecondsOfEpochs(IDataView data, Action<MlpMulticlassTrainer.Options> configure)
    {
        using var model = Fit(data, configure);
        return model.History.Epochs.Sum(epoch => epoch.Seconds);
    }

    /// <summary>The share of pictures whose class is found.</summary>
    public double Accuracy(MulticlassNetworkTransformer model, IDataView data) =>
        _ml.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy;
}
