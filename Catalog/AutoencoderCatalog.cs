using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Adds autoencoders to ML.NET's transforms catalog.</summary>
public static class AutoencoderCatalog
{
    /// <param name="catalog">The transforms, <c>mlContext.Transforms</c>.</param>
    extension(TransformsCatalog catalog)
    {
        /// <summary>Learns a low-dimensional representation of a column without labels, with an autoencoder.</summary>
        /// <remarks>
        /// Can replace <c>ProjectToPrincipalComponents</c>. Other options, such as a pretrained stack of RBMs to start from, are in the
        /// other overload.
        /// </remarks>
        /// <param name="outputColumnName">
        /// The column to add: the latent representation, a <c>Vector&lt;Single&gt;</c> of <paramref name="latentSize"/> values.
        /// </param>
        /// <param name="inputColumnName">
        /// The feature column, a <c>Vector&lt;Single&gt;</c> of known size. Null: same as <paramref name="outputColumnName"/>.
        /// </param>
        /// <param name="latentSize">The number of values of the latent representation. Default 2.</param>
        /// <param name="hiddenLayers">
        /// The number of units of each layer between the features and the latent layer. Null: 256 and 64.
        /// </param>
        /// <param name="output">What the features are: values in [0, 1] or real numbers.</param>
        /// <param name="epochs">The number of passes over the training data. Default 50.</param>
        /// <param name="batchSize">The number of rows per training step.</param>
        /// <param name="learningRate">The learning rate of the Adam optimizer.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.NormalizeMinMax("Features")
        ///     .Append(ml.Transforms.Autoencoder("Latent", "Features", latentSize: 8, hiddenLayers: [64]));
        /// var codes = pipeline.Fit(train).Transform(test).GetColumn&lt;float[]&gt;("Latent");
        /// </code>
        /// </example>
        public AutoencoderEstimator Autoencoder(
            string outputColumnName,
            string? inputColumnName = null,
            int latentSize = AutoencoderEstimator.Options.DefaultLatentSize,
            IReadOnlyList<int>? hiddenLayers = null,
            AutoencoderOutput output = AutoencoderOutput.Bernoulli,
            int epochs = TrainingOptions.DefaultEpochs,
            int batchSize = TrainingOptions.DefaultBatchSize,
            double learningRate = TrainingOptions.DefaultLearningRate) =>
            catalog.Autoencoder(new AutoencoderEstimator.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName ?? outputColumnName,
                LatentSize = latentSize,
                HiddenLayers = hiddenLayers,
                Output = output,
                Epochs = epochs,
                BatchSize = batchSize,
                LearningRate = learningRate,
            });

        /// <summary>Learns a low-dimensional representation of a column without labels, with an autoencoder.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// using var model = ml.Transforms.Autoencoder(new AutoencoderEstimator.Options
        /// {
        ///     OutputColumnName = "Latent",
        ///     ErrorColumnName = "Score",
        /// }).Fit(train);
        /// var anomalyScores = model.Transform(test).GetColumn&lt;float&gt;("Score");
        /// </code>
        /// </example>
        public AutoencoderEstimator Autoencoder(AutoencoderEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
