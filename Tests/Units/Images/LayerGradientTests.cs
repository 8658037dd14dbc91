using MLExtensions.Tests.Contract;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Images;

/// <summary>Gradients are right, and working in place changes nothing.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class LayerGradientTests
{
    private static readonly ImageShape Shape = new(2, 6, 6);

    /// <summary>Activations wherever they could spoil what something else still needs: first in a block, in a branch, behind each other.</summary>
    private static ImageLayer[] Treacherous(Activation activation) =>
    [
        new ActivationLayer(activation),
        new ConvolutionLayer(4, 3) { Padding = 1 },
        new ActivationLayer(activation),
        new ActivationLayer(activation),
        new ResidualLayer([new ActivationLayer(activation), new ConvolutionLayer(4, 3) { Padding = 1 }, new BatchNormalizationLayer(), new ActivationLayer(activation), new ConvolutionLayer(4, 1)]) { Activation = activation },
        new ResidualLayer([new SequenceLayer([new SequenceLayer([new ActivationLayer(activation)]), new ConvolutionLayer(4, 1)])]) { Activation = Activation.Identity },
        new ConcatenationLayer([new ActivationLayer(activation), new SequenceLayer([new ActivationLayer(activation), new ConvolutionLayer(3, 1)]), new MaxPoolingLayer(3) { Stride = 1, Padding = 1 }]),
        new ActivationLayer(activation),
        new ResidualLayer([new ActivationLayer(activation)]) { Activation = activation, Shortcut = new SequenceLayer([new ActivationLayer(activation)]) },
        new ResidualLayer([new ConvolutionLayer(5, 1), new ActivationLayer(activation)]) { Activation = activation, HasShortcut = false },
        new ResidualLayer([new BatchNormalizationLayer()]) { Activation = activation, Shortcut = new PaddedShortcutLayer(5, 1) },
        new ResidualLayer([new ConvolutionLayer(6, 2)]) { Activation = activation, Shortcut = new ActivationLayer(activation), ZeroPadding = true },
        new ResidualLayer([new ActivationLayer(activation), new ConvolutionLayer(5, 3) { Padding = 1 }, new ActivationLayer(activation)]) { Activation = activation, ZeroPadding = true },
        new LocalResponseNormalizationLayer(3),
        new ActivationLayer(activation),
        new DenseLayer(7),
        new BatchNormalizationLayer(),
        new ActivationLayer(activation),
        new ResidualLayer([new ActivationLayer(activation), new DenseLayer(7)]) { Activation = activation },
        new MaxoutLayer(6, 3),
        new ActivationLayer(activation),
        new DenseLayer(9),
        new ReshapeLayer(1, 3, 3),
        new TransposedConvolutionLayer(2, 4) { Stride = 2, Padding = 1 },
        new ActivationLayer(activation),
        new UpsamplingLayer(),
        new ActivationLayer(activation),
        new DenseLayer(),
    ];

    public static IEnumerable<object[]> Activations => Enum.GetValues<Activation>().Where(activation => activation != Activation.PReLU).Select(activation => new object[] { activation });

    [TestMethod]
    [DynamicData(nameof(Activations))]
    public void WorkingInPlace_ChangesNothing(Activation activation)
    {
        using var scope = NewDisposeScope();
        var layers = Treacherous(activation);
        using var inPlace = ImageSample.Randomized(ImageSample.Architecture(new ImageInput(Shape), 3, layers).CreateModule());
        using var copying = ImageSample.Randomized(ImageSample.Architecture(new ImageInput(Shape), 3, WithoutInPlace(layers)).CreateModule());
        var x = ImageSample.Random(5, 2, 6, 6);
        var before = ImageSample.Floats(x);
        var (output, gradients) = Run(inPlace, x);
        var (expected, expectedGradients) = Run(copying, x);
        Outcome.AssertSameBits(before, ImageSample.Floats(x));
        Outcome.AssertSameComputation(expected, output);
        Outcome.AssertClose(expectedGradients, gradients, 1e-5);
    }

    /// <summary>In double precision, against central differences.</summary>
    [TestMethod]
    public void Gradients_AreTheSlopesOfTheLoss()
    {
        using var scope = NewDisposeScope();
        ImageLayer[] layers =
        [
            new ConvolutionLayer(4, 3) { Padding = 1, Stride = 2 },
            new BatchNormalizationLayer(),
            new ActivationLayer(),
            new ResidualLayer([new ConvolutionLayer(6, 3) { Padding = 1, Stride = 2 }, new BatchNormalizationLayer(), new ActivationLayer(), new ConvolutionLayer(6, 3) { Padding = 1 }, new BatchNormalizationLayer()]) { Shortcut = new PaddedShortcutLayer(6, 2) },
            new InceptionLayer(2, 2, 3, 2, 3, 2),
            new FireLayer(2, 3, 3),
            new ResidualLayer([new ConvolutionLayer(4, 2)]) { Shortcut = new MaxPoolingLayer(2) { Stride = 1, Padding = 1 }, ZeroPadding = true },
            new AveragePoolingLayer(2) { Stride = 1 },
            new LocalResponseNormalizationLayer(3),
            new TransposedConvolutionLayer(4, 3) { Stride = 2, Padding = 1, OutputPadding = 1 },
            new UpsamplingLayer(),
            new ConcatenationLayer([new GlobalAveragePoolingLayer(), new GlobalMaxPoolingLayer()]),
            new MaxoutLayer(12, 2),
            new ReshapeLayer(3, 2, 2),
            new DenseLayer(),
        ];
        using var network = ImageSample.Randomized(ImageSample.Architecture(new ImageInput(Shape), 3, layers).CreateModule()).to(ScalarType.Float64);
        var x = ImageSample.Random(4, 2, 6, 6).to(ScalarType.Float64);
        var slopes = ImageSample.Random(4, 3).to(ScalarType.Float64);
        Tensor Loss() => (network.call(x) * slopes).sum();
        Loss().backward();
        var random = new Random(3);
        const double Step = 1e-6;
        foreach (var (name, parameter) in network.named_parameters())
        {
            var flat = parameter.detach().view(-1);
            var gradient = parameter.grad!.view(-1);
            for (var draw = 0; draw < 3; draw++)
            {
                var at = random.Next((int)flat.shape[0]);
                var value = flat[at].item<double>();
                flat[at] = value + Step;
                var above = Loss().item<double>();
                flat[at] = value - Step;
                var below = Loss().item<double>();
                flat[at] = value;
                var slope = (above - below) / (2 * Step);
                Assert.AreEqual(slope, gradient[at].item<double>(), 1e-5 * Math.Max(1, Math.Abs(slope)), $"{name} at {at}");
            }
        }
    }

    private static (float[] Output, float[] Gradients) Run(nn.Module<Tensor, Tensor> network, Tensor x)
    {
        var output = network.call(x);
        (output * ImageSample.Random(output.shape)).sum().backward();
        return (ImageSample.Floats(output.detach()), network.parameters().SelectMany(parameter => ImageSample.Floats(parameter.grad!)).ToArray());
    }

    /// <summary>Behind dropout of nothing, no layer may work in place.</summary>
    private static ImageLayer[] WithoutInPlace(IEnumerable<ImageLayer> layers) =>
        layers.SelectMany(layer => new[] { new DropoutLayer(0), Inner(layer) }).Append(new DropoutLayer(0)).ToArray();

    private static ImageLayer Inner(ImageLayer layer) => layer switch
    {
        SequenceLayer sequence => sequence with { Layers = WithoutInPlace(sequence.Layers) },
        ConcatenationLayer concatenation => concatenation with { Branches = concatenation.Branches.Select(branch => new SequenceLayer(WithoutInPlace([branch]))).ToArray() },
        ResidualLayer residual => residual with
        {
            Layers = WithoutInPlace(residual.Layers),
            Shortcut = residual.Shortcut == null ? null : new SequenceLayer(WithoutInPlace([residual.Shortcut])),
        },
        _ => layer,
    };
}
