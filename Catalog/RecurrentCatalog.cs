using Microsoft.ML.Data;
using BinaryTrainers = Microsoft.ML.BinaryClassificationCatalog.BinaryClassificationTrainers;
using MulticlassTrainers = Microsoft.ML.MulticlassClassificationCatalog.MulticlassClassificationTrainers;
using RegressionTrainers = Microsoft.ML.RegressionCatalog.RegressionTrainers;

namespace MLExtensions;

/// <summary>Adds recurrent networks to ML.NET's catalogs.</summary>
public static class RecurrentCatalog
{
    /// <param name="catalog">The binary classification trainers.</param>
    extension(BinaryTrainers catalog)
    {
        /// <summary>Trains a recurrent network over whole sequences for binary classification.</summary>
        /// <param name="labelColumnName">The label column, a <c>Boolean</c>.</param>
        /// <param name="featureColumnName">
        /// The sequences: a <c>Vector&lt;Single&gt;</c> of any length, a vector of keys, or <c>Text</c>.
        /// </param>
        /// <param name="hiddenUnits">The number of hidden units of the recurrent layer. Default 128.</param>
        /// <param name="cell">The recurrent cell: LSTM, GRU or plain tanh.</param>
        /// <param name="epochs">The number of passes over the training data. Default 50.</param>
        /// <param name="batchSize">The number of examples per training step. Default 32.</param>
        /// <param name="learningRate">The learning rate of the Adam optimizer. Default 0.001.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.BinaryClassification.Trainers.Recurrent(featureColumnName: "Text", hiddenUnits: 64, epochs: 5);
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.BinaryClassification.Evaluate(model.Transform(test)).AreaUnderRocCurve);
        /// </code>
        /// </example>
        public RecurrentBinaryTrainer Recurrent(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            int hiddenUnits = RecurrentOptions.DefaultHiddenUnits, RecurrentCell cell = RecurrentCell.Lstm,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Recurrent(ShortOverload.Fill(new RecurrentBinaryTrainer.Options(), labelColumnName, featureColumnName, hiddenUnits, cell, epochs, batchSize, learningRate));

        /// <summary>Trains a recurrent network, with all of its options.</summary>
        /// <param name="options">The options. The trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.BinaryClassification.Trainers.Recurrent(new RecurrentBinaryTrainer.Options
        /// {
        ///     FeatureColumnName = "Text",
        ///     Tokenization = Tokenization.Words(20_000, lowercase: true),
        ///     Pooling = SequencePooling.Max,
        /// });
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.BinaryClassification.Evaluate(model.Transform(test)).AreaUnderRocCurve);
        /// </code>
        /// </example>
        public RecurrentBinaryTrainer Recurrent(RecurrentBinaryTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The multiclass classification trainers.</param>
    extension(MulticlassTrainers catalog)
    {
        /// <summary>Trains a recurrent network over whole sequences for multiclass classification.</summary>
        /// <param name="labelColumnName">The label column, a key.</param>
        /// <inheritdoc cref="Recurrent(BinaryTrainers, string, string, int, RecurrentCell, int, int, double)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
        ///     .Append(ml.MulticlassClassification.Trainers.Recurrent(featureColumnName: "Text", hiddenUnits: 64, epochs: 5));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
        /// </code>
        /// </example>
        public RecurrentMulticlassTrainer Recurrent(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            int hiddenUnits = RecurrentOptions.DefaultHiddenUnits, RecurrentCell cell = RecurrentCell.Lstm,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Recurrent(ShortOverload.Fill(new RecurrentMulticlassTrainer.Options(), labelColumnName, featureColumnName, hiddenUnits, cell, epochs, batchSize, learningRate));

        /// <inheritdoc cref="Recurrent(BinaryTrainers, RecurrentBinaryTrainer.Options)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
        ///     .Append(ml.MulticlassClassification.Trainers.Recurrent(new RecurrentMulticlassTrainer.Options
        ///     {
        ///         FeatureColumnName = "Text",
        ///         Tokenization = Tokenization.Words(20_000, lowercase: true),
        ///         Pooling = SequencePooling.Max,
        ///     }));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
        /// </code>
        /// </example>
        public RecurrentMulticlassTrainer Recurrent(RecurrentMulticlassTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The regression trainers.</param>
    extension(RegressionTrainers catalog)
    {
        /// <summary>Trains a recurrent network over whole sequences for regression.</summary>
        /// <param name="labelColumnName">The label column, a <c>Single</c>.</param>
        /// <inheritdoc cref="Recurrent(BinaryTrainers, string, string, int, RecurrentCell, int, int, double)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Regression.Trainers.Recurrent(featureColumnName: "Text", hiddenUnits: 64, epochs: 5);
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.Regression.Evaluate(model.Transform(test)).RSquared);
        /// </code>
        /// </example>
        public RecurrentRegressionTrainer Recurrent(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            int hiddenUnits = RecurrentOptions.DefaultHiddenUnits, RecurrentCell cell = RecurrentCell.Lstm,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Recurrent(ShortOverload.Fill(new RecurrentRegressionTrainer.Options(), labelColumnName, featureColumnName, hiddenUnits, cell, epochs, batchSize, learningRate));

        /// <inheritdoc cref="Recurrent(BinaryTrainers, RecurrentBinaryTrainer.Options)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Regression.Trainers.Recurrent(new RecurrentRegressionTrainer.Options
        /// {
        ///     FeatureColumnName = "Text",
        ///     Tokenization = Tokenization.Words(20_000, lowercase: true),
        ///     Pooling = SequencePooling.Max,
        /// });
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.Regression.Evaluate(model.Transform(test)).RSquared);
        /// </code>
        /// </example>
        public RecurrentRegressionTrainer Recurrent(RecurrentRegressionTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}

/// <summary>Makes options of the parameters of the short overloads.</summary>
file static class ShortOverload
{
    public static TOptions Fill<TOptions>(TOptions options, string label, string features, int hiddenUnits, RecurrentCell cell, int epochs, int batchSize, double learningRate)
        where TOptions : RecurrentOptions
    {
        options.HiddenUnits = hiddenUnits;
        options.Cell = cell;
        options.SetCommon(label, features, epochs, batchSize, learningRate);
        return options;
    }
}
