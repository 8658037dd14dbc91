namespace MLExtensions;

// The networks that were made for ImageNet.
public static partial class CnnLayers
{
    // Marks pooling in the list of VGG's filters.
    private const int Pooling = 0;

    /// <summary>
    /// AlexNet as in torchvision, with one path instead of two. Krizhevsky, Sutskever and Hinton, 2012; Krizhevsky, 2014.
    /// </summary>
    /// <param name="smallImages">
    /// False for images of about 224 x 224 pixels; true for about 32 x 32: smaller kernels and 1,024 hidden units.
    /// </param>
    public static IReadOnlyList<ImageLayer> AlexNet(bool smallImages = false)
    {
        var (grid, hidden) = smallImages ? (2, 1024) : (6, 4096);
        return
        [
            new SequenceLayer(
            [
                .. smallImages ? ReluConvolution(64, 3, stride: 1, padding: 1) : ReluConvolution(64, 11, stride: 4, padding: 2),
                AlexNetPooling(smallImages),
                .. smallImages ? ReluConvolution(192, 3, padding: 1) : ReluConvolution(192, 5, padding: 2),
                AlexNetPooling(smallImages),
                .. ReluConvolution(384, 3, padding: 1),
                .. ReluConvolution(256, 3, padding: 1),
                .. ReluConvolution(256, 3, padding: 1),
                AlexNetPooling(smallImages),
            ]) { Name = "features" },
            new AdaptiveAveragePoolingLayer(grid, grid) { Name = "avgpool" },
            new SequenceLayer(
            [
                new DropoutLayer(0.5),
                new DenseLayer(hidden),
                new ActivationLayer(),
                new DropoutLayer(0.5),
                new DenseLayer(hidden),
                new ActivationLayer(),
                new DenseLayer(),
            ]) { Name = "classifier" },
        ];
    }

    private static MaxPoolingLayer AlexNetPooling(bool smallImages) => smallImages ? new(2) : new(3) { Stride = 2 };

    /// <summary>VGG-16: thirteen 3x3 convolutions and three dense layers. Simonyan and Zisserman, 2015.</summary>
    /// <param name="smallImages">False for images of about 224 x 224 pixels; true for about 32 x 32: 512 hidden units.</param>
    /// <param name="batchNormalization">
    /// Whether each convolution is followed by batch normalization, as in torchvision's vgg16_bn; training from scratch is then much
    /// easier.
    /// </param>
    public static IReadOnlyList<ImageLayer> Vgg16(bool smallImages = false, bool batchNormalization = false) => Vgg(
        [64, 64, Pooling, 128, 128, Pooling, 256, 256, 256, Pooling, 512, 512, 512, Pooling, 512, 512, 512, Pooling],
        smallImages,
        batchNormalization);

    /// <summary>VGG-19: sixteen 3x3 convolutions and three dense layers. Simonyan and Zisserman, 2015.</summary>
    /// <inheritdoc cref="Vgg16"/>
    public static IReadOnlyList<ImageLayer> Vgg19(bool smallImages = false, bool batchNormalization = false) => Vgg(
        [64, 64, Pooling, 128, 128, Pooling, 256, 256, 256, 256, Pooling, 512, 512, 512, 512, Pooling, 512, 512, 512, 512, Pooling],
        smallImages,
        batchNormalization);

    private static IReadOnlyList<ImageLayer> Vgg(int[] filters, bool smallImages, bool batchNormalization)
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

    private static ImageLayer[] VggStep(int filters, bool batchNormalization)
    {
        if (filters == Pooling)
            return [new MaxPoolingLayer(2)];
        var convolution = new ConvolutionLayer(filters, 3) { Padding = 1 };
        return batchNormalization
            ? [convolution, new BatchNormalizationLayer(), new ActivationLayer()]
            : [convolution, new ActivationLayer()];
    }

    /// <summary>
    /// GoogLeNet with batch normalization, as in torchvision, without the auxiliary classifiers that the paper uses in training.
    /// Szegedy et al., 2015.
    /// </summary>
    /// <param name="smallImages">
    /// False for images of about 224 x 224 pixels; true for about 32 x 32: no downsampling before the first inception block.
    /// </param>
    public static IReadOnlyList<ImageLayer> GoogLeNet(bool smallImages = false) =>
    [
        .. smallImages ? SmallStem() : Stem(),
        new InceptionLayer(64, 96, 128, 16, 32, 32) { Name = "inception3a" },
        new InceptionLayer(128, 128, 192, 32, 96, 64) { Name = "inception3b" },
        new MaxPoolingLayer(3) { Name = "maxpool3", Stride = 2, CeilMode = true },
        new InceptionLayer(192, 96, 208, 16, 48, 64) { Name = "inception4a" },
        new InceptionLayer(160, 112, 224, 24, 64, 64) { Name = "inception4b" },
        new InceptionLayer(128, 128, 256, 24, 64, 64) { Name = "inception4c" },
        new InceptionLayer(112, 144, 288, 32, 64, 64) { Name = "inception4d" },
        new InceptionLayer(256, 160, 320, 32, 128, 128) { Name = "inception4e" },
        new MaxPoolingLayer(2) { Name = "maxpool4", CeilMode = true },
        new InceptionLayer(256, 160, 320, 32, 128, 128) { Name = "inception5a" },
        new InceptionLayer(384, 192, 384, 48, 128, 128) { Name = "inception5b" },
        new GlobalAveragePoolingLayer { Name = "avgpool" },
        new DropoutLayer(0.2) { Name = "dropout" },
        new DenseLayer { Name = "fc" },
    ];

    private static ImageLayer[] Stem() =>
    [
        InceptionLayer.NormalizedConvolution("conv1", 64, 7, stride: 2, padding: 3),
        new MaxPoolingLayer(3) { Name = "maxpool1", Stride = 2, CeilMode = true },
        InceptionLayer.NormalizedConvolution("conv2", 64, 1),
        InceptionLayer.NormalizedConvolution("conv3", 192, 3, padding: 1),
        new MaxPoolingLayer(3) { Name = "maxpool2", Stride = 2, CeilMode = true },
    ];

    private static ImageLayer[] SmallStem() =>
    [
        InceptionLayer.NormalizedConvolution("conv1", 64, 3, padding: 1),
        InceptionLayer.NormalizedConvolution("conv2", 64, 1),
        InceptionLayer.NormalizedConvolution("conv3", 192, 3, padding: 1),
    ];

    /// <summary>SqueezeNet 1.0. Iandola et al., 2016.</summary>
    /// <param name="smallImages">
    /// False for images of about 224 x 224 pixels; true for about 32 x 32: a 3x3 convolution without stride first, and smaller pooling.
    /// </param>
    public static IReadOnlyList<ImageLayer> SqueezeNet(bool smallImages = false) =>
    [
        new SequenceLayer(
        [
            .. smallImages ? ReluConvolution(96, 3, padding: 1) : ReluConvolution(96, 7, stride: 2),
            SqueezeNetPooling(smallImages),
            new FireLayer(16, 64, 64),
            new FireLayer(16, 64, 64),
            new FireLayer(32, 128, 128),
            SqueezeNetPooling(smallImages),
            new FireLayer(32, 128, 128),
            new FireLayer(48, 192, 192),
            new FireLayer(48, 192, 192),
            new FireLayer(64, 256, 256),
            SqueezeNetPooling(smallImages),
            new FireLayer(64, 256, 256),
        ]) { Name = "features" },
        new SequenceLayer(
        [
            new DropoutLayer(0.5),
            new ConvolutionLayer(null, 1),
            new ActivationLayer(),
            new GlobalAveragePoolingLayer(),
        ]) { Name = "classifier" },
    ];

    private static MaxPoolingLayer SqueezeNetPooling(bool smallImages) =>
        smallImages ? new(2) { CeilMode = true } : new(3) { Stride = 2, CeilMode = true };
}
