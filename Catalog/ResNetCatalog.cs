using Microsoft.ML.Data;
using BinaryTrainers = Microsoft.ML.BinaryClassificationCatalog.BinaryClassificationTrainers;
using MulticlassTrainers = Microsoft.ML.MulticlassClassificationCatalog.MulticlassClassificationTrainers;
using RegressionTrainers = Microsoft.ML.RegressionCatalog.RegressionTrainers;

namespace MLExtensions;

/// <summary>Adds residual networks to ML.NET's catalogs.</summary>
public static class ResNetCatalog
{
    /// <param name="catalog">The binary classification trainers.</param>
    extension(BinaryTrainers catalog)
    {
        /// <summary>Trains a residual network in the CIFAR form (for small images) for binary classification.</summary>
        /// <param name="labelColumnName">The label column, a <c>Boolean</c>.</param>
        /// <param name="featureColumnName">
        /// The images: <c>MLImage</c> of known size, or a <c>Vector&lt;Single&gt;</c> with the dimensions that ExtractPixels sets.
        /// </param>
        /// <param name="depth">The number of layers with weights, 6n + 2. Default 20.</param>
        /// <param name="epochs">The number of passes over the training data. Default 50.</param>
        /// <param name="batchSize">The number of examples per training step. Default 32.</param>
        /// <param name="learningRate">The learning rate of the Adam optimizer. Default 0.001.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.BinaryClassification.Trainers.ResNet(featureColumnName: "Image", depth: 20, epochs: 10));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.BinaryClassification.Evaluate(model.Transform(test)).AreaUnderRocCurve);
        /// </code>
        /// </example>
        public ResNetBinaryTrainer ResNet(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            int depth = 20,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.ResNet(ShortOverload.Fill(new ResNetBinaryTrainer.Options(), labelColumnName, featureColumnName, depth, epochs, batchSize, learningRate));

        /// <summary>Trains a residual network, with all of its options.</summary>
        /// <param name="options">The options. The trainer keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.BinaryClassification.Trainers.ResNet(new ResNetBinaryTrainer.Options
        ///     {
        ///         FeatureColumnName = "Image",
        ///         Depth = 20,
        ///         LearningRateSchedule = LearningRateSchedule.OneCycle(),
        ///     }));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.BinaryClassification.Evaluate(model.Transform(test)).AreaUnderRocCurve);
        /// </code>
        /// </example>
        public ResNetBinaryTrainer ResNet(ResNetBinaryTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The multiclass classification trainers.</param>
    extension(MulticlassTrainers catalog)
    {
        /// <summary>Trains a residual network in the CIFAR form (for small images) for multiclass classification.</summary>
        /// <param name="labelColumnName">The label column, a key.</param>
        /// <inheritdoc cref="ResNet(BinaryTrainers, string, string, int, int, int, double)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
        ///     .Append(ml.MulticlassClassification.Trainers.ResNet(featureColumnName: "Image", depth: 20, epochs: 10));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
        /// </code>
        /// </example>
        public ResNetMulticlassTrainer ResNet(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            int depth = 20,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.ResNet(ShortOverload.Fill(new ResNetMulticlassTrainer.Options(), labelColumnName, featureColumnName, depth, epochs, batchSize, learningRate));

        /// <inheritdoc cref="ResNet(BinaryTrainers, ResNetBinaryTrainer.Options)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
        ///     .Append(ml.MulticlassClassification.Trainers.ResNet(new ResNetMulticlassTrainer.Options
        ///     {
        ///         FeatureColumnName = "Image",
        ///         Depth = 20,
        ///         LearningRateSchedule = LearningRateSchedule.OneCycle(),
        ///     }));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
        /// </code>
        /// </example>
        public ResNetMulticlassTrainer ResNet(ResNetMulticlassTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <param name="catalog">The regression trainers.</param>
    extension(RegressionTrainers catalog)
    {
        /// <summary>Trains a residual network in the CIFAR form (for small images) for regression.</summary>
        /// <param name="labelColumnName">The label column, a <c>Single</c>.</param>
        /// <inheritdoc cref="ResNet(BinaryTrainers, string, string, int, int, int, double)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.Regression.Trainers.ResNet(featureColumnName: "Image", depth: 20, epochs: 10));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.Regression.Evaluate(model.Transform(test)).RSquared);
        /// </code>
        /// </example>
        public ResNetRegressionTrainer ResNet(
            string labelColumnName = DefaultColumnNames.Label, string featureColumnName = DefaultColumnNames.Features,
            int depth = 20,
            int epochs = SupervisedTrainerOptions.DefaultEpochs, int batchSize = SupervisedTrainerOptions.DefaultBatchSize,
            double learningRate = SupervisedTrainerOptions.DefaultLearningRate) =>
            catalog.ResNet(ShortOverload.Fill(new ResNetRegressionTrainer.Options(), labelColumnName, featureColumnName, depth, epochs, batchSize, learningRate));

        /// <inheritdoc cref="ResNet(BinaryTrainers, ResNetBinaryTrainer.Options)"/>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.ResizeImages("Image", 32, 32)
        ///     .Append(ml.Regression.Trainers.ResNet(new ResNetRegressionTrainer.Options
        ///     {
        ///         FeatureColumnName = "Image",
        ///         Depth = 20,
        ///         LearningRateSchedule = LearningRateSchedule.OneCycle(),
        ///     }));
        /// var model = pipeline.Fit(train);
        /// Console.WriteLine(ml.Regression.Evaluate(model.Transform(test)).RSquared);
        /// </code>
        /// </example>
        public ResNetRegressionTrainer ResNet(ResNetRegressionTrainer.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}

/// <summary>Makes options of the parameters of the short overloads.</summary>
file static class ShortOverload
{
    public static TOptions Fill<TOptions>(TOptions options, string label, string features, int depth, int epochs, int batchSize, double learningRate)
        where TOptions : ResNetOptions
    {
        options.Depth = depth;
        options.SetCommon(label, features, epochs, batchSize, learningRate);
        return options;
    }
}
