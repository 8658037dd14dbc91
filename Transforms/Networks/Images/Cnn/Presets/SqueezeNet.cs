namespace MLExtensions;

public static partial class CnnLayers
{
    /// <summary>SqueezeNet 1.0. Iandola et al., 2016.</summary>
    /// <param name="smallImages">False for images of about 224 x 224 pixels; true for about 32 x 32: a 3x3 convolution without stride first, and smaller pooling.</param>
    public static IReadOnlyList<NetworkLayer> SqueezeNet(bool smallImages = false) =>
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
