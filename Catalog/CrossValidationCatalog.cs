using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Distribution;

namespace MLExtensions;

/// <summary>Adds cross-validation by several processes to ML.NET's catalogs.</summary>
public static class CrossValidationCatalog
{
    /// <param name="catalog">Binary classification.</param>
    extension(BinaryClassificationCatalog catalog)
    {
        /// <summary>Cross-validates a pipeline, with folds that several processes train: fold i on rank i modulo their number.</summary>
        /// <param name="data">The data, the same on all ranks.</param>
        /// <param name="estimator">
        /// The pipeline. Its trainings must not have <see cref="TrainingOptions.Distributed"/> set, and its model must be one that can be saved.
        /// </param>
        /// <param name="distributed">The ranks: <see cref="Distributed.FromEnvironment"/>. In a program of one process it trains all folds.</param>
        /// <param name="numberOfFolds">The number of folds, at least 2. Default 5.</param>
        /// <param name="labelColumnName">The label column.</param>
        /// <param name="samplingKeyColumnName">The column whose equal values stay in one fold. Default null: each row for itself.</param>
        /// <param name="seed">The seed of the division into folds. Default null: that of the context.</param>
        /// <returns>The model and metrics of each fold, the same on all ranks as ML.NET's <c>CrossValidate</c> gives in one process (of networks; trainers that draw random numbers from the context, one fold after the other, draw others here).</returns>
        /// <exception cref="DistributedException">A fold failed on another rank, or another rank has other labels, columns or folds.</exception>
        /// <example>
        /// <code>
        /// var folds = ml.BinaryClassification.CrossValidate(data, pipeline, Distributed.FromEnvironment(), numberOfFolds: 10);
        /// Console.WriteLine(folds.Average(fold =&gt; fold.Metrics.AreaUnderRocCurve));
        /// </code>
        /// </example>
        public IReadOnlyList<TrainCatalogBase.CrossValidationResult<CalibratedBinaryClassificationMetrics>> CrossValidate(
            IDataView data, IEstimator<ITransformer> estimator, Distributed distributed, int numberOfFolds = 5,
            string labelColumnName = DefaultColumnNames.Label, string? samplingKeyColumnName = null, int? seed = null) =>
            FoldTraining.Run(catalog.GetEnvironment(), distributed, data, estimator, numberOfFolds, labelColumnName, samplingKeyColumnName, seed, scores => catalog.Evaluate(scores, labelColumnName));

        /// <inheritdoc cref="CrossValidate(BinaryClassificationCatalog, IDataView, IEstimator{ITransformer}, Distributed, int, string, string?, int?)"/>
        /// <example>
        /// <code>
        /// var folds = ml.BinaryClassification.CrossValidateNonCalibrated(data, pipeline, Distributed.FromEnvironment(), numberOfFolds: 10);
        /// Console.WriteLine(folds.Average(fold =&gt; fold.Metrics.AreaUnderRocCurve));
        /// </code>
        /// </example>
        public IReadOnlyList<TrainCatalogBase.CrossValidationResult<BinaryClassificationMetrics>> CrossValidateNonCalibrated(
            IDataView data, IEstimator<ITransformer> estimator, Distributed distributed, int numberOfFolds = 5,
            string labelColumnName = DefaultColumnNames.Label, string? samplingKeyColumnName = null, int? seed = null) =>
            FoldTraining.Run(catalog.GetEnvironment(), distributed, data, estimator, numberOfFolds, labelColumnName, samplingKeyColumnName, seed, scores => catalog.EvaluateNonCalibrated(scores, labelColumnName));
    }

    /// <param name="catalog">Multiclass classification.</param>
    extension(MulticlassClassificationCatalog catalog)
    {
        /// <inheritdoc cref="CrossValidate(BinaryClassificationCatalog, IDataView, IEstimator{ITransformer}, Distributed, int, string, string?, int?)"/>
        /// <example>
        /// <code>
        /// var folds = ml.MulticlassClassification.CrossValidate(data, pipeline, Distributed.FromEnvironment(), numberOfFolds: 10);
        /// Console.WriteLine(folds.Average(fold =&gt; fold.Metrics.MicroAccuracy));
        /// </code>
        /// </example>
        public IReadOnlyList<TrainCatalogBase.CrossValidationResult<MulticlassClassificationMetrics>> CrossValidate(
            IDataView data, IEstimator<ITransformer> estimator, Distributed distributed, int numberOfFolds = 5,
            string labelColumnName = DefaultColumnNames.Label, string? samplingKeyColumnName = null, int? seed = null) =>
            FoldTraining.Run(catalog.GetEnvironment(), distributed, data, estimator, numberOfFolds, labelColumnName, samplingKeyColumnName, seed, scores => catalog.Evaluate(scores, labelColumnName));
    }

    /// <param name="catalog">Regression.</param>
    extension(RegressionCatalog catalog)
    {
        /// <inheritdoc cref="CrossValidate(BinaryClassificationCatalog, IDataView, IEstimator{ITransformer}, Distributed, int, string, string?, int?)"/>
        /// <example>
        /// <code>
        /// var folds = ml.Regression.CrossValidate(data, pipeline, Distributed.FromEnvironment(), numberOfFolds: 10);
        /// Console.WriteLine(folds.Average(fold =&gt; fold.Metrics.RSquared));
        /// </code>
        /// </example>
        public IReadOnlyList<TrainCatalogBase.CrossValidationResult<RegressionMetrics>> CrossValidate(
            IDataView data, IEstimator<ITransformer> estimator, Distributed distributed, int numberOfFolds = 5,
            string labelColumnName = DefaultColumnNames.Label, string? samplingKeyColumnName = null, int? seed = null) =>
            FoldTraining.Run(catalog.GetEnvironment(), distributed, data, estimator, numberOfFolds, labelColumnName, samplingKeyColumnName, seed, scores => catalog.Evaluate(scores, labelColumnName));
    }
}
