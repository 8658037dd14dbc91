using MLExtensions.Persistence;
using static TorchSharp.torch;

namespace MLExtensions.Tests;

/// <summary>A small loss network with random weights, in a file.</summary>
internal static class LossNetworkSample
{
    private static readonly Lazy<string> SharedFile = new(() =>
    {
        var folder = new TemporaryFolder();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Dispose();
        var path = folder.File("weights.safetensors");
        Write(path, 5); // what is learned depends on it, and some would not see colors
        return path;
    });

    /// <summary>A file for the whole process.</summary>
    public static string Path => SharedFile.Value;

    public static CnnArchitecture Network { get; } = new()
    {
        InputCount = 3 * 32 * 32,
        OutputCount = 2,
        Image = new ImageInput(new ImageShape(3, 32, 32)) { Scaling = PixelScaling.ImageNet },
        Layers =
        [
            new SequenceLayer(
            [
                new ConvolutionLayer(8, 3) { Padding = 1 }, new ActivationLayer(), new MaxPoolingLayer(2),
                new ConvolutionLayer(12, 3) { Padding = 1 }, new ActivationLayer(), new ConvolutionLayer(12, 3) { Padding = 1 }, new ActivationLayer(),
            ]) { Name = "features" },
            new GlobalAveragePoolingLayer { Name = "pool" },
            new DenseLayer { Name = "classifier" },
        ],
    };

    /// <summary>Layers with the names of VGG's, and next to nothing behind them.</summary>
    public static CnnArchitecture NamedLikeVgg { get; } = Network with
    {
        Layers =
        [
            new SequenceLayer([.. Enumerable.Repeat((ImageLayer[])[Convolution, new ActivationLayer(), Convolution, new ActivationLayer(), new MaxPoolingLayer(2)], 5).SelectMany(layers => layers)]) { Name = "features" },
            new DenseLayer { Name = "classifier" },
        ],
    };

    /// <summary>SqueezeNet 1.0 for 1,000 classes.</summary>
    public static CnnArchitecture SqueezeNet { get; } = new()
    {
        InputCount = 3 * 224 * 224,
        OutputCount = 1000,
        Image = new ImageInput(new ImageShape(3, 224, 224)) { Scaling = PixelScaling.ImageNet },
        Layers = CnnLayers.SqueezeNet(),
    };

    private static ConvolutionLayer Convolution => new(4, 3) { Padding = 1 };

    /// <summary>Writes random weights of <see cref="Network"/>, or of another one.</summary>
    /// <param name="keepsSize">Whether outputs of layers are about as large as their inputs, as deep networks need it.</param>
    public static void Write(string path, int seed, CnnArchitecture? network = null, bool keepsSize = false)
    {
        using var scope = NewDisposeScope();
        using var module = (network ?? Network).CreateModule();
        using var noGradient = no_grad();
        var generator = new Generator((ulong)seed);
        foreach (var (name, value) in module.state_dict())
            value.copy_(randn(value.shape, generator: generator).mul_(name.EndsWith("bias", StringComparison.Ordinal) ? 0.1 : keepsSize ? Math.Sqrt(2.0 * value.shape[0] / value.NumberOfElements) : 0.3));
        AtomicFile.Write(path, stream => SafeTensorsWriter.Write(stream, module.state_dict()));
    }
}
