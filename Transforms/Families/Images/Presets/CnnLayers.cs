namespace MLExtensions;

/// <summary>
/// The layers of well-known convolutional networks, for <see cref="CnnArchitecture"/> and the options of the Cnn trainers. The task
/// determines the number of units of the last layer. Parameter names and counts are those of torchvision if it has the network.
/// </summary>
public static partial class CnnLayers
{
    /// <summary>
    /// A small network to start with: two stages of 3x3 convolutions with batch normalization and pooling, then 128 hidden units with
    /// dropout. For images of at least 4 x 4 pixels.
    /// </summary>
    public static IReadOnlyList<ImageLayer> Default() =>
    [
        .. NormalizedConvolution(32),
        new MaxPoolingLayer(2),
        .. NormalizedConvolution(64),
        new MaxPoolingLayer(2),
        new DenseLayer(128),
        new ActivationLayer(),
        new DropoutLayer(0.5),
        new DenseLayer(),
    ];

    /// <summary>
    /// The network of PyTorch's MNIST example: 3x3 convolutions of 32 and 64 filters, pooling, 128 hidden units, dropout of 0.25 and 0.5.
    /// </summary>
    public static IReadOnlyList<ImageLayer> MnistExample() =>
    [
        new ConvolutionLayer(32, 3) { Name = "conv1" },
        new ActivationLayer(),
        new ConvolutionLayer(64, 3) { Name = "conv2" },
        new ActivationLayer(),
        new MaxPoolingLayer(2),
        new DropoutLayer(0.25),
        new DenseLayer(128) { Name = "fc1" },
        new ActivationLayer(),
        new DropoutLayer(0.5),
        new DenseLayer { Name = "fc2" },
    ];

    /// <summary>
    /// LeNet-5, with full connections between its second and third stage, tanh and a softmax output; for 28 x 28 or 32 x 32 pixels. LeCun,
    /// Bottou, Bengio and Haffner, 1998.
    /// </summary>
    /// <param name="padding">The padding of the first convolution: 2 for 28 x 28 pixels, 0 for 32 x 32.</param>
    public static IReadOnlyList<ImageLayer> LeNet5(int padding = 2) =>
    [
        new ConvolutionLayer(6, 5) { Name = "c1", Padding = padding },
        new ActivationLayer(Activation.Tanh),
        new AveragePoolingLayer(2) { Name = "s2" },
        new ConvolutionLayer(16, 5) { Name = "c3" },
        new ActivationLayer(Activation.Tanh),
        new AveragePoolingLayer(2) { Name = "s4" },
        new ConvolutionLayer(120, 5) { Name = "c5" },
        new ActivationLayer(Activation.Tanh),
        new DenseLayer(84) { Name = "f6" },
        new ActivationLayer(Activation.Tanh),
        new DenseLayer { Name = "output" },
    ];

    /// <summary>
    /// The network of TensorFlow's CIFAR-10 tutorial, for crops of 24 x 24 pixels: two 5x5 convolutions of 64 filters with pooling and
    /// local response normalization, then 384 and 192 hidden units.
    /// </summary>
    public static IReadOnlyList<ImageLayer> Cifar10Tutorial() =>
    [
        new ConvolutionLayer(64, 5) { Name = "conv1", Padding = 2 },
        new ActivationLayer(),
        new MaxPoolingLayer(3) { Name = "pool1", Stride = 2, CeilMode = true },
        TutorialNormalization("norm1"),
        new ConvolutionLayer(64, 5) { Name = "conv2", Padding = 2 },
        new ActivationLayer(),
        TutorialNormalization("norm2"),
        new MaxPoolingLayer(3) { Name = "pool2", Stride = 2, CeilMode = true },
        new DenseLayer(384) { Name = "local3" },
        new ActivationLayer(),
        new DenseLayer(192) { Name = "local4" },
        new ActivationLayer(),
        new DenseLayer { Name = "softmax_linear" },
    ];

    /// <summary>TensorFlow sums squares over 4 neighbors on both sides with alpha 0.001 / 9; torch itself divides by 9.</summary>
    private static LocalResponseNormalizationLayer TutorialNormalization(string name) => new(9) { Name = name, Alpha = 0.001, Beta = 0.75, K = 1 };

    private static ImageLayer[] NormalizedConvolution(int filters) =>
    [
        new ConvolutionLayer(filters, 3) { Padding = 1, Bias = false },
        new BatchNormalizationLayer(),
        new ActivationLayer(),
    ];

    private static ImageLayer[] ReluConvolution(int filters, int kernelSize, int stride = 1, int padding = 0) =>
    [
        new ConvolutionLayer(filters, kernelSize) { Stride = stride, Padding = padding },
        new ActivationLayer(),
    ];
}
