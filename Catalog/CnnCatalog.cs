using Microsoft.ML.Data;
using BinaryTrainers = Microsoft.ML.BinaryClassificationCatalog.BinaryClassificationTrainers;
using MulticlassTrainers = Microsoft.ML.MulticlassClassificationCatalog.MulticlassClassificationTrainers;
using RegressionTrainers = Microsoft.ML.RegressionCatalog.RegressionTrainers;

namespace MLExtensions;

/// <summary>Adds convolutional networks to ML.NET's catalogs.</summary>
public static class CnnCatalog
{
    /// <param name="catalog">The binary classification trainers.</param>
    extension(BinaryTrainers catalog)
    {
        /// <summary>Trains a convolutional network for binary classification.</summary>
        /// <param name="labelColumnName">The label column, a <c>Boolean</c>.</param>
        /// <param name="featureColumnName">
        /// The images: <c>MLImage</c> of known size, or a <c>Vector&lt;Single&gt;</c> with the dimensions that ExtractPixels sets.
        /// </param>
        /// <param name="layers">
        /// The layers, from the image to the outputs; <see cref="CnnLayers"/> has well-known networks. Null:
        /// <see cref="CnnLayers.Default"/>.
        /// </param>
        /// <param name="epochs">The number of passes over the training data. Default 50.</param>
        /// <param name="batchSize">The number of examples per training step. Default 32.</param>
        /// <param name="learningRate">The learning rate of the Adam optimizer. Default 0.001.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.BinaryClassification.Trainers.Cnn(featureColumnName: "Image", layers: CnnLayers.LeNet5(padding: 0), epochs: 10));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.BinaryClassification.Evaluate(model.Transform(test)).AreaUnderRocCurve);
        /// </code>
        /// </example>
        public CnnBinaryTrainer Cnn(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            IReadOnlyList<ImageLayer>? layers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Cnn(ShortOverload.Fill(new CnnBinaryTrainer.Options(), labelColumnName, featureColumnName, layers, epochs, batchSize, learningRate));

        /// <summary>Trains a convolutional network, with all of its options.</summary>
        /// <param name="options">The options. The trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.BinaryClassification.Trainers.Cnn(new CnnBinaryTrainer.Options
        ///     {
        ///         FeatureColumnName = "Image",
        ///         PixelScaling = PixelScaling.ToUnit,
        ///         Augmentations = [ImageAugmentation.Flip()],
        ///     }));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.BinaryClassification.Evaluate(model.Transform(test)).AreaUnderRocCurve);
        /// </code>
        /// </example>
        public CnnBinaryTrainer Cnn(CnnBinaryTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The multiclass classification trainers.</param>
    extension(MulticlassTrainers catalog)
    {
        /// <summary>Trains a convolutional network for multiclass classification.</summary>
        /// <param name="labelColumnName">The label column, a key.</param>
        /// <inheritdoc cref="Cnn(BinaryTrainers, string, string, IReadOnlyList{ImageLayer}, int, int, double)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
        ///     .Append(ml.MulticlassClassification.Trainers.Cnn(featureColumnName: "Image", layers: CnnLayers.LeNet5(padding: 0), epochs: 10));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
        /// </code>
        /// </example>
        public CnnMulticlassTrainer Cnn(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            IReadOnlyList<ImageLayer>? layers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Cnn(ShortOverload.Fill(new CnnMulticlassTrainer.Options(), labelColumnName, featureColumnName, layers, epochs, batchSize, learningRate));

        /// <inheritdoc cref="Cnn(BinaryTrainers, CnnBinaryTrainer.Options)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
        ///     .Append(ml.MulticlassClassification.Trainers.Cnn(new CnnMulticlassTrainer.Options
        ///     {
        ///         FeatureColumnName = "Image",
        ///         PixelScaling = PixelScaling.ToUnit,
        ///         Augmentations = [ImageAugmentation.Flip()],
        ///     }));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
        /// </code>
        /// </example>
        public CnnMulticlassTrainer Cnn(CnnMulticlassTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The regression trainers.</param>
    extension(RegressionTrainers catalog)
    {
        /// <summary>Trains a convolutional network for regression.</summary>
        /// <param name="labelColumnName">The label column, a <c>Single</c>.</param>
        /// <inheritdoc cref="Cnn(BinaryTrainers, string, string, IReadOnlyList{ImageLayer}, int, int, double)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.Regression.Trainers.Cnn(featureColumnName: "Image", layers: CnnLayers.LeNet5(padding: 0), epochs: 10));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.Regression.Evaluate(model.Transform(test)).RSquared);
        /// </code>
        /// </example>
        public CnnRegressionTrainer Cnn(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            IReadOnlyList<ImageLayer>? layers = null,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.Cnn(ShortOverload.Fill(new CnnRegressionTrainer.Options(), labelColumnName, featureColumnName, layers, epochs, batchSize, learningRate));

        /// <inheritdoc cref="Cnn(BinaryTrainers, CnnBinaryTrainer.Options)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.Regression.Trainers.Cnn(new CnnRegressionTrainer.Options
        ///     {
        ///         FeatureColumnName = "Image",
        ///         PixelScaling = PixelScaling.ToUnit,
        ///         Augmentations = [ImageAugmentation.Flip()],
        ///     }));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.Regression.Evaluate(model.Transform(test)).RSquared);
        /// </code>
        /// </example>
        public CnnRegressionTrainer Cnn(CnnRegressionTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}

/// <summary>Makes options of the parameters of the short overloads.</summary>
file static class ShortOverload
{
    public static TOptions Fill<TOptions>(TOptions options, string label, string features, IReadOnlyList<ImageLayer>? layers, int epochs, int batchSize, double learningRate)
        where TOptions : CnnOptions
    {
        if (layers != null)
            options.Layers = layers;
        options.SetCommon(label, features, epochs, batchSize, learningRate);
        return options;
    }
}
