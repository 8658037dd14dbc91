using Microsoft.ML;
using MLExtensions.Families.Style;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Style;

/// <summary>What an encoder sees of pictures, what its statistics become, and the decoder that mirrors it.</summary>
[TestClass]
public sealed class StyleEncoderTests
{
    [TestMethod]
    public void Normalization_GivesTheStylesStatistics()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)TestSeed.Of(3));
        var content = randn([2, 6, 9, 7], generator: generator).mul(3).add(2);
        var style = StyleStatistics.MeanAndDeviation(rand([2, 6, 5, 12], generator: generator).mul(4));
        var result = StyleStatistics.MeanAndDeviation(AdaptiveNormalization.Apply(content, style));
        for (var i = 0; i < 2; i++)
            Assert.IsLessThan(1e-5, result[i].sub(style[i]).abs().max().item<float>() / style[i].abs().max().item<float>());
        // The order of the values stays.
        var shifted = AdaptiveNormalization.Apply(content, StyleStatistics.MeanAndDeviation(content));
        Assert.IsLessThan(1e-5, shifted.sub(content).abs().max().item<float>() / content.abs().max().item<float>());
        // A channel that is the same everywhere gets the mean.
        var flat = AdaptiveNormalization.Apply(ones(1, 6, 4, 4), [style[0][..1], style[1][..1]]);
        Assert.IsLessThan(1e-5, flat[0, 2, 1, 1].sub(style[0][0, 2]).abs().item<float>());
    }

    [TestMethod]
    public void MirrorOfVgg19_IsThePapersDecoder()
    {
        var vgg = new CnnArchitecture
        {
            InputCount = 3 * 32 * 32,
            OutputCount = 10,
            Image = new ImageInput(new ImageShape(3, 32, 32)) { Scaling = PixelScaling.ImageNet },
            Layers = CnnLayers.Vgg19(smallImages: true),
        };
        var (encoder, decoder) = MirrorOf(vgg, "relu4_1");
        Assert.AreEqual(8, encoder.Stride);
        Assert.AreEqual(8, decoder.Scale);
        Assert.AreEqual(3_505_219, decoder.ParameterCount);
        CollectionAssert.AreEqual(new[] { 256, 256, 256, 256, 128, 128, 64, 64, 3 }, decoder.Layers.Select(layer => layer.Channels).ToArray());
        CollectionAssert.AreEqual(new[] { 1, 2, 1, 1, 1, 2, 1, 2, 1 }, decoder.Layers.Select(layer => layer.Scale).ToArray());
        StringAssert.Contains(decoder.Summary(), "3,505,219");
    }

    [TestMethod]
    public void MirrorOfSqueezeNet_EnlargesFourTimes()
    {
        var (encoder, decoder) = MirrorOf(SqueezeNet, "fire4");
        Assert.AreEqual((4, 17), (encoder.Stride, encoder.LeastSide));
        Assert.AreEqual(616_915, decoder.ParameterCount);
        CollectionAssert.AreEqual(new[] { 128, 128, 96, 48, 48, 3 }, decoder.Layers.Select(layer => layer.Channels).ToArray());
        CollectionAssert.AreEqual(new[] { 1, 1, 1, 2, 2, 1 }, decoder.Layers.Select(layer => layer.Scale).ToArray());
        using var module = decoder.CreateModule();
        Assert.AreEqual(decoder.ParameterCount, module.parameters().Sum(parameter => parameter.numel()));
    }

    /// <summary>What a row of pixels changes is painted around that row, whatever strides and paddings the network has.</summary>
    [TestMethod]
    public void Positions_CoverThePicture_WhereItIs()
    {
        foreach (var (architecture, layer) in new[] { (SqueezeNet, "fire4"), (StyleSample.Network, "relu2_2"), (StyleSample.Network, "relu1_1"), (Odd, "relu2_1") })
        {
            using var scope = NewDisposeScope();
            using var network = Load(architecture, layer, positive: true, out var path);
            var encoder = new StyleEncoder(network, path);
            foreach (var side in new[] { encoder.LeastSide, 90, 91, 102 })
            {
                var (rows, columns) = encoder.PositionsOf(side + 7, side);
                var before = Profile(-1);
                var mean = Enumerable.Range(side / 2, encoder.Stride).Average(bright =>
                {
                    var changes = Profile(bright).Zip(before, (after, value) => (double)Math.Abs(after - value)).ToArray();
                    return changes.Select((change, i) => change * i).Sum() / changes.Sum() - bright;
                });
                if (side > encoder.LeastSide)
                    Assert.AreEqual(0, mean, .75, $"{layer}, {side}");

                float[] Profile(int bright)
                {
                    var picture = zeros(1, 3, side + 7, side);
                    if (bright >= 0)
                        picture.narrow(2, bright, 1).fill_(255);
                    var seen = encoder.Encode(picture).mean([1], keepdim: true);
                    CollectionAssert.AreEqual(new long[] { 1, 1, rows, columns }, seen.shape);
                    var painted = encoder.Cut(nn.functional.interpolate(seen, [rows * encoder.Stride, columns * encoder.Stride]), side + 7, side);
                    CollectionAssert.AreEqual(new long[] { 1, 1, side + 7, side }, painted.shape);
                    return painted[0, 0, TensorIndex.Colon, side / 2].contiguous().data<float>().ToArray();
                }
            }
        }
    }

    /// <summary>Networks put zeros around their inputs, which would become a frame; they lie outside of what is painted.</summary>
    [TestMethod]
    public void FlatPicture_HasNoFrame()
    {
        foreach (var (architecture, layer) in new[] { (SqueezeNet, "fire4"), (StyleSample.Network, "relu2_2"), (Odd, "relu2_1") })
        {
            using var scope = NewDisposeScope();
            using var network = Load(architecture, layer, positive: true, out var path);
            var encoder = new StyleEncoder(network, path);
            foreach (var (height, width) in new[] { (encoder.LeastSide, 61), (64, 47) })
            {
                var seen = encoder.Encode(full([1, 3, height, width], 200f));
                var painted = encoder.Cut(nn.functional.interpolate(seen, [encoder.Stride * seen.shape[2], encoder.Stride * seen.shape[3]]), height, width);
                Assert.IsLessThan(1e-5, painted.std(unbiased: false).item<float>() / painted.mean().item<float>(), $"{layer}, {height} x {width}");
            }
        }
    }

    private static CnnArchitecture SqueezeNet { get; } = new()
    {
        InputCount = 3 * 64 * 64,
        OutputCount = 10,
        Image = new ImageInput(new ImageShape(3, 64, 64)) { Scaling = PixelScaling.ImageNet },
        Layers = CnnLayers.SqueezeNet(),
    };

    /// <summary>A stride of 3, a kernel without padding, and a stride that is not the first.</summary>
    private static CnnArchitecture Odd { get; } = new()
    {
        InputCount = 3 * 64 * 64,
        OutputCount = 10,
        Image = new ImageInput(new ImageShape(3, 64, 64)) { Scaling = PixelScaling.ImageNet },
        Layers =
        [
            new SequenceLayer([new ConvolutionLayer(4, 5) { Stride = 3 }, new ActivationLayer(), new MaxPoolingLayer(2), new ConvolutionLayer(6, 3) { Stride = 2, Padding = 1 }, new ActivationLayer()]) { Name = "features" },
            new GlobalAveragePoolingLayer { Name = "pool" },
            new DenseLayer { Name = "classifier" },
        ],
    };

    private static (StyleEncoder Encoder, DecoderArchitecture Decoder) MirrorOf(CnnArchitecture architecture, string layer)
    {
        using var network = Load(architecture, layer, positive: false, out var path);
        var encoder = new StyleEncoder(network, path);
        var decoder = DecoderArchitecture.MirrorOf(encoder, inputDivisor: 1);
        decoder.Check();
        return (encoder, decoder);
    }

    /// <summary>A network up to a layer, with zeros or with positive weights.</summary>
    private static NetworkModelParameters Load(CnnArchitecture architecture, string layer, bool positive, out string path)
    {
        path = LossLayers.Of(architecture).Single(other => other.Is(layer)).Path;
        var cut = Families.Images.LayerCut.Cut(architecture, path, pool: true);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var module = cut.CreateModule();
        foreach (var parameter in module.parameters().Where(parameter => positive && parameter.dim() > 1))
            parameter.fill_(1.0 / parameter[0].numel());
        if (positive)
        {
            // Pixels are scaled to negative numbers too, which a ReLU would not let through.
            foreach (var parameter in module.parameters().Where(parameter => parameter.dim() == 1))
                parameter.fill_(3);
        }
        module.DetachFromDisposeScope();
        return new NetworkModelParameters(new MLContext(1), cut, head: null, module, history: null);
    }
}
