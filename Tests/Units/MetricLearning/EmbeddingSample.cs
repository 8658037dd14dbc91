using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Rows of classes that are told apart by two of their eight values; the others are noise.</summary>
internal static class EmbeddingSample
{
    public const int Width = 8;

    public static Row[] Rows(int classes, int perClass, int seed, int first = 0)
    {
        var random = new Random(TestSeed.Of(seed));
        return Enumerable.Range(0, classes * perClass).Select(row =>
        {
            var place = first + (row / perClass);
            // Places on a ring, so that classes between others are as the training knows them.
            var angle = 2.4 * place;
            var values = Enumerable.Range(0, Width).Select(_ => (float)((3 * random.NextDouble()) - 1.5)).ToArray();
            (values[0], values[1]) = ((float)(Math.Cos(angle) + (0.1 * values[0])), (float)(Math.Sin(angle) + (0.1 * values[1])));
            return new Row { Features = values, Label = $"class {place}" };
        }).ToArray();
    }

    public static IDataView View(MLContext ml, params IEnumerable<Row> rows)
    {
        var keys = Enumerable.Range(0, 100).Select(place => new { Label = $"class {place}" });
        return ml.Transforms.CopyColumns("Name", "Label").Append(ml.Transforms.Conversion.MapValueToKey("Label", keyData: ml.Data.LoadFromEnumerable(keys))).Fit(ml.Data.LoadFromEnumerable(rows)).Transform(ml.Data.LoadFromEnumerable(rows));
    }

    public static DenseEmbeddingEstimator.Options Options(Action<DenseEmbeddingEstimator.Options>? change = null)
    {
        var options = new DenseEmbeddingEstimator.Options { HiddenLayers = [32], EmbeddingSize = 4, Epochs = 20, BatchSize = 16, LearningRate = 0.005, Seed = TestSeed.Of(1), ThreadCount = 1 };
        change?.Invoke(options);
        return options;
    }

    internal sealed class Row
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [];

        public string? Label { get; set; } = "";
    }
}
