namespace MLExtensions;

public static partial class CnnLayers
{
    /// <summary>
    /// GoogLeNet with batch normalisation, as torchvision has it, without the auxiliary classifiers that the paper used in training.
    /// Szegedy et al., 2015.
    /// </summary>
    /// <param name="smallImages">False for images of about 224 x 224 pixels; true for about 32 x 32: no halving before the first inception block.</param>
    public static IReadOnlyList<NetworkLayer> GoogLeNet(bool smallImages = false) =>
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

    private static NetworkLayer[] Stem() =>
    [
        InceptionLayer.NormalizedConvolution("conv1", 64, 7, stride: 2, padding: 3),
        new MaxPoolingLayer(3) { Name = "maxpool1", Stride = 2, CeilMode = true },
        InceptionLayer.NormalizedConvolution("conv2", 64, 1),
        InceptionLayer.NormalizedConvolution("conv3", 192, 3, padding: 1),
        new MaxPoolingLayer(3) { Name = "maxpool2", Stride = 2, CeilMode = true },
    ];

    private static NetworkLayer[] SmallStem() =>
    [
        InceptionLayer.NormalizedConvolution("conv1", 64, 3, padding: 1),
        InceptionLayer.NormalizedConvolution("conv2", 64, 1),
        InceptionLayer.NormalizedConvolution("conv3", 192, 3, padding: 1),
    ];
}
