namespace MLExtensions;

public static partial class CnnLayers
{
    private const int Pooling = 0;

    /// <summary>VGG-16: thirteen 3x3 convolutions and three dense layers. Simonyan and Zisserman, 2015.</summary>
    /// <param name="smallImages">False for images of about 224 x 224 pixels; true for about 32 x 32: 512 hidden units.</param>
    /// <param name="batchNormalization">Whether each convolution is followed by batch normalisation, as in torchvision's vgg16_bn; it trains far more easily from scratch.</param>
    public static IReadOnlyList<NetworkLayer> Vgg16(bool smallImages = false, bool batchNormalization = false) => Vgg(
        [64, 64, Pooling, 128, 128, Pooling, 256, 256, 256, Pooling, 512, 512, 512, Pooling, 512, 512, 512, Pooling],
        smallImages,
        batchNormalization);

    /// <summary>VGG-19: sixteen 3x3 convolutions and three dense layers. Simonyan and Zisserman, 2015.</summary>
    /// <inheritdoc cref="Vgg16"/>
    public static IReadOnlyList<NetworkLayer> Vgg19(bool smallImages = false, bool batchNormalization = false) => Vgg(
        [64, 64, Pooling, 128, 128, Pooling, 256, 256, 256, 256, Pooling, 512, 512, 512, 512, Pooling, 512, 512, 512, 512, Pooling],
        smallImages,
        batchNormalization);

    private static IReadOnlyList<NetworkLayer> Vgg(int[] filters, bool smallImages, bool batchNormalization)
    {
        var (grid, hidden) = smallImages ? (1, 512) : (7, 4096);
        return
        [
            new SequenceLayer(filters.SelectMany(count => VggStep(count, batchNormalization)).ToArray()) { Name = "features" },
            new AdaptiveAveragePoolingLayer(grid, grid) { Name = "avgpool" },
            new SequenceLayer(
            [
                new DenseLayer(hidden),
                new ActivationLayer(),
                new DropoutLayer(0.5),
                new DenseLayer(hidden),
                new ActivationLayer(),
                new DropoutLayer(0.5),
                new DenseLayer(),
            ]) { Name = "classifier" },
        ];
    }

    private static NetworkLayer[] VggStep(int filters, bool batchNormalization)
    {
        if (filters == Pooling)
            return [new MaxPoolingLayer(2)];
        var convolution = new ConvolutionLayer(filters, 3) { Padding = 1 };
        return batchNormalization
            ? [convolution, new BatchNormalizationLayer(), new ActivationLayer()]
            : [convolution, new ActivationLayer()];
    }
}
