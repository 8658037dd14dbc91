using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Autoencoders in ML.NET's catalog of transforms.</summary>
public static class AutoencoderCatalog
{
    /// <param name="catalog">The transforms, <c>mlContext.Transforms</c>.</param>
    extension(TransformsCatalog catalog)
    {
        /// <summary>Learns a code of a few numbers for the rows of a column, without labels, by an autoencoder.</summary>
        /// <remarks>Stands where <c>ProjectToPrincipalComponents</c> could; set other options, such as a pretrained stack to start from, with the other overload.</remarks>
        /// <param name="outputColumnName">The column to add: the code, a <c>Vector&lt;Single&gt;</c> of <paramref name="latentSize"/> values.</param>
        /// <param name="inputColumnName">The features, a <c>Vector&lt;Single&gt;</c> of known size; null for <paramref name="outputColumnName"/>.</param>
        /// <param name="latentSize">The number of values of the code.</param>
        /// <param name="hiddenLayers">The hidden units of the layers between features and code; null for 256 and 64.</param>
        /// <param name="output">What the features are: in [0, 1] or real numbers.</param>
        /// <param name="epochs">How many times the training data is gone through.</param>
        /// <param name="batchSize">The number of rows of a gradient step.</param>
        /// <param name="learningRate">The learning rate of Adam.</param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
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

        /// <summary>Learns a code of a few numbers for the rows of a column, without labels, by an autoencoder.</summary>
        /// <param name="options">The options; the estimator keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        public AutoencoderEstimator Autoencoder(AutoencoderEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);
    }
}
