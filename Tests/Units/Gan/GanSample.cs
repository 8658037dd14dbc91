using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Tests.Gan;

/// <summary>Small data for generative networks: two clusters of numbers, and images of a bright or a dark half.</summary>
internal static class GanSample
{
    public const int Side = 8;
    public static readonly string[] Names = ["left", "right"];

    /// <summary>Two numbers around (2, 2) or (-2, -2), and the class.</summary>
    public static IDataView Points(MLContext ml, int rows = 400)
    {
        var random = new Random(TestSeed.Of(1));
        return View(ml, Enumerable.Range(0, rows).Select(i => new Row
        {
            Features = [Center(i) + Noise(random), Center(i) + Noise(random)],
            Class = (uint)(i % 2),
        }), 2);

        static float Center(int i) => i % 2 == 0 ? 2 : -2;
    }

    /// <summary>Images of 8 x 8 pixels from 0 to 1 whose left or right half is bright, and the class, which the first rows may lack.</summary>
    public static IDataView Halves(MLContext ml, int rows = 128, float scale = 1, int channels = 1, int unlabeled = 0)
    {
        var random = new Random(TestSeed.Of(1));
        return View(ml, Enumerable.Range(0, rows).Select(i => new Row
        {
            Features = Enumerable.Range(0, channels * Side * Side).Select(p => (p % Side < Side / 2) == (i % 2 == 0) ? scale * (0.8f + (0.2f * random.NextSingle())) : scale * 0.1f * random.NextSingle()).ToArray(),
            Class = (uint)(i < unlabeled ? Names.Length : i % 2),
        }), channels, Side, Side);
    }

    /// <summary>Color images whose values lie pixel after pixel, of one gray.</summary>
    public static IDataView Interleaved(MLContext ml) => View(ml, Enumerable.Range(0, 32).Select(_ => new Row { Features = Enumerable.Repeat(0.5f, 3 * Side * Side).ToArray() }), Side, Side, 3);

    /// <summary>Small networks for <see cref="Halves"/>.</summary>
    public static GanNetworks SmallImages(bool conditional = false, int channels = 1) => new()
    {
        LatentSize = 6,
        GeneratorLabel = conditional ? [new DenseLayer(3) { Bias = false }] : [],
        Generator =
        [
            new DenseLayer(8 * 4 * 4) { Bias = false }, new ReshapeLayer(8, 4, 4), new BatchNormalizationLayer(), new ActivationLayer(),
            new TransposedConvolutionLayer(channels, 4) { Stride = 2, Padding = 1 }, new ActivationLayer(Activation.Tanh),
        ],
        Discriminator =
        [
            new SpectralNormalizationLayer(new ConvolutionLayer(8, 4) { Stride = 2, Padding = 1 }), new ActivationLayer(Activation.LeakyReLU) { Slope = 0.2 },
            new SpectralNormalizationLayer(new DenseLayer(16)), new ActivationLayer(Activation.LeakyReLU) { Slope = 0.2 },
            new DenseLayer(),
        ],
        ProjectsLabel = conditional,
    };

    /// <summary>Small networks for <see cref="Points"/>.</summary>
    public static GanNetworks SmallPoints() => new()
    {
        LatentSize = 4,
        Generator = [new DenseLayer(32), new BatchNormalizationLayer(), new ActivationLayer(), new DenseLayer(32), new ActivationLayer(), new DenseLayer()],
        Discriminator = [new MaxoutLayer(32, 3), new MaxoutLayer(32, 3), new DenseLayer()],
    };

    private static float Noise(Random random) => (float)((random.NextDouble() + random.NextDouble() - 1) * 0.5);

    private static IDataView View(MLContext ml, IEnumerable<Row> rows, params int[] dimensions)
    {
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, dimensions);
        schema[nameof(Row.Class)].ColumnType = new KeyDataViewType(typeof(uint), Names.Length);
        schema[nameof(Row.Class)].AddAnnotation("KeyValues", new VBuffer<ReadOnlyMemory<char>>(Names.Length, Names.Select(name => name.AsMemory()).ToArray()), new VectorDataViewType(TextDataViewType.Instance, Names.Length));
        return ml.Data.LoadFromEnumerable(rows.ToList(), schema);
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        public uint Class { get; set; }
    }
}
