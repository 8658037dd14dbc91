using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Autoencoder;

/// <summary>A row of 8 features in [0, 1] that lie on a bent surface: how near each of 8 places two hidden coordinates are.</summary>
internal sealed class AutoencoderSample
{
    public const int FeatureCount = 8;
    private const double Reach = 0.4;

    [VectorType(FeatureCount)]
    public float[] Features { get; set; } = [];

    public static AutoencoderSample[] Create(int rows, int seed = 1)
    {
        var random = new SplitMix64((ulong)TestSeed.Of(seed));
        return Enumerable.Range(0, rows).Select(_ => At(random.NextDouble(), random.NextDouble())).ToArray();
    }

    public static IDataView View(IEnumerable<AutoencoderSample> rows) => new MLContext(1).Data.LoadFromEnumerable(rows);

    public static IDataView View(int rows, int seed = 1) => View(Create(rows, seed));

    /// <summary>A small autoencoder of hidden tanh units.</summary>
    public static AutoencoderEstimator Estimator(Action<AutoencoderEstimator.Options>? change = null, int seed = 1)
    {
        var options = new AutoencoderEstimator.Options
        {
            OutputColumnName = "Code",
            ReconstructionColumnName = "Again",
            HiddenLayers = [16],
            LatentSize = 2,
            Activation = Activation.Tanh,
            Epochs = 2,
            LearningRate = 0.01,
        };
        change?.Invoke(options);
        return new MLContext(TestSeed.Of(seed)).Transforms.Autoencoder(options);
    }

    public static AutoencoderTransformer Fit(Action<AutoencoderEstimator.Options>? change = null, int rows = 120, int seed = 1) =>
        Estimator(change, seed).Fit(View(rows));

    public static float[] Weights(AutoencoderTransformer model) =>
        model.Model.WeightShapes.Keys.Order(StringComparer.Ordinal).SelectMany(model.Model.GetWeights).ToArray();

    public static float[][] Column(IDataView data, string name) => data.GetColumn<float[]>(name).ToArray();

    private static AutoencoderSample At(double x, double y) => new()
    {
        Features = Enumerable.Range(0, FeatureCount).Select(place => Nearness(x, y, 2 * Math.PI * place / FeatureCount)).ToArray(),
    };

    private static float Nearness(double x, double y, double angle)
    {
        var (dx, dy) = (x - 0.5 - (0.4 * Math.Cos(angle)), y - 0.5 - (0.4 * Math.Sin(angle)));
        return (float)Math.Exp(-((dx * dx) + (dy * dy)) / (2 * Reach * Reach));
    }
}
