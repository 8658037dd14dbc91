using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;
using MLExtensions.Examples.Mnist;

namespace MLExtensions.Examples.Gan;

/// <summary>
/// A convolutional network that recognizes MNIST's digits and judges generated ones: what it sees in them, and how its features are
/// distributed. It is trained once and kept.
/// </summary>
internal static class DigitJudge
{
    public const string FeatureColumn = "JudgeFeatures";
    private const string LastHiddenLayer = "hidden";
    private const string WeightsFile = "judge.safetensors";
    private const int Epochs = 12;

    /// <summary>The trained judge, from its file or from a training of about ten minutes.</summary>
    public static ITransformer Open(MLContext mlContext, IDataView trainSet, CancellationToken cancellationToken)
    {
        var output = new OutputFolder("gan-judge");
        var path = output.PathOf("judge.zip");
        if (!File.Exists(path))
        {
            var options = CreateOptions();
            (options.Progress, options.CancellationToken) = (new ConsoleProgress("Judge: a CNN on MNIST, trained once"), cancellationToken);
            using var model = mlContext.MulticlassClassification.Trainers.Cnn(options).Fit(trainSet);
            mlContext.Model.Save(model, trainSet.Schema, path);
        }
        var judge = ModelFile.Load(mlContext, path);
        if (!File.Exists(output.PathOf(WeightsFile)))
            judge.Network().SaveWeights(output.PathOf(WeightsFile));
        return judge;
    }

    /// <summary>Adds the outputs of the judge's last hidden layer.</summary>
    public static ImageFeaturesTransformer OpenFeatures(MLContext mlContext, ITransformer judge, IDataView data) =>
        mlContext.Transforms.ImageFeatures(new ImageFeaturesEstimator.Options
        {
            OutputColumnName = FeatureColumn,
            InputColumnName = "Features",
            WeightsPath = new OutputFolder("gan-judge").PathOf(WeightsFile),
            Architecture = (CnnArchitecture)judge.Network().Architecture,
            Layer = LastHiddenLayer,
        }).Fit(data);

    /// <summary>A smaller network of the same kind, to be trained on generated digits.</summary>
    public static CnnMulticlassTrainer CreatePupil(MLContext mlContext, CancellationToken cancellationToken)
    {
        var options = CreateOptions();
        (options.Epochs, options.Augmentations) = (3, []);
        (options.Progress, options.CancellationToken) = (new ConsoleProgress("A classifier on generated digits"), cancellationToken);
        return mlContext.MulticlassClassification.Trainers.Cnn(options);
    }

    private static CnnMulticlassTrainer.Options CreateOptions() => new()
    {
        ImageShape = new ImageShape(1, MnistData.Side, MnistData.Side),
        Layers =
        [
            .. Convolution(32),
            .. Convolution(32),
            new MaxPoolingLayer(2),
            .. Convolution(64),
            new MaxPoolingLayer(2),
            new DenseLayer(128),
            new ActivationLayer { Name = LastHiddenLayer },
            new DropoutLayer(0.3),
            new DenseLayer(),
        ],
        Augmentations = [ImageAugmentation.Affine(0.95, 1.05, maximumShift: 0.08)],
        LearningRate = 2e-3,
        LearningRateSchedule = LearningRateSchedule.OneCycle(),
        BatchSize = 100,
        Epochs = Epochs,
        Seed = 77,
    };

    private static ImageLayer[] Convolution(int filters) =>
        [new ConvolutionLayer(filters, 3) { Padding = 1, Bias = false }, new BatchNormalizationLayer(), new ActivationLayer()];
}
