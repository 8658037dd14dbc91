using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Trainers;
using Microsoft.ML.Transforms;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Boltzmann;

/// <summary>One split of the nudged digits: an RBM, and a linear classifier on its hidden units and on the pixels.</summary>
/// <param name="Rbm">The RBM, trained on the pixels without labels.</param>
/// <param name="HiddenAccuracy">The test accuracy on the hidden units' probabilities.</param>
/// <param name="PixelAccuracy">The test accuracy on the pixels.</param>
/// <param name="PseudoLogLikelihood">Mean over the test images, in nats.</param>
/// <param name="Seconds">How long the RBM was trained, in seconds.</param>
internal sealed record RbmDigitsTraining(RbmTransformer Rbm, double HiddenAccuracy, double PixelAccuracy, double PseudoLogLikelihood, double Seconds)
{
    private const string Pixels = "Features";
    private const string Hidden = "Hidden";

    // scikit-learn's C is the inverse of the L2 regularization: both sum the loss over rows.
    private const float HiddenC = 6000;
    private const float PixelC = 100;

    public static RbmDigitsTraining Run(int seed, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(seed);
        var split = mlContext.Data.TrainTestSplit(NudgedDigits.Load(mlContext), testFraction: 0.2, seed: seed);
        var preparation = mlContext.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
            .Append(mlContext.Transforms.NormalizeMinMax(Pixels))
            .Fit(split.TrainSet);
        // Transformers compute again whenever they are read; a cache keeps their results.
        var trainSet = mlContext.Data.Cache(preparation.Transform(split.TrainSet));
        var testSet = mlContext.Data.Cache(preparation.Transform(split.TestSet));

        var watch = Stopwatch.StartNew();
        var rbm = mlContext.Transforms.Rbm(new RbmEstimator.Options
        {
            InputColumnName = Pixels,
            OutputColumnName = Hidden,
            HiddenLayers = [100],
            PersistentChains = 10,
            BatchSize = 10,
            LearningRate = 0.06,
            Epochs = 10,
            Progress = new ConsoleProgress($"64-100, persistent CD, seed {seed}"),
            CancellationToken = cancellationToken,
        }).Fit(trainSet);
        var seconds = watch.Elapsed.TotalSeconds;

        var hiddenAccuracy = Classify(mlContext, mlContext.Data.Cache(rbm.Transform(trainSet)), rbm.Transform(testSet), Hidden, HiddenC);
        cancellationToken.ThrowIfCancellationRequested();
        var pixelAccuracy = Classify(mlContext, trainSet, testSet, Pixels, PixelC);
        return new RbmDigitsTraining(rbm, hiddenAccuracy, pixelAccuracy, rbm.PseudoLogLikelihood(testSet, seed), seconds);
    }

    private static double Classify(MLContext mlContext, IDataView trainSet, IDataView testSet, string column, float c)
    {
        var trainer = mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options
        {
            FeatureColumnName = column,
            L1Regularization = 0,
            L2Regularization = 1 / c,
            OptimizationTolerance = 1e-7f,
            HistorySize = 50,
            NumberOfThreads = 1, // the same sums in the same order every time
        });
        return mlContext.MulticlassClassification.Evaluate(trainer.Fit(trainSet).Transform(testSet)).MicroAccuracy;
    }
}
