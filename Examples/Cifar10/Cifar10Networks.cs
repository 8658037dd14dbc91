using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Cifar10;

/// <summary>The networks that the CIFAR-10 examples train.</summary>
internal static class Cifar10Networks
{
    public const string Tutorial = "tutorial";
    public const string ResNet20 = "resnet20";
    public const string Plain20 = "plain20";

    private const int TutorialCrop = 24;

    public static NetworkTraining Create(string model) => model switch
    {
        Tutorial => new("the tutorial's network", Tutorial, CreateTutorial()),
        ResNet20 => new("ResNet-20", ResNet20, CreateResNet(20, shortcuts: true)),
        Plain20 => new("plain-20", Plain20, CreateResNet(20, shortcuts: false)),
        _ => throw new ArgumentOutOfRangeException(nameof(model), model, "No such network."),
    };

    /// <summary>
    /// The tutorial trains for 1,000,000 steps of 128 images (2,560 epochs) and lowers the learning rate every 350 epochs; here it
    /// steps down once, after three quarters of the epochs.
    /// </summary>
    private static CnnMulticlassTrainer.Options CreateTutorial() => new()
    {
        Layers = CnnLayers.Cifar10Tutorial(),
        CropSize = TutorialCrop,
        PixelScaling = PixelScaling.PerImageStandardization,
        Augmentations = ImageAugmentation.DistortedInputs(TutorialCrop),
        Initialization = WeightInitialization.TruncatedNormal,
        Optimizer = new SgdOptimizer(),
        LearningRate = 0.1,
        LearningRateSchedule = LearningRateSchedule.Exponential(0.1, decayEpochs: 6, staircase: true),
        GradientClipNorm = 5, // one bad batch at this rate ends an untrained network
        LayerRules = [new LayerRule("local3") { L2Regularization = 0.004 }, new LayerRule("local4") { L2Regularization = 0.004 }],
        EmaDecay = 0.9999,
        BatchSize = 128,
        Epochs = 8,
    };

    /// <summary>
    /// He, Zhang, Ren and Sun (2016) train 164 epochs and step the learning rate down; one rise and fall of it gets the most out of few
    /// epochs.
    /// </summary>
    public static ResNetMulticlassTrainer.Options CreateResNet(int depth, bool shortcuts, int? baseChannels = null) => new()
    {
        Depth = depth,
        BaseChannels = baseChannels,
        Shortcuts = shortcuts,
        PixelScaling = PixelScaling.ImageNet,
        Augmentations = [ImageAugmentation.Crop(padding: 4), ImageAugmentation.Flip()],
        Optimizer = new SgdOptimizer { Momentum = 0.9, Nesterov = true },
        L2Regularization = 5e-4,
        LearningRate = 0.2,
        LearningRateSchedule = LearningRateSchedule.OneCycle(),
        BatchSize = 128,
        Epochs = 10,
    };
}
