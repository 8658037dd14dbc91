using MLExtensions.Families.Images;

namespace MLExtensions;

// The networks that were made for faces.
public static partial class CnnLayers
{
    /// <summary>
    /// NN1 of FaceNet, for 3 x 220 x 220 pixels: the network of Zeiler and Fergus with a 1x1 convolution before each larger one, and dense
    /// layers of maxout units; 140,025,664 weights for an embedding of 128 values. Schroff, Kalenichenko and Philbin, 2015.
    /// </summary>
    /// <remarks>
    /// As in the paper's table, whose counts of weights these layers have. What it does not say: the local response normalization has the
    /// constants of Krizhevsky et al., 2012, and poolings are padded by one pixel on each side, so that they halve the image. The length of
    /// the embedding is made 1 by the estimator of embeddings.
    /// </remarks>
    /// <param name="smallImages">
    /// False for images of 220 x 220 pixels (193 to 224 give the same weights); true for about 32 x 32 to 64 x 64: a 3x3 convolution without
    /// stride first, 2x2 poolings, and 512 maxout units in each layer instead of 4,096.
    /// </param>
    public static IReadOnlyList<ImageLayer> FaceNet(bool smallImages = false) =>
    [
        smallImages ? new ConvolutionLayer(64, 3) { Name = "conv1", Padding = 1 } : new ConvolutionLayer(64, 7) { Name = "conv1", Stride = 2, Padding = 3 },
        new ActivationLayer(),
        FaceNetPooling("pool1", smallImages),
        FaceNetNormalization("rnorm1"),
        .. FaceNetConvolutions("conv2", 64, 192),
        FaceNetNormalization("rnorm2"),
        FaceNetPooling("pool2", smallImages),
        .. FaceNetConvolutions("conv3", 192, 384),
        FaceNetPooling("pool3", smallImages),
        .. FaceNetConvolutions("conv4", 384, 256),
        .. FaceNetConvolutions("conv5", 256, 256),
        .. FaceNetConvolutions("conv6", 256, 256),
        FaceNetPooling("pool4", smallImages),
        new MaxoutLayer(smallImages ? 512 : FaceNetUnits, FaceNetPieces) { Name = "fc1" },
        new MaxoutLayer(smallImages ? 512 : FaceNetUnits, FaceNetPieces) { Name = "fc2" },
        new DenseLayer { Name = "fc7128" },
    ];

    private const int FaceNetUnits = 32 * 128;

    private const int FaceNetPieces = 2;

    private static ImageLayer[] FaceNetConvolutions(string name, int reduced, int filters) =>
    [
        new ConvolutionLayer(reduced, 1) { Name = name + "a" },
        new ActivationLayer(),
        new ConvolutionLayer(filters, 3) { Name = name, Padding = 1 },
        new ActivationLayer(),
    ];

    private static MaxPoolingLayer FaceNetPooling(string name, bool smallImages) => smallImages ? new(2) { Name = name } : new(3) { Name = name, Stride = 2, Padding = 1 };

    /// <summary>Krizhevsky's alpha of 0.0001 is the factor of the sum over 5 channels.</summary>
    private static LocalResponseNormalizationLayer FaceNetNormalization(string name) => new(5) { Name = name, Alpha = 5e-4, Beta = 0.75, K = 2 };
}

/// <summary>
/// The 29 convolutions of dlib's network for faces (King, 2017): a ResNet-34 with fewer layers and half the filters, as it computes after
/// training. Its batch normalizations have become part of the convolutions.
/// </summary>
internal static class DlibFaceLayers
{
    public const string Network = "dlib's face network";
    public const int UsualFilters = 32;
    public const int Side = 150;
    public const int Channels = 3;

    /// <summary>The layers before the average, by which they are frozen.</summary>
    public const string Features = "features";

    public const string FirstLayer = Features + ".conv32_down";
    private const double PixelRange = 256;

    /// <summary>The mean color of its training images, and a range of 256.</summary>
    public static PixelScaling Scaling { get; } = new()
    {
        Factor = 1 / PixelRange,
        Mean = [122.782 / PixelRange, 117.001 / PixelRange, 104.298 / PixelRange],
    };

    /// <param name="filters">The filters of the first stage; each further one has twice as many.</param>
    public static IReadOnlyList<ImageLayer> Create(int filters = UsualFilters) =>
    [
        new SequenceLayer(
        [
            new ConvolutionLayer(filters, 7) { Name = "conv32_down", Stride = 2 },
            new ActivationLayer { Name = "relu" },
            new MaxPoolingLayer(3) { Name = "maxpool", Stride = 2 },
            .. Blocks("conv32", filters, 3),
            Smaller("conv64_down", 2 * filters),
            .. Blocks("conv64", 2 * filters, 3),
            Smaller("conv128_down", 4 * filters),
            .. Blocks("conv128", 4 * filters, 2),
            Smaller("conv256_down", 8 * filters),
            .. Blocks("conv256", 8 * filters, 2),
            Smaller("conv256_down_out", 8 * filters),
        ]) { Name = Features },
        new GlobalAveragePoolingLayer { Name = "avgpool" },
        new DenseLayer { Name = "fc", Bias = false },
    ];

    private static IEnumerable<ImageLayer> Blocks(string name, int filters, int count) => Enumerable.Range(1, count)
        .Select(number => new ResidualLayer(Convolutions(filters, new ConvolutionLayer(filters, 3) { Padding = 1 })) { Name = FormattableString.Invariant($"{name}_{number}") });

    /// <summary>Half the height and width; what is added is the mean of the pixels, and the larger of both counts.</summary>
    private static ResidualLayer Smaller(string name, int filters) => new(Convolutions(filters, new ConvolutionLayer(filters, 3) { Stride = 2 }))
    {
        Name = name,
        Shortcut = new AveragePoolingLayer(2) { Name = "pool" },
        ZeroPadding = true,
    };

    private static ImageLayer[] Convolutions(int filters, ConvolutionLayer first) =>
    [
        first with { Name = "conv1" },
        new ActivationLayer { Name = "relu" },
        new ConvolutionLayer(filters, 3) { Name = "conv2", Padding = 1 },
    ];
}
