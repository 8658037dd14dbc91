using Microsoft.ML;
using Microsoft.ML.Data;
using BinaryTrainers = Microsoft.ML.BinaryClassificationCatalog.BinaryClassificationTrainers;
using MulticlassTrainers = Microsoft.ML.MulticlassClassificationCatalog.MulticlassClassificationTrainers;
using RegressionTrainers = Microsoft.ML.RegressionCatalog.RegressionTrainers;

namespace MLExtensions;

/// <summary>Convolutional networks in ML.NET's catalogs.</summary>
public static class CnnCatalog
{
    /// <param name="catalog">The trainers of binary classification.</param>
    extension(BinaryTrainers catalog)
    {
        /// <summary>A convolutional network for binary classification.</summary>
        /// <param name="labelColumnName">The label, a <c>Boolean</c>.</param>
        /// <param name="featureColumnName">The images: an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> with dimensions, as ExtractPixels makes it.</param>
        /// <param name="layers">The layers, from the image to the outputs; null for <see cref="CnnLayers.Default"/>. <see cref="CnnLayers"/> has well-known networks.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public CnnBinaryTrainer Cnn(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            IReadOnlyList<ImageLayer>? layers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Cnn(ImageShortOverload.Fill(new CnnBinaryTrainer.Options(), labelColumnName, featureColumnName, layers, epochs, batchSize, learningRate));

        /// <summary>A convolutional network for binary classification.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public CnnBinaryTrainer Cnn(CnnBinaryTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The trainers of multiclass classification.</param>
    extension(MulticlassTrainers catalog)
    {
        /// <summary>A convolutional network for multiclass classification.</summary>
        /// <param name="labelColumnName">The label, a key.</param>
        /// <param name="featureColumnName">The images: an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> with dimensions, as ExtractPixels makes it.</param>
        /// <param name="layers">The layers, from the image to the outputs; null for <see cref="CnnLayers.Default"/>. <see cref="CnnLayers"/> has well-known networks.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public CnnMulticlassTrainer Cnn(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            IReadOnlyList<ImageLayer>? layers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Cnn(ImageShortOverload.Fill(new CnnMulticlassTrainer.Options(), labelColumnName, featureColumnName, layers, epochs, batchSize, learningRate));

        /// <summary>A convolutional network for multiclass classification.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public CnnMulticlassTrainer Cnn(CnnMulticlassTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The trainers of regression.</param>
    extension(RegressionTrainers catalog)
    {
        /// <summary>A convolutional network for regression.</summary>
        /// <param name="labelColumnName">The label, a <c>Single</c>.</param>
        /// <param name="featureColumnName">The images: an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> with dimensions, as ExtractPixels makes it.</param>
        /// <param name="layers">The layers, from the image to the outputs; null for <see cref="CnnLayers.Default"/>. <see cref="CnnLayers"/> has well-known networks.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of examples of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        public CnnRegressionTrainer Cnn(
            string labelColumnName = DefaultColumnNames.Label,
            string featureColumnName = DefaultColumnNames.Features,
            IReadOnlyList<ImageLayer>? layers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs,
            int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Cnn(ImageShortOverload.Fill(new CnnRegressionTrainer.Options(), labelColumnName, featureColumnName, layers, epochs, batchSize, learningRate));

        /// <summary>A convolutional network for regression.</summary>
        /// <param name="options">The options; the trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public CnnRegressionTrainer Cnn(CnnRegressionTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
