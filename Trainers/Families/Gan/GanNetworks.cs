using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>
/// The layers of the two networks of a GAN, as lists of layer records. <see cref="GanPresets"/> has published ones to start from; change them
/// with a <c>with</c> expression.
/// </summary>
public sealed record GanNetworks
{
    /// <summary>The number of values of the generator's noise. Default 100.</summary>
    public int LatentSize { get; init; } = 100;

    /// <summary>The distribution of the noise. Default <see cref="LatentDistribution.Normal"/>.</summary>
    public LatentDistribution LatentDistribution { get; init; }

    /// <summary>
    /// The layers of the generator. A last layer <c>ActivationLayer(Activation.Tanh)</c> or <c>Sigmoid</c> limits samples to the range of
    /// the data; without one, samples are any real numbers. A <see cref="DenseLayer"/> without units returns as many values as a sample has.
    /// </summary>
    public required IReadOnlyList<ImageLayer> Generator { get; init; }

    /// <summary>The layers of the noise before the label joins it. Default: none.</summary>
    public IReadOnlyList<ImageLayer> GeneratorLatent { get; init; } = [];

    /// <summary>The layers of the label in the generator. Default: none; the label is a vector with a 1 for the class.</summary>
    public IReadOnlyList<ImageLayer> GeneratorLabel { get; init; } = [];

    /// <summary>The layers of the discriminator; the last one returns one value, as a <see cref="DenseLayer"/> without units does.</summary>
    public required IReadOnlyList<ImageLayer> Discriminator { get; init; }

    /// <summary>The layers of the sample before the label joins it. Default: none.</summary>
    public IReadOnlyList<ImageLayer> DiscriminatorSample { get; init; } = [];

    /// <summary>The layers of the label in the discriminator. Default: none.</summary>
    public IReadOnlyList<ImageLayer> DiscriminatorLabel { get; init; } = [];

    /// <summary>
    /// Whether the label takes part in the discriminator by the inner product of a vector per class with the input of the last layer (Miyato
    /// and Koyama, 2018) instead of joining the sample. Default false.
    /// </summary>
    public bool ProjectsLabel { get; init; }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(GanNetworks), PrintMembers);
}

/// <summary>Networks of published generative adversarial networks.</summary>
public static class GanPresets
{
    private const int Widest = 5;

    /// <summary>
    /// A dense pair to start with, for samples of any real numbers with about mean 0 and variance 1: two layers of 256 units in each
    /// network, batch normalization in the generator.
    /// </summary>
    public static GanNetworks Dense() => new()
    {
        LatentSize = 32,
        Generator = [.. Normalized(256), .. Normalized(256), new DenseLayer()],
        Discriminator = [new DenseLayer(256), Leaky, new DenseLayer(256), Leaky, new DenseLayer()],
    };

    /// <summary>
    /// The networks for MNIST of the first paper: 100 uniform numbers, two ReLU layers of 1,200 units and sigmoid outputs; two maxout layers
    /// of 240 units with 5 pieces, and dropout. Goodfellow et al., "Generative Adversarial Nets", 2014.
    /// </summary>
    public static GanNetworks Goodfellow() => new()
    {
        LatentDistribution = LatentDistribution.Uniform,
        Generator =
        [
            new DenseLayer(1200), new ActivationLayer(),
            new DenseLayer(1200), new ActivationLayer(),
            new DenseLayer(), new ActivationLayer(Activation.Sigmoid),
        ],
        Discriminator =
        [
            new DropoutLayer(0.2), new MaxoutLayer(240, Widest),
            new DropoutLayer(), new MaxoutLayer(240, Widest),
            new DropoutLayer(), new DenseLayer(),
        ],
    };

    /// <summary>
    /// The conditional networks for MNIST as textbooks give them: in the generator, 100 uniform numbers to 200 ReLU units and the label to
    /// 1,000, which joined lead to the sigmoid outputs; in the discriminator, maxout layers for image (240 units, 5 pieces), label (50 units,
    /// 5 pieces) and both (240 units, 4 pieces). Mirza and Osindero, "Conditional Generative Adversarial Nets", 2014.
    /// </summary>
    /// <param name="combinedLayer">
    /// Whether the generator has a layer of 1,200 ReLU units between what is joined and the outputs, as in the text of the paper: 2.5 times as
    /// many weights. Default false.
    /// </param>
    public static GanNetworks Mirza(bool combinedLayer = false) => new()
    {
        LatentDistribution = LatentDistribution.Uniform,
        GeneratorLatent = [new DenseLayer(200), new ActivationLayer()],
        GeneratorLabel = [new DenseLayer(1000), new ActivationLayer()],
        Generator =
        [
            .. combinedLayer ? [new DenseLayer(1200), new ActivationLayer()] : (ImageLayer[])[],
            new DenseLayer(), new ActivationLayer(Activation.Sigmoid),
        ],
        DiscriminatorSample = [new MaxoutLayer(240, Widest)],
        DiscriminatorLabel = [new MaxoutLayer(50, Widest)],
        Discriminator = [new DropoutLayer(), new MaxoutLayer(240, Widest - 1), new DropoutLayer(), new DenseLayer()],
    };

    /// <summary>
    /// A deep convolutional pair after Radford et al., "Unsupervised Representation Learning with Deep Convolutional GANs", 2016: strided
    /// convolutions instead of pooling, no dense hidden layers, batch normalization in both networks, ReLU and tanh in the generator, leaky
    /// ReLU in the discriminator.
    /// </summary>
    /// <param name="channels">1 or 3.</param>
    /// <param name="size">The side length of the images: 28, 32 or 64.</param>
    /// <param name="filters">The filters of the layer next to the image; each one further away has twice as many. Default 64.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such network.</exception>
    public static GanNetworks Radford(int channels, int size, int filters = 64)
    {
        CheckSize(channels, size, filters);
        var (start, widths) = Widths(size, filters);
        return new GanNetworks
        {
            Generator =
            [
                .. Upward(start, widths, channels),
                new ActivationLayer(Activation.Tanh),
            ],
            Discriminator =
            [
                new ConvolutionLayer(widths[^1], 4) { Stride = 2, Padding = 1 }, LeakyPoint2,
                .. widths.Reverse().Skip(1).SelectMany(width => (ImageLayer[])
                [
                    new ConvolutionLayer(width, 4) { Stride = 2, Padding = 1, Bias = false }, new BatchNormalizationLayer(), LeakyPoint2,
                ]),
                new DenseLayer(),
            ],
        };
    }

    /// <summary>
    /// The convolutional pair that proved itself: the generator as in <see cref="Radford"/> with half of the filters and the label's vector
    /// of 32 values beside the noise; the discriminator with spectral normalization, a dense layer, and the label by projection.
    /// </summary>
    /// <inheritdoc cref="Radford" path="/param"/>
    /// <inheritdoc cref="Radford" path="/exception"/>
    /// <param name="conditional">Whether there are labels.</param>
    public static GanNetworks Convolutional(int channels, int size, int filters = 32, bool conditional = false)
    {
        CheckSize(channels, size, filters);
        var (start, widths) = Widths(size, filters);
        return new GanNetworks
        {
            LatentSize = 64,
            GeneratorLabel = conditional ? [new DenseLayer(32) { Bias = false }] : [],
            Generator = [.. Upward(start, widths, channels), new ActivationLayer(Activation.Tanh)],
            Discriminator =
            [
                .. widths.Reverse().SelectMany(width => (ImageLayer[])
                [
                    new SpectralNormalizationLayer(new ConvolutionLayer(width, 4) { Stride = 2, Padding = 1 }), LeakyPoint2,
                ]),
                new SpectralNormalizationLayer(new DenseLayer(128)), LeakyPoint2,
                new DenseLayer(),
            ],
            ProjectsLabel = conditional,
        };
    }

    private static ActivationLayer Leaky => new(Activation.LeakyReLU);

    private static ActivationLayer LeakyPoint2 => new(Activation.LeakyReLU) { Slope = 0.2 };

    private static ImageLayer[] Normalized(int units) => [new DenseLayer(units) { Bias = false }, new BatchNormalizationLayer(), new ActivationLayer()];

    /// <summary>From the noise to an image, twice as large with each layer.</summary>
    private static IEnumerable<ImageLayer> Upward(int start, int[] widths, int channels)
    {
        yield return new DenseLayer(widths[0] * start * start) { Bias = false };
        yield return new ReshapeLayer(widths[0], start, start);
        yield return new BatchNormalizationLayer();
        yield return new ActivationLayer();
        foreach (var width in widths.Skip(1))
        {
            yield return new TransposedConvolutionLayer(width, 4) { Stride = 2, Padding = 1, Bias = false };
            yield return new BatchNormalizationLayer();
            yield return new ActivationLayer();
        }
        yield return new TransposedConvolutionLayer(channels, 4) { Stride = 2, Padding = 1 };
    }

    /// <summary>The side length of the smallest image, and the filters from it to the layer next to the largest.</summary>
    private static (int Start, int[] Widths) Widths(int size, int filters) => size switch
    {
        28 => (7, [2 * filters, filters]),
        32 => (4, [4 * filters, 2 * filters, filters]),
        _ => (4, [8 * filters, 4 * filters, 2 * filters, filters]),
    };

    private static void CheckSize(int channels, int size, int filters)
    {
        Training.OptionCheck.Require(channels is 1 or 3, channels, nameof(channels), "1 or 3");
        Training.OptionCheck.Require(size is 28 or 32 or 64, size, nameof(size), "28, 32 or 64. Other sizes need layers of their own: see GanNetworks");
        Training.OptionCheck.Between(filters, 1, 1 << 16, nameof(filters));
    }
}
