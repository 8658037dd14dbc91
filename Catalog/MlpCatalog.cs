using Microsoft.ML;
using Microsoft.ML.Data;
using BinaryTrainers = Microsoft.ML.BinaryClassificationCatalog.BinaryClassificationTrainers;
using MulticlassTrainers = Microsoft.ML.MulticlassClassificationCatalog.MulticlassClassificationTrainers;
using RegressionTrainers = Microsoft.ML.RegressionCatalog.RegressionTrainers;

namespace MLExtensions;

/// <summary>Multilayer perceptrons in ML.NET's catalogs.</summary>
public static class MlpCatalog
{
    /// <param name="catalog">The trainers of binary classification.</param>
    extension(BinaryTrainers catalog)
    {
        /// <summary>A multilayer perceptron for binary classification.</summary>
        /// <param name="labelColumnName">The label, a <c>Boolean</c>.</param>
        /// <param name="featureColumnName">The features, a <c>Vector&lt;Single&gt;</c> of known size, or a <c>Single</c>.</param>
        /// <param name="hiddenLayers">The numbers of hidden units; null for one layer of 256, empty for logistic regression.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public MlpBinaryTrainer Mlp(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            int[]? hiddenLayers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Mlp(MlpShortOverload.Fill(new MlpBinaryTrainer.Options(), labelColumnName, featureColumnName, hiddenLayers, epochs, batchSize, learningRate));

        /// <summary>A multilayer perceptron for binary classification.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public MlpBinaryTrainer Mlp(MlpBinaryTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The trainers of multiclass classification.</param>
    extension(MulticlassTrainers catalog)
    {
        /// <summary>A multilayer perceptron for multiclass classification.</summary>
        /// <param name="labelColumnName">The label, a key.</param>
        /// <param name="featureColumnName">The features, a <c>Vector&lt;Single&gt;</c> of known size, or a <c>Single</c>.</param>
        /// <param name="hiddenLayers">The numbers of hidden units; null for one layer of 256, empty for logistic regression.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public MlpMulticlassTrainer Mlp(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            int[]? hiddenLayers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Mlp(MlpShortOverload.Fill(new MlpMulticlassTrainer.Options(), labelColumnName, featureColumnName, hiddenLayers, epochs, batchSize, learningRate));

        /// <summary>A multilayer perceptron for multiclass classification.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public MlpMulticlassTrainer Mlp(MlpMulticlassTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The trainers of regression.</param>
    extension(RegressionTrainers catalog)
    {
        /// <summary>A multilayer perceptron for regression.</summary>
        /// <param name="labelColumnName">The label, a <c>Single</c>.</param>
        /// <param name="featureColumnName">The features, a <c>Vector&lt;Single&gt;</c> of known size, or a <c>Single</c>.</param>
        /// <param name="hiddenLayers">The numbers of hidden units; null for one layer of 256, empty for linear regression.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public MlpRegressionTrainer Mlp(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            int[]? hiddenLayers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Mlp(MlpShortOverload.Fill(new MlpRegressionTrainer.Options(), labelColumnName, featureColumnName, hiddenLayers, epochs, batchSize, learningRate));

        /// <summary>A multilayer perceptron for regression.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public MlpRegressionTrainer Mlp(MlpRegressionTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
