using Microsoft.ML.Data;
using BinaryTrainers = Microsoft.ML.BinaryClassificationCatalog.BinaryClassificationTrainers;
using MulticlassTrainers = Microsoft.ML.MulticlassClassificationCatalog.MulticlassClassificationTrainers;
using RegressionTrainers = Microsoft.ML.RegressionCatalog.RegressionTrainers;

namespace MLExtensions;

/// <summary>Adds multilayer perceptrons to ML.NET's catalogs.</summary>
public static class MlpCatalog
{
    /// <param name="catalog">The binary classification trainers.</param>
    extension(BinaryTrainers catalog)
    {
        /// <summary>Trains a multilayer perceptron for binary classification.</summary>
        /// <param name="labelColumnName">The label column, a <c>Boolean</c>.</param>
        /// <param name="featureColumnName">The features: a <c>Vector&lt;Single&gt;</c> of known size, or a <c>Single</c>.</param>
        /// <param name="hiddenLayers">
        /// The number of units of each hidden layer. Null: one layer of 256. Empty: logistic or linear regression.
        /// </param>
        /// <param name="epochs">The number of passes over the training data. Default 50.</param>
        /// <param name="batchSize">The number of examples per training step. Default 32.</param>
        /// <param name="learningRate">The learning rate of the Adam optimizer. Default 0.001.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.NormalizeMeanVariance("Features")
        ///     .Append(ml.BinaryClassification.Trainers.Mlp(hiddenLayers: [64, 64], epochs: 20));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.BinaryClassification.Evaluate(model.Transform(test)).AreaUnderRocCurve);
        /// </code>
        /// </example>
        public MlpBinaryTrainer Mlp(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            int[]? hiddenLayers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Mlp(ShortOverload.Fill(new MlpBinaryTrainer.Options(), labelColumnName, featureColumnName, hiddenLayers, epochs, batchSize, learningRate));

        /// <summary>Trains a multilayer perceptron, with all of its options.</summary>
        /// <param name="options">The options. The trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.NormalizeMeanVariance("Features")
        ///     .Append(ml.BinaryClassification.Trainers.Mlp(new MlpBinaryTrainer.Options
        ///     {
        ///         HiddenLayers = [64, 64],
        ///         Activation = Activation.GELU,
        ///         ValidationFraction = 0.1,
        ///         EarlyStopping = new EarlyStopping(),
        ///     }));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.BinaryClassification.Evaluate(model.Transform(test)).AreaUnderRocCurve);
        /// </code>
        /// </example>
        public MlpBinaryTrainer Mlp(MlpBinaryTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The multiclass classification trainers.</param>
    extension(MulticlassTrainers catalog)
    {
        /// <summary>Trains a multilayer perceptron for multiclass classification.</summary>
        /// <param name="labelColumnName">The label column, a key.</param>
        /// <inheritdoc cref="Mlp(BinaryTrainers, string, string, int[], int, int, double)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.NormalizeMeanVariance("Features")
        ///     .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
        ///     .Append(ml.MulticlassClassification.Trainers.Mlp(hiddenLayers: [64, 64], epochs: 20));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
        /// </code>
        /// </example>
        public MlpMulticlassTrainer Mlp(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            int[]? hiddenLayers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Mlp(ShortOverload.Fill(new MlpMulticlassTrainer.Options(), labelColumnName, featureColumnName, hiddenLayers, epochs, batchSize, learningRate));

        /// <inheritdoc cref="Mlp(BinaryTrainers, MlpBinaryTrainer.Options)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.NormalizeMeanVariance("Features")
        ///     .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
        ///     .Append(ml.MulticlassClassification.Trainers.Mlp(new MlpMulticlassTrainer.Options
        ///     {
        ///         HiddenLayers = [64, 64],
        ///         Activation = Activation.GELU,
        ///         ValidationFraction = 0.1,
        ///         EarlyStopping = new EarlyStopping(),
        ///     }));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
        /// </code>
        /// </example>
        public MlpMulticlassTrainer Mlp(MlpMulticlassTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The regression trainers.</param>
    extension(RegressionTrainers catalog)
    {
        /// <summary>Trains a multilayer perceptron for regression.</summary>
        /// <param name="labelColumnName">The label column, a <c>Single</c>.</param>
        /// <inheritdoc cref="Mlp(BinaryTrainers, string, string, int[], int, int, double)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.NormalizeMeanVariance("Features")
        ///     .Append(ml.Regression.Trainers.Mlp(hiddenLayers: [64, 64], epochs: 20));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.Regression.Evaluate(model.Transform(test)).RSquared);
        /// </code>
        /// </example>
        public MlpRegressionTrainer Mlp(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            int[]? hiddenLayers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Mlp(ShortOverload.Fill(new MlpRegressionTrainer.Options(), labelColumnName, featureColumnName, hiddenLayers, epochs, batchSize, learningRate));

        /// <inheritdoc cref="Mlp(BinaryTrainers, MlpBinaryTrainer.Options)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.NormalizeMeanVariance("Features")
        ///     .Append(ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options
        ///     {
        ///         HiddenLayers = [64, 64],
        ///         Activation = Activation.GELU,
        ///         ValidationFraction = 0.1,
        ///         EarlyStopping = new EarlyStopping(),
        ///     }));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.Regression.Evaluate(model.Transform(test)).RSquared);
        /// </code>
        /// </example>
        public MlpRegressionTrainer Mlp(MlpRegressionTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}

/// <summary>Makes options of the parameters of the short overloads.</summary>
file static class ShortOverload
{
    public static TOptions Fill<TOptions>(TOptions options, string label, string features, int[]? hiddenLayers, int epochs, int batchSize, double learningRate)
        where TOptions : MlpOptions
    {
        if (hiddenLayers != null)
            options.HiddenLayers = hiddenLayers.Select(units => new HiddenLayer(units)).ToArray();
        options.SetCommon(label, features, epochs, batchSize, learningRate);
        return options;
    }
}
