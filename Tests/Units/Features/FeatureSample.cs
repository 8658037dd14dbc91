using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Persistence;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Features;

/// <summary>Rows of random images, a small network, and files of random weights.</summary>
internal sealed class FeatureSample
{
    public const int Side = 6;
    public static readonly ImageShape Shape = new(3, Side, Side);

    [VectorType(3, Side, Side)]
    public float[] Image { get; set; } = [];

    public string Label { get; set; } = "";

    public static CnnArchitecture Tiny(int outputs = 4) => new()
    {
        InputCount = (int)Shape.Count,
        OutputCount = outputs,
        Image = new ImageInput(Shape) { Scaling = PixelScaling.ImageNet },
        Layers =
        [
            new SequenceLayer([new ConvolutionLayer(8, 3) { Padding = 1 }, new BatchNormalizationLayer(), new ActivationLayer(), new MaxPoolingLayer(2)]) { Name = "features" },
            new SequenceLayer([new DropoutLayer(), new DenseLayer(5), new ActivationLayer(Activation.Tanh), new DenseLayer()]) { Name = "classifier" },
        ],
    };

    /// <summary>Writes random weights for a network.</summary>
    public static string WriteWeights(TemporaryFolder folder, NetworkArchitecture architecture, Action<Dictionary<string, Tensor>>? change = null)
    {
        using var scope = NewDisposeScope();
        using var module = CreateModule(architecture);
        var weights = module.state_dict().ToDictionary();
        change?.Invoke(weights);
        var path = folder.File("weights.safetensors");
        AtomicFile.Write(path, stream => SafeTensorsWriter.Write(stream, weights));
        return path;
    }

    /// <summary>The network with the weights that <see cref="WriteWeights"/> writes.</summary>
    public static nn.Module<Tensor, Tensor> CreateModule(NetworkArchitecture architecture)
    {
        var module = architecture.CreateModule();
        using var noGradient = no_grad();
        var generator = new Generator((ulong)TestSeed.Of(3));
        foreach (var value in module.state_dict().Values.Where(value => value.is_floating_point()))
            value.copy_(rand(value.shape, generator: generator).mul_(0.4).add_(-0.1).abs_());
        module.eval();
        return module;
    }

    /// <summary>Images of two kinds: bright on the left, or on the right.</summary>
    public static FeatureSample[] Create(int count, int side = Side)
    {
        var random = new Random(TestSeed.Of(4));
        return Enumerable.Range(0, count).Select(row => new FeatureSample
        {
            Label = row % 2 == 0 ? "left" : "right",
            Image = Enumerable.Range(0, 3 * side * side).Select(i => random.Next(100) + (i % side < side / 2 == (row % 2 == 0) ? 100f : 0)).ToArray(),
        }).ToArray();
    }

    public static IDataView View(MLContext ml, IEnumerable<FeatureSample> rows, int side = Side)
    {
        var schema = SchemaDefinition.Create(typeof(FeatureSample));
        schema[nameof(Image)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3, side, side);
        return ml.Data.LoadFromEnumerable(rows, schema);
    }

    public static float[][] Read(IDataView data) => data.GetColumn<float[]>("Features").ToArray();
}

/// <summary>What a prediction engine gives.</summary>
internal sealed class FeatureResult
{
    public float[] Features { get; set; } = [];
}
