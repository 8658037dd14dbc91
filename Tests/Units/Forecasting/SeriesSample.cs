using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Forecasting;

/// <summary>A row of a made-up series.</summary>
internal sealed class SeriesSample
{
    public const int Period = 12;
    private const double Noise = 0.1;

    public float Value { get; set; }

    public float Signal { get; set; }

    public string Series { get; set; } = "a";

    /// <summary>A sine with noise.</summary>
    public static SeriesSample[] Sine(int length, string series = "a", double level = 0, int seed = 1)
    {
        var random = new SplitMix64((ulong)TestSeed.Of(seed));
        return Enumerable.Range(0, length)
            .Select(i => new SeriesSample { Series = series, Value = (float)(level + Math.Sin(2 * Math.PI * i / Period) + (Noise * (random.NextDouble() - 0.5) * Math.Sqrt(12))) })
            .ToArray();
    }

    /// <summary>Each value is the signal of the row before.</summary>
    public static SeriesSample[] Signaled(int length)
    {
        var random = new SplitMix64((ulong)TestSeed.Of(3));
        var signals = Enumerable.Range(0, length + 1).Select(_ => random.Next(2) == 0 ? -1f : 1f).ToArray();
        return Enumerable.Range(0, length).Select(i => new SeriesSample { Value = signals[i], Signal = signals[i + 1] }).ToArray();
    }

    /// <summary>Two series row by row.</summary>
    public static SeriesSample[] Mixed(SeriesSample[] first, SeriesSample[] second) =>
        first.Zip(second).SelectMany(pair => new[] { pair.First, pair.Second }).ToArray();

    public static IDataView View(IEnumerable<SeriesSample> rows) => new MLContext(1).Data.LoadFromEnumerable(rows);

    /// <summary>A small forecaster that learns in a second.</summary>
    public static LstmForecastingEstimator Forecaster(Action<LstmForecastingEstimator.Options>? change = null, int seed = 1)
    {
        var options = new LstmForecastingEstimator.Options
        {
            InputColumnName = nameof(Value),
            WindowSize = Period,
            Horizon = 3,
            HiddenUnits = 8,
            Epochs = 3,
            LearningRate = 0.01,
        };
        change?.Invoke(options);
        return new MLContext(TestSeed.Of(seed)).Forecasting.ForecastByLstm(options);
    }

    public static float[][] Forecasts(IDataView view) => view.GetColumn<float[]>("Forecast").ToArray();

    public static float[] Weights(LstmForecastingTransformer model) =>
        model.Model.WeightShapes.Keys.Order(StringComparer.Ordinal).SelectMany(model.Model.GetWeights).ToArray();
}
