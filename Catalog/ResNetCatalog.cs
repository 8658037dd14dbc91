using Microsoft.ML;
using Microsoft.ML.Data;
using BinaryTrainers = Microsoft.ML.BinaryClassificationCatalog.BinaryClassificationTrainers;
using MulticlassTrainers = Microsoft.ML.MulticlassClassificationCatalog.MulticlassClassificationTrainers;
using RegressionTrainers = Microsoft.ML.RegressionCatalog.RegressionTrainers;

namespace MLExtensions;

/// <summary>Residual networks in ML.NET's catalogs.</summary>
public static class ResNetCatalog
{
    /// <param name="catalog">The trainers of binary classification.</param>
    extension(BinaryTrainers catalog)
    {
        /// <summary>A residual network in the CIFAR form (for small images) for binary classification.</summary>
        /// <param name="labelColumnName">The label, a <c>Boolean</c>.</param>
        /// <param name="featureColumnName">The images: an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> with dimensions, as ExtractPixels makes it.</param>
        /// <param name="depth">The number of layers with weights, 6n + 2.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public ResNetBinaryTrainer ResNet(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            int depth = 20,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.ResNet(ImageShortOverload.Fill(new ResNetBinaryTrainer.Options(), labelColumnName, featureColumnName, depth, epochs, batchSize, learningRate));

        /// <summary>A residual network for binary classification.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public ResNetBinaryTrainer ResNet(ResNetBinaryTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The trainers of multiclass classification.</param>
    extension(MulticlassTrainers catalog)
    {
        /// <summary>A residual network in the CIFAR form (for small images) for multiclass classification.</summary>
        /// <param name="labelColumnName">The label, a key.</param>
        /// <param name="featureColumnName">The images: an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> with dimensions, as ExtractPixels makes it.</param>
        /// <param name="depth">The number of layers with weights, 6n + 2.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public ResNetMulticlassTrainer ResNet(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            int depth = 20,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.ResNet(ImageShortOverload.Fill(new ResNetMulticlassTrainer.Options(), labelColumnName, featureColumnName, depth, epochs, batchSize, learningRate));

        /// <summary>A residual network for multiclass classification.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public ResNetMulticlassTrainer ResNet(ResNetMulticlassTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The trainers of regression.</param>
    extension(RegressionTrainers catalog)
    {
        /// <summary>A residual network in the CIFAR form (for small images) for regression.</summary>
        /// <param name="labelColumnName">The label, a <c>Single</c>.</param>
        /// <param name="featureColumnName">The images: an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> with dimensions, as ExtractPixels makes it.</param>
        /// <param name="depth">The number of layers with weights, 6n + 2.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public ResNetRegressionTrainer ResNet(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            int depth = 20,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.ResNet(ImageShortOverload.Fill(new ResNetRegressionTrainer.Options(), labelColumnName, featureColumnName, depth, epochs, batchSize, learningRate));

        /// <summary>A residual network for regression.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public ResNetRegressionTrainer ResNet(ResNetRegressionTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
