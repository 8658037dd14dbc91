using MLExtensions.Families.Images;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

/// <summary>
/// A window of one pixel with a stride: oneDNN's weight gradient of it writes beyond its buffer on processors without AVX-512 (eng/native-search),
/// so the library computes it another way. It must be the convolution all the same.
/// </summary>
[TestClass]
public sealed class StridedConvolutionTests
{
    private const int Batch = 4;
    private const int Height = 8;
    private const int Width = 7;

    public static IEnumerable<object[]> Cases =>
        from stride in new[] { 2, 3 }
        from padding in new[] { 0, 1 }
        from groups in new[] { 1, 3 }
        from channelsLast in new[] { false, true }
        select new object[] { stride, padding, groups, channelsLast };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void OutputAndGradients_AreThePlainConvolutions(int stride, int padding, int groups, bool channelsLast)
    {
        using var scope = NewDisposeScope();
        var layer = new ConvolutionLayer(6, 1) { Stride = stride, Padding = padding, Groups = groups };
        var module = ImageSample.Module(layer, LayerShape.OfImage(3, Height, Width));
        var x = ImageSample.Random(Batch, 3, Height, Width);
        x = (channelsLast ? ChannelsLast.Arrange(x) : x).detach().requires_grad_(true);
        var output = module.call(x);
        Assert.AreEqual(layer.OutputShape(LayerShape.OfImage(3, Height, Width), new LayerSite("", 6)), LayerShape.OfImage((int)output.shape[1], (int)output.shape[2], (int)output.shape[3]));
        var slope = ImageSample.Random(output.shape);
        output.backward([slope]);
        var parameters = module.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter);
        var expected = Plain(layer, x, parameters["weight"], parameters["bias"], slope);
        AssertClose(expected.Output, output.detach(), "output");
        AssertClose(expected.Input, x.grad!, "gradient of the input");
        AssertClose(expected.Weight, parameters["weight"].grad!, "gradient of the weights");
        AssertClose(expected.Bias, parameters["bias"].grad!, "gradient of the bias");
    }

    /// <summary>Only <see cref="ConvolutionModule"/> takes the pixels first: no network may hold a convolution of torch's own.</summary>
    [TestMethod]
    [DataRow("alexnet")]
    [DataRow("googlenet")]
    [DataRow("squeezenet1_0")]
    [DataRow("lenet5")]
    [DataRow("small vgg16")]
    [DataRow("resnet18")]
    [DataRow("resnet50")]
    [DataRow("resnet20")]
    public void Networks_HoldNoConvolutionOfTorchs(string name)
    {
        using var network = KnownNetworks.Create(name).CreateModule();
        var modules = network.modules().ToArray();
        Assert.IsNotEmpty(modules.OfType<ConvolutionModule>());
        Assert.IsEmpty(modules.Where(module => module is TorchSharp.Modules.Convolution));
    }

    [TestMethod]
    public void ProjectionShortcuts_GoThroughTheLayerToo()
    {
        using var network = (KnownNetworks.ResNet(ResNetForm.Cifar, 8) with { Shortcut = ShortcutKind.Projection }).CreateModule();
        Assert.IsInstanceOfType<ConvolutionModule>(network.named_modules().Single(entry => entry.name == "layer2.0.downsample.0").module);
    }

    /// <summary>The sums as they are defined, in double precision, one after the other.</summary>
    private static (double[] Output, double[] Input, double[] Weight, double[] Bias) Plain(ConvolutionLayer layer, Tensor x, Tensor weight, Tensor bias, Tensor slope)
    {
        var (images, weights, biases, slopes) = (ImageSample.Floats(x.detach()), ImageSample.Floats(weight.detach()), ImageSample.Floats(bias.detach()), ImageSample.Floats(slope));
        var (filters, rows, columns) = ((int)slope.shape[1], (int)slope.shape[2], (int)slope.shape[3]);
        var (channels, groupChannels, groupFilters) = ((int)x.shape[1], (int)weight.shape[1], filters / layer.Groups);
        var result = (Output: new double[slopes.Length], Input: new double[images.Length], Weight: new double[weights.Length], Bias: new double[biases.Length]);
        for (var image = 0; image < Batch; image++)
        {
            for (var filter = 0; filter < filters; filter++)
            {
                for (var row = 0; row < rows; row++)
                {
                    for (var column = 0; column < columns; column++)
                    {
                        var output = (((((image * filters) + filter) * rows) + row) * columns) + column;
                        result.Output[output] += biases[filter];
                        result.Bias[filter] += slopes[output];
                        var (y, left) = ((row * layer.Stride) - layer.Padding, (column * layer.Stride) - layer.Padding);
                        if (y is < 0 or >= Height || left is < 0 or >= Width)
                            continue;
                        for (var i = 0; i < groupChannels; i++)
                        {
                            var channel = (filter / groupFilters * groupChannels) + i;
                            var input = (((((image * channels) + channel) * Height) + y) * Width) + left;
                            var at = (filter * groupChannels) + i;
                            result.Output[output] += (double)images[input] * weights[at];
                            result.Input[input] += (double)slopes[output] * weights[at];
                            result.Weight[at] += (double)slopes[output] * images[input];
                        }
                    }
                }
            }
        }
        return result;
    }

    /// <summary>At most 48 terms of about 1 are added here: 48 roundings of sums below 48, and many times fewer in truth.</summary>
    private static void AssertClose(double[] expected, Tensor actual, string what)
    {
        var values = ImageSample.Floats(actual);
        Assert.HasCount(expected.Length, values, what);
        for (var i = 0; i < values.Length; i++)
            Assert.AreEqual(expected[i], values[i], 48 * Math.ScaleB(1, -24) * Math.Max(1, Math.Abs(expected[i])), $"{what} at {i}");
    }
}
