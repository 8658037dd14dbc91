using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Tabular;

/// <summary>Is a tumor malignant (the positive class) or benign? 569 patients, 30 measurements of the cell nuclei.</summary>
internal static class BreastCancer
{
    private static readonly KeyValuePair<string, bool>[] IsMalignant = [new("malignant", true), new("benign", false)];

    /// <summary>Prints a table; returns each trainer's mean area under the ROC curve.</summary>
    public static IReadOnlyList<(string Trainer, double AreaUnderCurve)> Compare(int seedCount, CancellationToken cancellationToken)
    {
        var comparison = new Comparison<CalibratedBinaryClassificationMetrics>(
            "Breast cancer: malignant or benign",
            ("AUC", metrics => metrics.AreaUnderRocCurve),
            ("accuracy", metrics => metrics.Accuracy),
            ("F1", metrics => metrics.F1Score),
            ("log-loss", metrics => metrics.LogLoss));
        for (var seed = 1; seed <= seedCount; seed++)
        {
            var mlContext = new MLContext(seed);
            var data = Load(mlContext);
            foreach (var (name, trainer) in Trainers(mlContext, cancellationToken))
            {
                // Features of zero mean and unit variance; within each fold, only its training rows are measured for that.
                var pipeline = mlContext.Transforms.Conversion.MapValue("Label", IsMalignant, "Class")
                    .Append(mlContext.Transforms.NormalizeMeanVariance("Features", fixZero: false))
                    .Append(trainer);
                comparison.Run(name, () => mlContext.BinaryClassification.CrossValidate(data, pipeline, numberOfFolds: 5));
            }
        }
        return comparison.Print();
    }

    private static IDataView Load(MLContext mlContext) => mlContext.Data.LoadFromTextFile(
        ShippedData.PathOf("breast_cancer.csv"),
        [new TextLoader.Column("Class", DataKind.String, 1), new TextLoader.Column("Features", DataKind.Single, 2, 31)],
        separatorChar: ',',
        hasHeader: true);

    private static IEnumerable<(string Name, IEstimator<ITransformer> Trainer)> Trainers(MLContext mlContext, CancellationToken cancellationToken)
    {
        var trainers = mlContext.BinaryClassification.Trainers;
        yield return ("MLP", trainers.Mlp(new MlpBinaryTrainer.Options
        {
            // Few rows, many features: pulling the weights toward zero helps more than more layers.
            HiddenLayers = [32],
            L2Regularization = 0.01,
            Epochs = 60,
            BatchSize = 32,
            CancellationToken = cancellationToken,
        }));
        yield return ("SDCA", trainers.SdcaLogisticRegression(l2Regularization: 0.01f));
        yield return ("FastTree", trainers.FastTree());
        yield return ("LightGBM", trainers.LightGbm());
    }
}
