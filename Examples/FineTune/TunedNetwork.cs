using System.Diagnostics;
using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.FineTune;

/// <summary>
/// The thorough way: the network is trained further from its pretrained weights. The lower layers are frozen (edges and
/// textures are the same everywhere), the upper ones learn slowly, and the new output layer learns fast.
/// </summary>
internal sealed class TunedNetwork(MLContext mlContext, string weights, OutputFolder output)
{
    public const string FileName = "tuned.zip";
    private const int CropPadding = 12;
    private const double TestFraction = 0.2;

    public MethodResult Run(string folder, int side, int epochs, ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var pictures = mlContext.Data.LoadFromImageFolder(folder, side, side);
        var split = mlContext.Data.TrainTestSplit(pictures, TestFraction);
        var options = new CnnMulticlassTrainer.Options
        {
            FeatureColumnName = "Image",
            Layers = CnnLayers.SqueezeNet(),
            PixelScaling = PixelScaling.ImageNet,
            InitialWeightsPath = weights,
            FrozenLayers = ["features.0", "features.3", "features.4", "features.5"],
            LayerRules = [new LayerRule("features") { LearningRateFactor = 0.1 }],
            Augmentations = [ImageAugmentation.Crop(padding: CropPadding), ImageAugmentation.Flip()],
            Optimizer = new AdamWOptimizer(),
            LearningRate = 2e-3,
            LearningRateSchedule = LearningRateSchedule.Cosine(),
            BatchSize = 16,
            Epochs = epochs,
            ThreadCount = arguments.OptionalInteger(ExampleOption.Threads, least: 1),
        };
        output.KeepEpochs(options, "tuned", arguments);
        var training = new NetworkTraining("fine-tuning SqueezeNet", FileName, options);
        using var model = (IDisposable)training.Fit(mlContext, split.TrainSet, cancellationToken);
        var minutes = watch.Elapsed.TotalMinutes;
        var metrics = mlContext.MulticlassClassification.Evaluate(((ITransformer)model).Transform(split.TestSet));
        mlContext.Model.Save((ITransformer)model, pictures.Schema, output.PathOf(FileName));
        return new MethodResult("tuned", $"fine-tuned, {side} x {side} pixels, {epochs} epochs", $"{TestFraction:P0} left out", metrics.MicroAccuracy, minutes);
    }
}
