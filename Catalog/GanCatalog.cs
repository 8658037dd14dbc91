using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Adds what the discriminators of generative adversarial networks compute to ML.NET's transforms catalog.</summary>
public static class GanCatalog
{
    /// <param name="catalog">The transforms, <c>mlContext.Transforms</c>.</param>
    extension(TransformsCatalog catalog)
    {
        /// <summary>Computes features of samples with the discriminator of a trained GAN.</summary>
        /// <param name="outputColumnName">The column to add, a <c>Vector&lt;Single&gt;</c>.</param>
        /// <param name="featureColumnName">The column of the samples, as in the training of the GAN.</param>
        /// <param name="model">The trained GAN.</param>
        /// <param name="scoreColumnName">The column to add for the logit of the discriminator, a <c>Single</c>. Default null: none.</param>
        /// <exception cref="ArgumentException">A name is empty.</exception>
        /// <example>
        /// <code>
        /// using var gan = ml.GenerativeModels.Trainers.Dcgan("Image").Fit(train);
        /// var pipeline = ml.Transforms.DiscriminatorFeatures("Features", "Image", gan)
        ///     .AppendCacheCheckpoint(ml)
        ///     .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy());
        /// </code>
        /// </example>
        public DiscriminatorFeaturesEstimator DiscriminatorFeatures(string outputColumnName, string featureColumnName, GanTransformer model, string? scoreColumnName = null) =>
            catalog.DiscriminatorFeatures(model, new DiscriminatorFeaturesEstimator.Options { OutputColumnName = outputColumnName, FeatureColumnName = featureColumnName, ScoreColumnName = scoreColumnName });

        /// <summary>Computes features of samples with the discriminator of a trained GAN, with all of its options.</summary>
        /// <param name="model">The trained GAN.</param>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range, or a layer does not exist; the message names it.</exception>
        /// <example>
        /// <code>
        /// using var gan = ml.GenerativeModels.Trainers.Dcgan("Image").Fit(train);
        /// var features = ml.Transforms.DiscriminatorFeatures(gan, new DiscriminatorFeaturesEstimator.Options
        /// {
        ///     FeatureColumnName = "Image",
        ///     PooledSize = 2,
        /// });
        /// </code>
        /// </example>
        public DiscriminatorFeaturesEstimator DiscriminatorFeatures(GanTransformer model, DiscriminatorFeaturesEstimator.Options options) =>
            new(CatalogUtils.GetEnvironment(catalog), model, options);

        /// <summary>Fills the missing pixels of images with a trained GAN. Known pixels come back bit for bit.</summary>
        /// <param name="outputColumnName">The column to add: the images without holes.</param>
        /// <param name="imageColumnName">The column of the images, as in the training of the GAN.</param>
        /// <param name="maskColumnName">
        /// The column of the masks, a <c>Vector&lt;Single&gt;</c> or <c>Vector&lt;Boolean&gt;</c> with a value per pixel: 1 or true where it
        /// is missing.
        /// </param>
        /// <param name="model">The trained GAN.</param>
        /// <exception cref="ArgumentException">A name is empty, or the GAN does not generate images.</exception>
        /// <example>
        /// <code>
        /// using var gan = ml.GenerativeModels.Trainers.Dcgan("Image").Fit(train);
        /// using var inpainting = ml.Transforms.Inpaint("Whole", "Image", "Mask", gan).Fit(test);
        /// var images = inpainting.Transform(test).GetColumn&lt;float[]&gt;("Whole");
        /// </code>
        /// </example>
        public InpaintingEstimator Inpaint(string outputColumnName, string imageColumnName, string maskColumnName, GanTransformer model) =>
            catalog.Inpaint(model, new InpaintingEstimator.Options { OutputColumnName = outputColumnName, ImageColumnName = imageColumnName, MaskColumnName = maskColumnName });

        /// <summary>Fills the missing pixels of images with a trained GAN, with all options.</summary>
        /// <param name="model">The trained GAN.</param>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range, or the GAN does not generate images; the message names it.</exception>
        /// <example>
        /// <code>
        /// using var gan = ml.GenerativeModels.Trainers.Dcgan("Image", labelColumnName: "Label").Fit(train);
        /// using var inversion = ml.Transforms.Inpaint(gan, new InpaintingEstimator.Options
        /// {
        ///     ImageColumnName = "Image",
        ///     MaskShape = InpaintingMaskShape.None,
        ///     LatentColumnName = "Noise",
        ///     ClassColumnName = "Label",
        /// }).Fit(test);
        /// </code>
        /// </example>
        public InpaintingEstimator Inpaint(GanTransformer model, InpaintingEstimator.Options options) =>
            new(CatalogUtils.GetEnvironment(catalog), model, options);
    }
}

/// <content>The trainers.</content>
public sealed partial class GenerativeModelCatalog
{
    /// <summary>The trainers.</summary>
    public GenerativeModelTrainers Trainers => new(Context);
}

/// <summary>Trainers of generative models.</summary>
public sealed class GenerativeModelTrainers
{
    private readonly MLContext _context;

    internal GenerativeModelTrainers(MLContext context) => _context = context;

    /// <summary>Trains a generative adversarial network (GAN) of dense layers.</summary>
    /// <param name="featureColumnName">The column of the real samples, a <c>Vector&lt;Single&gt;</c> of known size. Default <c>Features</c>.</param>
    /// <param name="labelColumnName">The column of their classes, a key, for a conditional GAN. Default null: no classes.</param>
    /// <param name="outputColumnName">The column to add: a generated sample for each row. Default <c>Sample</c>.</param>
    /// <param name="epochs">The number of passes over the training data. Default 50.</param>
    /// <param name="batchSize">The number of real samples per training step. Default 64.</param>
    /// <param name="learningRate">The learning rate of both networks. Default 3e-4.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.NormalizeMeanVariance("Features", fixZero: false)
    ///     .Append(ml.GenerativeModels.Trainers.Gan("Features"));
    /// var samples = pipeline.Fit(train).Transform(test).GetColumn&lt;float[]&gt;("Sample");
    /// </code>
    /// </example>
    public GanEstimator Gan(
        string featureColumnName = "Features",
        string? labelColumnName = null,
        string outputColumnName = GanOptions.DefaultOutputColumnName,
        int epochs = GanEstimator.Options.DefaultGanEpochs,
        int batchSize = GanOptions.DefaultGanBatchSize,
        double learningRate = GanEstimator.Options.DefaultGanLearningRate) =>
        Gan(new GanEstimator.Options
        {
            FeatureColumnName = featureColumnName,
            LabelColumnName = labelColumnName,
            OutputColumnName = outputColumnName,
            Epochs = epochs,
            BatchSize = batchSize,
            LearningRate = learningRate,
        });

    /// <summary>Trains a generative adversarial network (GAN) of dense layers, or of layers of your own.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var gan = ml.GenerativeModels.Trainers.Gan(new GanEstimator.Options
    /// {
    ///     Networks = GanPresets.Goodfellow(),
    ///     PackSize = 2,
    /// }).Fit(train);
    /// </code>
    /// </example>
    public GanEstimator Gan(GanEstimator.Options options) => new(_context, options);

    /// <summary>Trains a deep convolutional generative adversarial network (DCGAN) on images.</summary>
    /// <param name="featureColumnName">
    /// The column of the real images: <c>MLImage</c> of known size, or a <c>Vector&lt;Single&gt;</c> from 0 to 1, channel after channel.
    /// Default <c>Features</c>.
    /// </param>
    /// <param name="labelColumnName">The column of their classes, a key, for a conditional GAN. Default null: no classes.</param>
    /// <param name="outputColumnName">The column to add: a generated image for each row. Default <c>Sample</c>.</param>
    /// <param name="epochs">The number of passes over the training data. Default 10.</param>
    /// <param name="batchSize">The number of real images per training step. Default 32.</param>
    /// <param name="learningRate">The learning rate of both networks. Default 5e-4.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var gan = ml.GenerativeModels.Trainers.Dcgan("Image", labelColumnName: "Label").Fit(train);
    /// var threes = gan.Generate(10, seed: 1, label: "3");
    /// </code>
    /// </example>
    public DcganEstimator Dcgan(
        string featureColumnName = "Features",
        string? labelColumnName = null,
        string outputColumnName = GanOptions.DefaultOutputColumnName,
        int epochs = DcganEstimator.Options.DefaultDcganEpochs,
        int batchSize = DcganEstimator.Options.DefaultDcganBatchSize,
        double learningRate = DcganEstimator.Options.DefaultDcganLearningRate) =>
        Dcgan(new DcganEstimator.Options
        {
            FeatureColumnName = featureColumnName,
            LabelColumnName = labelColumnName,
            OutputColumnName = outputColumnName,
            Epochs = epochs,
            BatchSize = batchSize,
            LearningRate = learningRate,
        });

    /// <summary>Trains a deep convolutional generative adversarial network (DCGAN) on images, with all of its options.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// using var gan = ml.GenerativeModels.Trainers.Dcgan(new DcganEstimator.Options
    /// {
    ///     FeatureColumnName = "Image",
    ///     SamplesFolder = "samples",
    /// }).Fit(train);
    /// </code>
    /// </example>
    public DcganEstimator Dcgan(DcganEstimator.Options options) => new(_context, options);
}
