using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Images;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

/// <summary>A row of an image data set.</summary>
internal sealed class ImageRow
{
    public const int ClassCount = 3;

    public VBuffer<float> Features { get; set; }

    /// <summary>A key: 0 to 2.</summary>
    public uint Label { get; set; }
}

/// <summary>Images and networks for tests.</summary>
internal static class ImageSample
{
    /// <summary>Images of random pixels from 0 to 255, with random labels.</summary>
    public static ImageRow[] Rows(long pixels, int count, int seed = 1)
    {
        var random = new Random(TestSeed.Of(seed));
        return Enumerable.Range(0, count).Select(_ => new ImageRow
        {
            Features = new VBuffer<float>((int)pixels, Enumerable.Range(0, (int)pixels).Select(_ => (float)random.Next(256)).ToArray()),
            Label = (uint)random.Next(ImageRow.ClassCount),
        }).ToArray();
    }

    /// <summary>Rows as data whose feature column has the given dimensions.</summary>
    public static IDataView View(IEnumerable<ImageRow> rows, params int[] dimensions)
    {
        var schema = SchemaDefinition.Create(typeof(ImageRow));
        schema[nameof(ImageRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, dimensions);
        schema[nameof(ImageRow.Label)].ColumnType = new KeyDataViewType(typeof(uint), ImageRow.ClassCount);
        return new MLContext(1).Data.LoadFromEnumerable(rows, schema);
    }

    public static IDataView View(ImageShape shape, int count, int seed = 1) =>
        View(Rows(shape.Count, count, seed), shape.Channels, shape.Height, shape.Width);

    /// <summary>Options for data of <see cref="View(ImageShape, int, int)"/>: one thread, one epoch.</summary>
    public static CnnMulticlassTrainer.Options Options(params ImageLayer[] layers) => new()
    {
        Layers = layers,
        Epochs = 1,
        Seed = TestSeed.Of(1),
        ThreadCount = 1,
        PixelScaling = PixelScaling.ToUnit,
    };

    public static MulticlassNetworkTransformer Fit(CnnMulticlassTrainer.Options options, IDataView data) =>
        new MLContext(1).MulticlassClassification.Trainers.Cnn(options).Fit(data);

    public static CnnArchitecture Architecture(ImageInput input, int outputs, params ImageLayer[] layers) =>
        new() { InputCount = (int)input.Shape.Count, OutputCount = outputs, Image = input, Layers = layers };

    /// <summary>The module of one layer, with random weights.</summary>
    public static nn.Module<Tensor, Tensor> Module(ImageLayer layer, LayerShape input, int outputs = 3)
    {
        var placed = LayerChain.Place([layer], input, new LayerSite("", outputs))[0];
        return Randomized(placed.Layer.CreateModule(placed.Input, placed.Site));
    }

    public static TModule Randomized<TModule>(TModule module, int seed = 1)
        where TModule : nn.Module
    {
        using var mode = no_grad();
        using var generator = new Generator((ulong)seed);
        foreach (var parameter in module.parameters())
            parameter.copy_(randn(parameter.shape, generator: generator) * 0.5);
        return module;
    }

    /// <summary>The same numbers in every run.</summary>
    public static Tensor Random(params long[] shape)
    {
        using var generator = new Generator(7);
        return randn(shape, generator: generator);
    }

    public static float[] Floats(Tensor tensor) => tensor.to(ScalarType.Float32).contiguous().data<float>().ToArray();
}
