using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Adds metric learning to the context: <c>mlContext.MetricLearning</c>.</summary>
public static class MetricLearningExtensions
{
    /// <param name="context">The ML.NET context.</param>
    extension(MLContext context)
    {
        /// <summary>Embeddings by which examples are compared: training, verification, identification, evaluation.</summary>
        /// <example>
        /// <code>
        /// using var model = ml.MetricLearning.Trainers.Dense().Fit(train);
        /// var embeddings = model.Transform(test).GetColumn&lt;float[]&gt;("Embedding");
        /// </code>
        /// </example>
        public MetricLearningCatalog MetricLearning => new(context);
    }
}

/// <summary>Embeddings by which examples are compared: training, verification, identification, evaluation.</summary>
public sealed partial class MetricLearningCatalog
{
    private readonly MLContext _context;

    internal MetricLearningCatalog(MLContext context) => _context = context;

    /// <summary>The trainers.</summary>
    public MetricLearningTrainers Trainers => new(_context);
}

/// <summary>Trainers of embeddings.</summary>
public sealed class MetricLearningTrainers
{
    private readonly MLContext _context;

    internal MetricLearningTrainers(MLContext context) => _context = context;

    /// <summary>Learns an embedding of images from classes, such as people: a vector of length 1 whose distances say how alike two images are.</summary>
    /// <param name="labelColumnName">The label column, a key.</param>
    /// <param name="featureColumnName">The images: an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> with dimensions.</param>
    /// <param name="outputColumnName">The column to add: the embedding, a <c>Vector&lt;Single&gt;</c>.</param>
    /// <param name="trunk">The network. Null: a small convolutional network.</param>
    /// <param name="embeddingSize">The number of values of an embedding. Default 128.</param>
    /// <param name="loss">What the network minimizes. Null: the triplet loss with margin 0.2 and semi-hard negatives.</param>
    /// <param name="epochs">The number of passes over the training data. Default 50.</param>
    /// <param name="batchSize">The number of examples per training step, a multiple of 4: four of each class. Default 32.</param>
    /// <param name="learningRate">The learning rate of the Adam optimizer. Default 0.001.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
    ///     .Append(ml.MetricLearning.Trainers.Image(featureColumnName: "Pixels"));
    /// var model = pipeline.Fit(train);
    /// </code>
    /// </example>
    public ImageEmbeddingEstimator Image(
        string labelColumnName = DefaultColumnNames.Label,
        string featureColumnName = DefaultColumnNames.Features,
        string outputColumnName = EmbeddingOptions.DefaultOutputColumn,
        ImageTrunk? trunk = null,
        int embeddingSize = EmbeddingOptions.DefaultEmbeddingSize,
        MetricLoss? loss = null,
        int epochs = TrainingOptions.DefaultEpochs,
        int batchSize = TrainingOptions.DefaultBatchSize,
        double learningRate = TrainingOptions.DefaultLearningRate)
    {
        var options = new ImageEmbeddingEstimator.Options();
        options.SetCommon(labelColumnName, featureColumnName, outputColumnName, embeddingSize, loss, epochs, batchSize, learningRate);
        options.Trunk = trunk ?? options.Trunk;
        return Image(options);
    }

    /// <summary>Learns an embedding of images, with all options.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
    ///     .Append(ml.MetricLearning.Trainers.Image(new ImageEmbeddingEstimator.Options
    ///     {
    ///         FeatureColumnName = "Pixels",
    ///         Augmentations = [new RandomFlip()],
    ///         ValidationFraction = 0.2,
    ///         ValidationGroupColumnName = "Label", // whole classes are held out
    ///         EarlyStopping = new EarlyStopping(),
    ///     }));
    /// var model = pipeline.Fit(train);
    /// </code>
    /// </example>
    public ImageEmbeddingEstimator Image(ImageEmbeddingEstimator.Options options) => new(_context, options);

    /// <summary>Learns an embedding of rows of numbers from classes: a vector of length 1 whose distances say how alike two rows are.</summary>
    /// <param name="labelColumnName">The label column, a key.</param>
    /// <param name="featureColumnName">The features: a <c>Vector&lt;Single&gt;</c> of known size, or a <c>Single</c>.</param>
    /// <param name="outputColumnName">The column to add: the embedding, a <c>Vector&lt;Single&gt;</c>.</param>
    /// <param name="hiddenLayers">The number of units of each hidden layer. Null: one layer of 256. Empty: a linear embedding.</param>
    /// <param name="embeddingSize">The number of values of an embedding. Default 128.</param>
    /// <param name="loss">What the network minimizes. Null: the triplet loss with margin 0.2 and semi-hard negatives.</param>
    /// <param name="epochs">The number of passes over the training data. Default 50.</param>
    /// <param name="batchSize">The number of examples per training step, a multiple of 4: four of each class. Default 32.</param>
    /// <param name="learningRate">The learning rate of the Adam optimizer. Default 0.001.</param>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.NormalizeMeanVariance("Features")
    ///     .Append(ml.Transforms.Conversion.MapValueToKey("Label"))
    ///     .Append(ml.MetricLearning.Trainers.Dense(hiddenLayers: [64], embeddingSize: 16));
    /// var model = pipeline.Fit(train);
    /// </code>
    /// </example>
    public DenseEmbeddingEstimator Dense(
        string labelColumnName = DefaultColumnNames.Label,
        string featureColumnName = DefaultColumnNames.Features,
        string outputColumnName = EmbeddingOptions.DefaultOutputColumn,
        int[]? hiddenLayers = null,
        int embeddingSize = EmbeddingOptions.DefaultEmbeddingSize,
        MetricLoss? loss = null,
        int epochs = TrainingOptions.DefaultEpochs,
        int batchSize = TrainingOptions.DefaultBatchSize,
        double learningRate = TrainingOptions.DefaultLearningRate)
    {
        var options = new DenseEmbeddingEstimator.Options();
        options.SetCommon(labelColumnName, featureColumnName, outputColumnName, embeddingSize, loss, epochs, batchSize, learningRate);
        if (hiddenLayers != null)
            options.HiddenLayers = Array.ConvertAll(hiddenLayers, units => new HiddenLayer(units));
        return Dense(options);
    }

    /// <summary>Learns an embedding of rows of numbers, with all options.</summary>
    /// <param name="options">The options. The estimator keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
    ///     .Append(ml.MetricLearning.Trainers.Dense(new DenseEmbeddingEstimator.Options
    ///     {
    ///         HiddenLayers = [64, 64],
    ///         Loss = new NormalizedTemperatureLoss(),
    ///     }));
    /// var model = pipeline.Fit(train);
    /// </code>
    /// </example>
    public DenseEmbeddingEstimator Dense(DenseEmbeddingEstimator.Options options) => new(_context, options);
}
