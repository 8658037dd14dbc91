using MLExtensions.Families.Images;
using MLExtensions.Tests.Contract;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

/// <summary>What layers compute, against numbers and formulas.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class LayerComputationTests
{
    [TestMethod]
    public void PaddedShortcut_ExactNumbers()
    {
        using var scope = NewDisposeScope();
        var module = ImageSample.Module(new PaddedShortcutLayer(5, 2), LayerShape.OfImage(2, 3, 3));
        var output = module.call(arange(18, ScalarType.Float32).view(1, 2, 3, 3));
        CollectionAssert.AreEqual(new float[] { 0, 0, 0, 0, 0, 2, 6, 8, 9, 11, 15, 17, 0, 0, 0, 0, 0, 0, 0, 0 }, ImageSample.Floats(output));
    }

    /// <summary>What is missing at the end of channels, rows and columns counts as zeros, on both sides.</summary>
    [TestMethod]
    public void ResidualWithZeroPadding_ExactNumbers()
    {
        using var scope = NewDisposeScope();
        var block = new ResidualLayer([new PaddedShortcutLayer(4, 2)]) { Shortcut = new AveragePoolingLayer(1) { Stride = 1 }, Activation = Activation.Identity, ZeroPadding = true };
        var output = ImageSample.Module(block, LayerShape.OfImage(2, 3, 3)).call(arange(18, ScalarType.Float32).view(1, 2, 3, 3));
        CollectionAssert.AreEqual(new long[] { 1, 4, 3, 3 }, output.shape);
        // The layers have channels 0, x, y, 0 of every other pixel; the shortcut has the image and two channels of zeros.
        float[] expected = [.. Enumerable.Range(0, 9), 9 + 0, 10 + 2, 11, 12 + 6, 13 + 8, 14, 15, 16, 17, 9, 11, 0, 15, 17, 0, 0, 0, 0, .. new float[9]];
        CollectionAssert.AreEqual(expected, ImageSample.Floats(output));
    }

    [TestMethod]
    public void LocalResponseNormalization_IsTheFormula()
    {
        using var scope = NewDisposeScope();
        var x = ImageSample.Random(1, 7, 1, 1) * 3;
        var values = ImageSample.Floats(x);
        foreach (var size in new[] { 1, 3, 5 })
        {
            var module = ImageSample.Module(new LocalResponseNormalizationLayer(size) { Alpha = 0.3, Beta = 0.6, K = 2 }, LayerShape.OfImage(7, 1, 1));
            var expected = values.Select((value, channel) =>
            {
                var squares = values.Where((_, other) => Math.Abs(other - channel) <= size / 2).Sum(other => other * other);
                return (float)(value / Math.Pow(2 + (0.3 / size * squares), 0.6));
            }).ToArray();
            Outcome.AssertClose(expected, ImageSample.Floats(module.call(x)), 1e-5);
        }
    }

    [TestMethod]
    public void GlobalAndAveragePooling_ByHand()
    {
        using var scope = NewDisposeScope();
        var x = arange(18, ScalarType.Float32).view(1, 2, 3, 3);
        var shape = LayerShape.OfImage(2, 3, 3);
        CollectionAssert.AreEqual(new float[] { 4, 13 }, ImageSample.Floats(ImageSample.Module(new GlobalAveragePoolingLayer(), shape).call(x)));
        CollectionAssert.AreEqual(new float[] { 8, 17 }, ImageSample.Floats(ImageSample.Module(new GlobalMaxPoolingLayer(), shape).call(x)));
        CollectionAssert.AreEqual(new float[] { 2, 11 }, ImageSample.Floats(ImageSample.Module(new AveragePoolingLayer(2), shape).call(x)));
        CollectionAssert.AreEqual(new float[] { 2, 3.5f, 6.5f, 8, 11, 12.5f, 15.5f, 17 }, ImageSample.Floats(ImageSample.Module(new AveragePoolingLayer(2) { CeilMode = true }, shape).call(x)));
        CollectionAssert.AreEqual(new float[] { 4, 5, 7, 8, 13, 14, 16, 17 }, ImageSample.Floats(ImageSample.Module(new MaxPoolingLayer(2) { Stride = 1 }, shape).call(x)));
    }

    /// <summary>The order of a flattened image is that of the row, however the image lies in memory.</summary>
    [TestMethod]
    public void DenseAfterAnImage_TakesChannelAfterChannel()
    {
        using var scope = NewDisposeScope();
        var x = ImageSample.Random(5, 3, 4, 2);
        foreach (var layer in new ImageLayer[] { new DenseLayer(), new SequenceLayer([new FlattenLayer(), new DenseLayer()]) })
        {
            var module = ImageSample.Module(layer, LayerShape.OfImage(3, 4, 2));
            var weights = module.parameters().ToArray();
            var expected = x.contiguous().view(5, 24).matmul(weights[0].t()) + weights[1];
            Outcome.AssertClose(ImageSample.Floats(expected), ImageSample.Floats(module.call(x)), 1e-5);
            Outcome.AssertClose(ImageSample.Floats(expected), ImageSample.Floats(module.call(ChannelsLast.Arrange(x))), 1e-5);
        }
    }

    [TestMethod]
    public void TransposedConvolution_ByHand()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var x = tensor(new float[] { 1, 2, 3, 4 }, [1, 1, 2, 2]);
        CollectionAssert.AreEqual(new float[] { 1, 12, 20, 103, 1234, 2040, 300, 3400, 4000 }, Run(stride: 1));
        CollectionAssert.AreEqual(new float[] { 1, 10, 2, 20, 100, 1000, 200, 2000, 3, 30, 4, 40, 300, 3000, 400, 4000 }, Run(stride: 2));

        float[] Run(int stride)
        {
            var module = ImageSample.Module(new TransposedConvolutionLayer(1, 2) { Stride = stride, Bias = false }, LayerShape.OfImage(1, 2, 2));
            module.parameters().Single().copy_(tensor(new float[] { 1, 10, 100, 1000 }, [1, 1, 2, 2]));
            return ImageSample.Floats(module.call(x));
        }
    }

    [TestMethod]
    public void UpsamplingReshapeAndSlope_ByHand()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[] { 1, 2, 3, 4 }, [1, 1, 2, 2]);
        CollectionAssert.AreEqual(new float[] { 1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4 }, ImageSample.Floats(ImageSample.Module(new UpsamplingLayer(), LayerShape.OfImage(1, 2, 2)).call(x)));
        var image = ImageSample.Module(new ReshapeLayer(2, 1, 2), LayerShape.OfVector(4)).call(x.view(1, 4));
        CollectionAssert.AreEqual(new long[] { 1, 2, 1, 2 }, image.shape);
        CollectionAssert.AreEqual(new float[] { 1, 2, 3, 4 }, ImageSample.Floats(image));
        CollectionAssert.AreEqual(new float[] { -1, 2 }, ImageSample.Floats(ImageSample.Module(new ActivationLayer(Activation.LeakyReLU) { Slope = 0.2 }, LayerShape.OfVector(2)).call(tensor(new float[] { -5, 2 }, [1, 2]))));
    }

    [TestMethod]
    public void Maxout_IsTheLargestOfItsPieces()
    {
        using var scope = NewDisposeScope();
        var module = ImageSample.Module(new MaxoutLayer(3, 4), LayerShape.OfVector(5));
        var (weights, x) = (module.parameters().ToArray(), ImageSample.Random(6, 5));
        var pieces = ImageSample.Floats(x.matmul(weights[0].t()) + weights[1]);
        var expected = Enumerable.Range(0, 18).Select(i => Enumerable.Range(0, 4).Max(piece => pieces[(i / 3 * 12) + (piece * 3) + (i % 3)])).ToArray();
        Outcome.AssertClose(expected, ImageSample.Floats(module.call(x)), 1e-5);
    }

    /// <summary>The largest singular value of what the layer multiplies with is 1.</summary>
    [TestMethod]
    public void SpectralNormalization_DividesByTheLargestSingularValue()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var module = ImageSample.Module(new SpectralNormalizationLayer(new DenseLayer(2) { Bias = false }), LayerShape.OfVector(2));
        module.parameters().Single().copy_(tensor(new float[] { 3, 0, 0, 1 }, [2, 2]));
        module.train();
        for (var step = 0; step < 30; step++)
            module.call(eye(2));
        module.eval();
        Outcome.AssertClose([1, 0, 0, 1 / 3f], ImageSample.Floats(module.call(eye(2))), 1e-5);

        var other = ImageSample.Module(new SpectralNormalizationLayer(new DenseLayer(7) { Bias = false }), LayerShape.OfVector(5));
        other.train();
        for (var step = 0; step < 300; step++)
            other.call(eye(5));
        Assert.AreEqual(1, linalg.svdvals(other.call(eye(5)))[0].item<float>(), 1e-3);
    }

    [TestMethod]
    public void FireBlock_IsItsConvolutions()
    {
        using var scope = NewDisposeScope();
        var module = ImageSample.Module(new FireLayer(2, 3, 4), LayerShape.OfImage(5, 6, 6));
        var weights = module.state_dict();
        var x = ImageSample.Random(2, 5, 6, 6);
        var squeezed = nn.functional.conv2d(x, weights["squeeze.weight"], weights["squeeze.bias"]).relu();
        var expected = cat(
            [
                nn.functional.conv2d(squeezed, weights["expand1x1.weight"], weights["expand1x1.bias"]).relu(),
                nn.functional.conv2d(squeezed, weights["expand3x3.weight"], weights["expand3x3.bias"], padding: [1, 1]).relu(),
            ],
            1);
        Outcome.AssertClose(ImageSample.Floats(expected), ImageSample.Floats(module.call(x)), 1e-5);
    }

    /// <summary>With the blocks' last weights at zero, a residual network passes its input on; the plain one forgets it.</summary>
    [TestMethod]
    public void PlainNetwork_HasNoShortcuts()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        foreach (var shortcuts in new[] { true, false })
        {
            var architecture = KnownNetworks.ResNet(ResNetForm.Cifar, 8) with { Shortcuts = shortcuts };
            Assert.AreEqual(KnownNetworks.ResNet(ResNetForm.Cifar, 8).ParameterCount, architecture.ParameterCount);
            using var network = ImageSample.Randomized(architecture.CreateModule());
            foreach (var (name, parameter) in network.named_parameters().Where(entry => entry.name.EndsWith("bn2.weight", StringComparison.Ordinal)))
                parameter.zero_();
            network.eval();
            var outputs = network.call(ImageSample.Random(2, 3, 32, 32));
            Assert.AreEqual(shortcuts, (outputs[0] - outputs[1]).abs().max().item<float>() > 1e-3);
        }
    }

    [TestMethod]
    public void Flatten_GradientIsChannelsLastWithTheSameValues()
    {
        using var scope = NewDisposeScope();
        var x = ChannelsLast.Arrange(rand([2, 3, 4, 5], ScalarType.Float32, CPU)).requires_grad_(true);
        var slopes = rand([2, 60], ScalarType.Float32, CPU);
        ChannelsLast.Flatten(x).backward([slopes]);
        Assert.AreEqual(1, x.grad!.stride(1));
        Outcome.AssertSameBits(ImageSample.Floats(slopes), ImageSample.Floats(x.grad));
    }

    [TestMethod]
    public void ChannelsLast_KeepsValues()
    {
        using var scope = NewDisposeScope();
        var x = ImageSample.Random(2, 3, 4, 5);
        var arranged = ChannelsLast.Arrange(x);
        Outcome.AssertSameBits(ImageSample.Floats(x), ImageSample.Floats(arranged));
        CollectionAssert.AreEqual(x.shape, arranged.shape);
        Assert.AreEqual(1, arranged.stride(1));
        Assert.AreSame(arranged, ChannelsLast.Arrange(arranged));
        var gray = ImageSample.Random(2, 1, 4, 5);
        var arrangedGray = ChannelsLast.Arrange(gray);
        Assert.AreEqual(1, arrangedGray.stride(1));
        Outcome.AssertSameBits(ImageSample.Floats(gray), ImageSample.Floats(arrangedGray));
        Assert.AreSame(arrangedGray, ChannelsLast.Arrange(arrangedGray));
        var vector = ImageSample.Random(2, 3);
        Assert.AreSame(vector, ChannelsLast.Arrange(vector));
        var part = x.narrow(2, 1, 2).narrow(3, 2, 3);
        Outcome.AssertSameBits(ImageSample.Floats(part), ImageSample.Floats(ChannelsLast.Arrange(part)));
    }
}
