namespace MLExtensions;

public static partial class CnnLayers
{
    /// <summary>AlexNet in torchvision's form, with one path instead of two. Krizhevsky, Sutskever and Hinton, 2012; Krizhevsky, 2014.</summary>
    /// <param name="smallImages">False for images of about 224 x 224 pixels; true for about 32 x 32: smaller windows and 1,024 hidden units.</param>
    public static IReadOnlyList<NetworkLayer> AlexNet(bool smallImages = false)
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
}
