using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Mnist;

/// <summary>The convolutional networks that the example mnist-cnn can train.</summary>
internal static class MnistConvolutions
{
    public const string Simple = "simple";
    public const string LeNet5 = "lenet5";
    public const string Best = "best";
    public const string Small = "small";

    private static readonly ImageShape Shape = new(1, MnistData.Side, MnistData.Side);

    /// <summary>The mean and deviation of the training pixels.</summary>
    private static readonly PixelScaling Standardized = new() { Mean = [0.1307], StandardDeviation = [0.3081] };

    public static IReadOnlyList<string> Names => [Simple, LeNet5, Best, Small];

    public static IReadOnlyList<NetworkTraining> Create(string model) => model switch
    {
        Simple => [new("32-64 convolutions, dropout (PyTorch's example)", Simple, CreateSimple())],
        LeNet5 => [new("LeNet-5", LeNet5, CreateLeNet5())],
        Best => [new("32-32-64-64 convolutions, batch normalization, distortions", Best, CreateBest())],
        Small => [new("8-16 convolutions, distortions, for the handwriting pad's tests", Small, CreateSmall())],
        _ => throw new ArgumentOutOfRangeException(nameof(model), model, "No such network."),
    };

    private static CnnMulticlassTrainer.Options CreateSimple() => new()
    {
        ImageShape = Shape,
        PixelScaling = Standardized,
        Layers = CnnLayers.MnistExample(),
        Optimizer = new SgdOptimizer { Momentum = 0.9, Nesterov = true },
        LearningRate = 0.05,
        LearningRateSchedule = LearningRateSchedule.OneCycle(),
        BatchSize = 64,
        Epochs = 3,
    };

    private static CnnMulticlassTrainer.Options CreateLeNet5() => new()
    {
        ImageShape = Shape,
        PixelScaling = Standardized,
        Layers = CnnLayers.LeNet5(),
        Initialization = WeightInitialization.XavierUniform,
        LearningRateSchedule = LearningRateSchedule.Cosine(),
        BatchSize = 64,
        Epochs = 10,
    };

    /// <summary>
    /// Each image is rotated, scaled, shifted and bent at random every time it is used (Simard, Steinkraus and Platt, 2003), so the network cannot
    /// memorize images; one rise and fall of the learning rate does the rest.
    /// </summary>
    private static CnnMulticlassTrainer.Options CreateBest() => new()
    {
        ImageShape = Shape,
        PixelScaling = Standardized,
        Layers =
        [
            .. Convolution(32),
            .. Convolution(32),
            new MaxPoolingLayer(2),
            .. Convolution(64),
            .. Convolution(64),
            new MaxPoolingLayer(2),
            new DenseLayer(256) { Bias = false },
            new BatchNormalizationLayer(),
            new ActivationLayer(),
            new DropoutLayer(0.3),
            new DenseLayer(),
        ],
        Augmentations =
        [
            ImageAugmentation.Rotation(10),
            ImageAugmentation.Affine(0.9, 1.1, maximumShift: 0.08),
            ImageAugmentation.Elastic(alpha: 12) with { Probability = 0.5 },
        ],
        Optimizer = new AdamWOptimizer(),
        WeightDecay = 0.01,
        LearningRate = 0.004,
        LearningRateSchedule = LearningRateSchedule.OneCycle(),
        BatchSize = 128,
        Epochs = 20,
    };

    /// <summary>A file of 40 kB for tests.</summary>
    private static CnnMulticlassTrainer.Options CreateSmall() => new()
    {
        ImageShape = Shape,
        PixelScaling = Standardized,
        Layers =
        [
            .. Convolution(8),
            new MaxPoolingLayer(2),
            .. Convolution(16),
            new MaxPoolingLayer(2),
            new DenseLayer(),
        ],
        Augmentations = [ImageAugmentation.Rotation(10), ImageAugmentation.Affine(0.9, 1.1, maximumShift: 0.04)],
        LearningRate = 0.01,
        LearningRateSchedule = LearningRateSchedule.OneCycle(),
        BatchSize = 128,
        Epochs = 8,
    };

    private static ImageLayer[] Convolution(int filters) =>
        [new ConvolutionLayer(filters, 3) { Bias = false }, new BatchNormalizationLayer(), new ActivationLayer()];
}
