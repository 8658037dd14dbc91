using Microsoft.ML;
using Microsoft.ML.Data;
using BinaryTrainers = Microsoft.ML.BinaryClassificationCatalog.BinaryClassificationTrainers;
using MulticlassTrainers = Microsoft.ML.MulticlassClassificationCatalog.MulticlassClassificationTrainers;
using RegressionTrainers = Microsoft.ML.RegressionCatalog.RegressionTrainers;

namespace MLExtensions;

/// <summary>Recurrent networks over whole sequences in ML.NET's catalogs.</summary>
public static class RecurrentCatalog
{
    /// <param name="catalog">The trainers of binary classification.</param>
    extension(BinaryTrainers catalog)
    {
        /// <summary>A recurrent network over whole sequences, for binary classification.</summary>
        /// <param name="labelColumnName">The label, a <c>Boolean</c>.</param>
        /// <param name="featureColumnName">The sequences: a <c>Vector&lt;Single&gt;</c> of any length, a vector of keys, or <c>Text</c>.</param>
        /// <param name="hiddenUnits">The hidden units of the recurrent layer.</param>
        /// <param name="cell">What the layer computes: LSTM, GRU or plain tanh.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public RecurrentBinaryTrainer Recurrent(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            int hiddenUnits = RecurrentOptions.DefaultHiddenUnits,
            RecurrentCell cell = RecurrentCell.Lstm,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Recurrent(RecurrentShortOverload.Fill(new RecurrentBinaryTrainer.Options(), labelColumnName, featureColumnName, hiddenUnits, cell, epochs, batchSize, learningRate));

        /// <summary>A recurrent network over whole sequences, for binary classification.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public RecurrentBinaryTrainer Recurrent(RecurrentBinaryTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The trainers of multiclass classification.</param>
    extension(MulticlassTrainers catalog)
    {
        /// <summary>A recurrent network over whole sequences, for multiclass classification.</summary>
        /// <param name="labelColumnName">The label, a key.</param>
        /// <param name="featureColumnName">The sequences: a <c>Vector&lt;Single&gt;</c> of any length, a vector of keys, or <c>Text</c>.</param>
        /// <param name="hiddenUnits">The hidden units of the recurrent layer.</param>
        /// <param name="cell">What the layer computes: LSTM, GRU or plain tanh.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public RecurrentMulticlassTrainer Recurrent(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            int hiddenUnits = RecurrentOptions.DefaultHiddenUnits,
            RecurrentCell cell = RecurrentCell.Lstm,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Recurrent(RecurrentShortOverload.Fill(new RecurrentMulticlassTrainer.Options(), labelColumnName, featureColumnName, hiddenUnits, cell, epochs, batchSize, learningRate));

        /// <summary>A recurrent network over whole sequences, for multiclass classification.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public RecurrentMulticlassTrainer Recurrent(RecurrentMulticlassTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The trainers of regression.</param>
    extension(RegressionTrainers catalog)
    {
        /// <summary>A recurrent network over whole sequences, for regression.</summary>
        /// <param name="labelColumnName">The label, a <c>Single</c>.</param>
        /// <param name="featureColumnName">The sequences: a <c>Vector&lt;Single&gt;</c> of any length, a vector of keys, or <c>Text</c>.</param>
        /// <param name="hiddenUnits">The hidden units of the recurrent layer.</param>
        /// <param name="cell">What the layer computes: LSTM, GRU or plain tanh.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public RecurrentRegressionTrainer Recurrent(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            int hiddenUnits = RecurrentOptions.DefaultHiddenUnits,
            RecurrentCell cell = RecurrentCell.Lstm,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Recurrent(RecurrentShortOverload.Fill(new RecurrentRegressionTrainer.Options(), labelColumnName, featureColumnName, hiddenUnits, cell, epochs, batchSize, learningRate));

        /// <summary>A recurrent network over whole sequences, for regression.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public RecurrentRegressionTrainer Recurrent(RecurrentRegressionTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
