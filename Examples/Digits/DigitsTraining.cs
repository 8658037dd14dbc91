using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Digits;

/// <summary>A trained pipeline and how it does on the images that it has not seen.</summary>
internal sealed record DigitsTraining(MLContext MLContext, TransformerChain<KeyToValueMappingTransformer> Model, IDataView TestSet, MulticlassClassificationMetrics Metrics)
{
    /// <param name="seed">Decides how the data is split, how the weights start and how the batches are shuffled.</param>
    /// <param name="tensorBoardFolder">Where to write events for TensorBoard, or null.</param>
    /// <param name="cancellationToken">Stops the training.</param>
    public static DigitsTraining Run(int seed, string? tensorBoardFolder, CancellationToken cancellationToken)
    {
        var mlContext = new MLContext(seed);
        var data = mlContext.Data.LoadFromTextFile<DigitImage>(ShippedData.PathOf("digits.csv"), separatorChar: ',', hasHeader: true);
        var split = mlContext.Data.TrainTestSplit(data, testFraction: 0.2);

        // Everything else stays at its default: one hidden layer of 128 ReLU units, Adam, 50 epochs, batches of 64.
        var options = new MlpMulticlassTrainer.Options
        {
            TensorBoardFolder = tensorBoardFolder,
            Progress = new ConsoleProgress($"Training with seed {seed}"),
            CancellationToken = cancellationToken,
        };

        // A network numbers its classes, so labels become keys; it learns fastest from features of mean 0 and variance 1.
        var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
            .Append(mlContext.Transforms.NormalizeMeanVariance("Features", fixZero: false))
            .Append(mlContext.MulticlassClassification.Trainers.Mlp(options))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        var model = pipeline.Fit(split.TrainSet);

        var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(split.TestSet));
        return new DigitsTraining(mlContext, model, split.TestSet, metrics);
    }
}
