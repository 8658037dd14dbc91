using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Rbm;

/// <summary>Small data with a structure that machines should find.</summary>
internal sealed class RbmSample
{
    public const int Side = 4;

    public float[] Features { get; set; } = [];

    public string Label { get; set; } = "";

    /// <summary>Images of 4 x 4 pixels whose columns are wholly on or wholly off: 16 different ones.</summary>
    public static RbmSample[] Bars(int rows, int seed = 1)
    {
        var random = new Random(TestSeed.Of(seed));
        return Enumerable.Range(0, rows).Select(_ => Bar(random.Next(1 << Side))).ToArray();
    }

    public static RbmSample Bar(int columns) => new()
    {
        Features = Enumerable.Range(0, Side * Side).Select(pixel => (float)((columns >> (pixel % Side)) & 1)).ToArray(),
        Label = (columns & 1) == (columns >> 1 & 1) ? "same" : "different",
    };

    /// <summary>Two softmax units of 3 categories that always agree.</summary>
    public static RbmSample[] Pairs(int rows)
    {
        var random = new Random(TestSeed.Of(1));
        return Enumerable.Range(0, rows).Select(_ => new RbmSample { Features = Pair(random.Next(3)) }).ToArray();
    }

    public static float[] Pair(int category) => Enumerable.Range(0, 6).Select(i => i % 3 == category ? 1f : 0f).ToArray();

    /// <summary>Numbers of mean 0 and variance 1 that one hidden cause makes all positive or all negative.</summary>
    public static RbmSample[] Reals(int rows)
    {
        var random = new Random(TestSeed.Of(1));
        return Enumerable.Range(0, rows).Select(_ =>
        {
            var cause = random.Next(2) == 0 ? -1 : 1;
            return new RbmSample { Features = Enumerable.Range(0, 6).Select(_ => (float)((0.9 * cause) + (0.75 * (random.NextDouble() * 2 - 1)))).ToArray() };
        }).ToArray();
    }

    public static IDataView View(MLContext ml, IReadOnlyList<RbmSample> rows)
    {
        var schema = SchemaDefinition.Create(typeof(RbmSample));
        schema[nameof(Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Features.Length);
        return ml.Data.LoadFromEnumerable(rows, schema);
    }

    public static RbmTransformer Fit(IReadOnlyList<RbmSample> rows, Action<RbmEstimator.Options>? change = null)
    {
        var ml = new MLContext(1);
        return ml.Transforms.Rbm(Options(change)).Fit(View(ml, rows));
    }

    public static RbmEstimator.Options Options(Action<RbmEstimator.Options>? change = null)
    {
        var options = new RbmEstimator.Options { OutputColumnName = "Hidden", HiddenLayers = [12], LearningRate = 0.1, Epochs = 30, Seed = TestSeed.Of(1), ThreadCount = 1 };
        change?.Invoke(options);
        return options;
    }
}
