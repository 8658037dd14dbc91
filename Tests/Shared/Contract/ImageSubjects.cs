using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>The families that look at images. Each third of the features is a channel.</summary>
internal static class ImageSubjects
{
    public static Subject[] Cnn =>
    [
        new CnnSubject<BinaryNetworkTransformer>("CnnBinary", ContractTask.Binary, () => new CnnBinaryTrainer.Options(), (ml, o) => ml.BinaryClassification.Trainers.Cnn((CnnBinaryTrainer.Options)o)),
        new CnnSubject<MulticlassNetworkTransformer>("CnnMulticlass", ContractTask.Multiclass, () => new CnnMulticlassTrainer.Options(), (ml, o) => ml.MulticlassClassification.Trainers.Cnn((CnnMulticlassTrainer.Options)o)),
        new CnnSubject<RegressionNetworkTransformer>("CnnRegression", ContractTask.Regression, () => new CnnRegressionTrainer.Options(), (ml, o) => ml.Regression.Trainers.Cnn((CnnRegressionTrainer.Options)o)),
    ];

    public static Subject[] ResNet =>
    [
        new ResNetSubject<BinaryNetworkTransformer>("ResNetBinary", ContractTask.Binary, () => new ResNetBinaryTrainer.Options(), (ml, o) => ml.BinaryClassification.Trainers.ResNet((ResNetBinaryTrainer.Options)o)),
        new ResNetSubject<MulticlassNetworkTransformer>("ResNetMulticlass", ContractTask.Multiclass, () => new ResNetMulticlassTrainer.Options(), (ml, o) => ml.MulticlassClassification.Trainers.ResNet((ResNetMulticlassTrainer.Options)o)),
        new ResNetSubject<RegressionNetworkTransformer>("ResNetRegression", ContractTask.Regression, () => new ResNetRegressionTrainer.Options(), (ml, o) => ml.Regression.Trainers.ResNet((ResNetRegressionTrainer.Options)o)),
    ];
}

/// <summary>A trainer of square images of three channels.</summary>
internal abstract class ImageSubject<TTransformer>(string name, ContractTask task, int side, Func<ImageOptions> createOptions, Func<MLContext, SupervisedTrainerOptions, IEstimator<NetworkTransformer>> createTrainer)
    : Subject<TTransformer>(name, task)
    where TTransformer : NetworkTransformer
{
    public override int FeatureCount => 3 * side * side;

    public override bool TakesOneFeature => false;

    public override IEstimator<NetworkTransformer> CreateTrainer(MLContext ml, SupervisedTrainerOptions options) => createTrainer(ml, options);

    protected override SupervisedTrainerOptions CreateOptions()
    {
        var options = createOptions();
        options.ImageShape = new ImageShape(3, side, side);
        options.Epochs = 15;
        options.BatchSize = 32;
        options.LearningRate = 0.02;
        return options;
    }
}

internal sealed class CnnSubject<TTransformer>(string name, ContractTask task, Func<CnnOptions> createOptions, Func<MLContext, SupervisedTrainerOptions, IEstimator<NetworkTransformer>> createTrainer)
    : ImageSubject<TTransformer>(name, task, 4, createOptions, createTrainer)
    where TTransformer : NetworkTransformer
{
    public override int ChangeArchitecture(DataTrainingOptions options)
    {
        ((CnnOptions)options).Layers = [new ConvolutionLayer(7, 3), new DenseLayer()];
        return FeatureCount;
    }

    protected override SupervisedTrainerOptions CreateOptions()
    {
        var options = (CnnOptions)base.CreateOptions();
        options.Layers =
        [
            new ConvolutionLayer(8, 3) { Padding = 1 },
            new ActivationLayer(),
            new AveragePoolingLayer(2),
            new DenseLayer(),
        ];
        return options;
    }

    protected override void AddNoise(DataTrainingOptions options)
    {
        var cnn = (CnnOptions)options;
        cnn.Layers =
        [
            new ConvolutionLayer(12, 3) { Padding = 1, Bias = false },
            new BatchNormalizationLayer(),
            new ActivationLayer(),
            new AveragePoolingLayer(2),
            new DropoutLayer(0.1),
            new DenseLayer(),
        ];
        cnn.Augmentations = Task == ContractTask.Multiclass
            ? [ImageAugmentation.Crop(1), ImageAugmentation.Flip(), ImageAugmentation.Mixup()]
            : [ImageAugmentation.Crop(1), ImageAugmentation.Flip()];
    }
}

/// <summary>The last stage of the network sees 2 x 2 pixels, so that batch statistics can be taken from one row.</summary>
internal sealed class ResNetSubject<TTransformer>(string name, ContractTask task, Func<ResNetOptions> createOptions, Func<MLContext, SupervisedTrainerOptions, IEstimator<NetworkTransformer>> createTrainer)
    : ImageSubject<TTransformer>(name, task, 5, createOptions, createTrainer)
    where TTransformer : NetworkTransformer
{
    public override bool HasBatchStatistics => true;

    public override double Floor => Task == ContractTask.Regression ? 0.7 : base.Floor;

    public override double NoisyFloor => Task == ContractTask.Regression ? 0.6 : base.NoisyFloor;

    public override double FullBatchRate => 0.03;

    public override int ChangeArchitecture(DataTrainingOptions options)
    {
        ((ResNetOptions)options).BaseChannels = 5;
        return FeatureCount;
    }

    protected override SupervisedTrainerOptions CreateOptions()
    {
        var options = (ResNetOptions)base.CreateOptions();
        options.Depth = 8;
        options.BaseChannels = 8;
        return options;
    }

    protected override void AddNoise(DataTrainingOptions options) => ((ResNetOptions)options).Augmentations =
        [ImageAugmentation.Crop(1), ImageAugmentation.Flip(), ImageAugmentation.Cutout(1)];
}
