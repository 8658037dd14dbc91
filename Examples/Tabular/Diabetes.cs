using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Tabular;

/// <summary>How far has diabetes progressed after a year? 442 patients, 10 measurements at the start, a score from 25 to 346.</summary>
internal static class Diabetes
{
    /// <summary>Prints a table; returns each trainer's mean coefficient of determination, R².</summary>
    public static IReadOnlyList<(string Trainer, double RSquared)> Compare(int seedCount, CancellationToken cancellationToken)
    {
        var comparison = new Comparison<RegressionMetrics>(
            "Diabetes: progression after a year",
            ("R²", metrics => metrics.RSquared),
            ("RMSE", metrics => metrics.RootMeanSquaredError),
            ("mean absolute error", metrics => metrics.MeanAbsoluteError));
        for (var seed = 1; seed <= seedCount; seed++)
        {
            var mlContext = new MLContext(seed);
            var data = Load(mlContext);
            foreach (var (name, trainer) in Trainers(mlContext, cancellationToken))
            {
                var pipeline = mlContext.Transforms.NormalizeMeanVariance("Features", fixZero: false).Append(trainer);
                comparison.Run(name, () => mlContext.Regression.CrossValidate(data, pipeline, numberOfFolds: 5));
            }
        }
        return comparison.Print();
    }

    private static IDataView Load(MLContext mlContext) => mlContext.Data.LoadFromTextFile(
        ShippedData.PathOf("diabetes.csv"),
        [new TextLoader.Column("Label", DataKind.Single, 0), new TextLoader.Column("Features", DataKind.Single, 1, 10)],
        separatorChar: ',',
        hasHeader: true);

    private static IEnumerable<(string Name, IEstimator<ITransformer> Trainer)> Trainers(MLContext mlContext, CancellationToken cancellationToken)
    {
        var trainers = mlContext.Regression.Trainers;
        yield return ("MLP", trainers.Mlp(new MlpRegressionTrainer.Options
        {
            // The network standardizes the label as well; predictions come back on its own scale.
            HiddenLayers = [32],
            L2Regularization = 0.1,
            Epochs = 40,
            BatchSize = 32,
            CancellationToken = cancellationToken,
        }));
        yield return ("SDCA", trainers.Sdca());
        yield return ("FastTree", trainers.FastTree());
        yield return ("LightGBM", trainers.LightGbm());
    }
}
