using MLExtensions.Families.Images;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

/// <summary>What a layer record foretells is what its module does.</summary>
[TestClass]
public sealed class LayerShapeTests
{
    private static readonly LayerShape[] Inputs =
    [
        LayerShape.OfImage(4, 1, 1),
        LayerShape.OfImage(4, 2, 3),
        LayerShape.OfImage(6, 7, 5),
        LayerShape.OfImage(6, 8, 8),
        LayerShape.OfImage(12, 13, 4),
        LayerShape.OfVector(12),
        LayerShape.OfVector(1),
    ];

    private static ImageLayer[] Plain =>
    [
        new BatchNormalizationLayer(),
        new LocalResponseNormalizationLayer(),
        new LocalResponseNormalizationLayer(2),
        new ActivationLayer(Activation.PReLU),
        new ActivationLayer(Activation.GELU),
        new DropoutLayer(),
        new FlattenLayer(),
        new DenseLayer(5),
        new DenseLayer { Bias = false },
        new GlobalAveragePoolingLayer(),
        new GlobalMaxPoolingLayer(),
        new AdaptiveAveragePoolingLayer(3, 2),
        new PaddedShortcutLayer(13, 1),
        new PaddedShortcutLayer(12, 2),
        new PaddedShortcutLayer(12, 3),
        new FireLayer(2, 3, 4),
        new ReshapeLayer(3, 2, 2),
        new UpsamplingLayer(),
        new UpsamplingLayer(3),
        new MaxoutLayer(5, 3),
        new SpectralNormalizationLayer(new MaxoutLayer(2, 1)),
        new SpectralNormalizationLayer(new DenseLayer(5)),
        new SpectralNormalizationLayer(new ConvolutionLayer(3, 2) { Bias = false }),
        new SpectralNormalizationLayer(new TransposedConvolutionLayer(3, 2)),
        new InceptionLayer(2, 3, 4, 5, 6, 7),
        new SequenceLayer([new ConvolutionLayer(4, 1), new SequenceLayer([new ActivationLayer()]), new MaxPoolingLayer(2) { CeilMode = true }]),
        new ConcatenationLayer([new ConvolutionLayer(4, 3) { Padding = 1 }, new MaxPoolingLayer(3) { Stride = 1, Padding = 1 }]),
        new ConcatenationLayer([new GlobalAveragePoolingLayer(), new GlobalMaxPoolingLayer(), new DenseLayer(3)]),
        new ResidualLayer([new DropoutLayer(0.1)]) { Activation = Activation.Tanh },
        new ResidualLayer([new ConvolutionLayer(24, 3) { Padding = 1, Stride = 2 }]) { Shortcut = new PaddedShortcutLayer(24, 2) },
        new ResidualLayer([new ConvolutionLayer(8, 3) { Padding = 1 }]) { Shortcut = new SequenceLayer([new ConvolutionLayer(8, 1)]), Activation = Activation.Identity },
        new ResidualLayer([new ConvolutionLayer(8, 3)]) { HasShortcut = false },
        new ResidualLayer([new ConvolutionLayer(24, 3) { Stride = 2 }]) { Shortcut = new AveragePoolingLayer(2), ZeroPadding = true },
        new ResidualLayer([new ConvolutionLayer(5, 2)]) { ZeroPadding = true },
        new ResidualLayer([new MaxPoolingLayer(2) { Stride = 1, Padding = 1 }]) { Shortcut = new ConvolutionLayer(20, 3), ZeroPadding = true },
    ];

    private static IEnumerable<ImageLayer> Convolutions =>
        from kernel in new[] { 1, 2, 3, 5 }
        from stride in new[] { 1, 2, 3 }
        from padding in new[] { 0, 1, 2 }
        from dilation in new[] { 1, 2 }
        select new ConvolutionLayer(padding == 1 ? null : 6, kernel)
        {
            Stride = stride,
            Padding = padding,
            Dilation = dilation,
            Groups = padding == 2 ? 2 : 1,
            Bias = stride != 2,
        };

    private static IEnumerable<ImageLayer> Transposed =>
        from kernel in new[] { 1, 2, 3, 4 }
        from stride in new[] { 1, 2, 3 }
        from padding in new[] { 0, 1, 2 }
        from more in new[] { 0, 1, 2 }
        select new TransposedConvolutionLayer(5, kernel) { Stride = stride, Padding = padding, OutputPadding = more, Bias = padding != 1 };

    private static IEnumerable<ImageLayer> Poolings =>
        from kernel in new[] { 1, 2, 3, 4 }
        from stride in new int?[] { null, 1, 2, 3, 5 }
        from padding in new[] { 0, 1, 2 }
        from ceil in new[] { false, true }
        from layer in new ImageLayer[]
        {
            new MaxPoolingLayer(kernel) { Stride = stride, Padding = padding, CeilMode = ceil },
            new AveragePoolingLayer(kernel) { Stride = stride, Padding = padding, CeilMode = ceil },
        }
        select layer;

    /// <summary>A layer either refuses its input, or the module gives the shape and has the parameters that it tells.</summary>
    [TestMethod]
    public void OutputShapeAndParameterCount_AreTheModules()
    {
        var checkedCount = 0;
        using var mode = no_grad();
        foreach (var layer in Plain.Concat(Convolutions).Concat(Transposed).Concat(Poolings))
        {
            foreach (var input in Inputs)
            {
                PlacedLayer placed;
                try
                {
                    placed = LayerChain.Place([layer], input, new LayerSite("", 3))[0];
                }
                catch (FormatException e)
                {
                    Assert.StartsWith($"Layer '0", e.Message, $"{layer}");
                    continue;
                }
                Check(placed);
                checkedCount++;
            }
        }
        Assert.IsGreaterThan(600, checkedCount);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void MultiplyAdds_AreOutputsTimesWindow(bool bias)
    {
        var placed = LayerChain.Place([new ConvolutionLayer(6, 3) { Groups = 2, Stride = 2, Bias = bias }], LayerShape.OfImage(4, 7, 9), new LayerSite("", 3))[0];
        Assert.AreEqual(LayerShape.OfImage(6, 3, 4), placed.Output);
        Assert.AreEqual(6 * 3 * 4 * 9 * 2L, placed.Layer.MultiplyAdds(placed.Input, placed.Site));
        Assert.AreEqual((6 * 9 * 2L) + (bias ? 6 : 0), placed.Layer.ParameterCount(placed.Input, placed.Site));
    }

    private static void Check(PlacedLayer placed)
    {
        using var scope = NewDisposeScope();
        using var module = placed.Layer.CreateModule(placed.Input, placed.Site);
        module.eval();
        var x = placed.Input.IsVector ? zeros(2, placed.Input.Channels) : zeros(2, placed.Input.Channels, placed.Input.Height, placed.Input.Width);
        var expected = placed.Output.IsVector ? new long[] { 2, placed.Output.Channels } : [2, placed.Output.Channels, placed.Output.Height, placed.Output.Width];
        CollectionAssert.AreEqual(expected, module.call(x).shape, $"{placed.Layer} on {placed.Input}");
        Assert.AreEqual(module.parameters().Sum(parameter => parameter.numel()), placed.Layer.ParameterCount(placed.Input, placed.Site), $"{placed.Layer} on {placed.Input}");
    }
}
