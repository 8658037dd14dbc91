using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Restricted Boltzmann machines in ML.NET's catalog of transforms.</summary>
public static class RbmCatalog
{
    /// <param name="catalog">The transforms, <c>mlContext.Transforms</c>.</param>
    extension(TransformsCatalog catalog)
    {
        /// <summary>Learns features without labels: the hidden units of a restricted Boltzmann machine.</summary>
        /// <param name="outputColumnName">The column to add, a <c>Vector&lt;Single&gt;</c> of the hidden units' probabilities.</param>
        /// <param name="inputColumnName">The features, a <c>Vector&lt;Single&gt;</c> of known size with values in [0, 1]; null for <paramref name="outputColumnName"/>.</param>
        /// <param name="hiddenUnits">The number of hidden units.</param>
        /// <param name="epochs">How many times the data is gone through.</param>
        /// <param name="batchSize">The number of rows of a gradient step.</param>
        /// <param name="learningRate">The learning rate.</param>
        /// <exception cref="ArgumentException">A parameter is out of range.</exception>
        public RbmEstimator Rbm(
            string outputColumnName,
            string? inputColumnName = null,
            int hiddenUnits = RbmEstimator.Options.DefaultHiddenLayers,
            int epochs = RbmEstimator.Options.DefaultRbmEpochs,
            int batchSize = RbmEstimator.Options.DefaultRbmBatchSize,
            double learningRate = RbmEstimator.Options.DefaultRbmLearningRate) =>
            catalog.StackedRbm(outputColumnName, [hiddenUnits], inputColumnName, epochs, batchSize, learningRate);

        /// <summary>Learns features without labels: the hidden units of a restricted Boltzmann machine, or of a stack of them.</summary>
        /// <param name="options">The options; the estimator keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range.</exception>
        public RbmEstimator Rbm(RbmEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);

        /// <summary>
        /// Learns features of features without labels: a stack of restricted Boltzmann machines, trained one after the other. A perceptron or an autoencoder
        /// can start from it.
        /// </summary>
        /// <param name="outputColumnName">The column to add, a <c>Vector&lt;Single&gt;</c> of the topmost hidden units' probabilities.</param>
        /// <param name="hiddenUnits">The number of hidden units of each machine, from the lowest to the topmost.</param>
        /// <param name="inputColumnName">The features, a <c>Vector&lt;Single&gt;</c> of known size with values in [0, 1]; null for <paramref name="outputColumnName"/>.</param>
        /// <param name="epochs">How many times the data is gone through for each machine.</param>
        /// <param name="batchSize">The number of rows of a gradient step.</param>
        /// <param name="learningRate">The learning rate.</param>
        /// <exception cref="ArgumentException">A parameter is out of range.</exception>
        public RbmEstimator StackedRbm(
            string outputColumnName,
            int[] hiddenUnits,
            string? inputColumnName = null,
            int epochs = RbmEstimator.Options.DefaultRbmEpochs,
            int batchSize = RbmEstimator.Options.DefaultRbmBatchSize,
            double learningRate = RbmEstimator.Options.DefaultRbmLearningRate)
        {
            ArgumentNullException.ThrowIfNull(hiddenUnits);
            return catalog.Rbm(new RbmEstimator.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName ?? outputColumnName,
                HiddenLayers = hiddenUnits.Select(units => new RbmLayer(units)).ToArray(),
                Epochs = epochs,
                BatchSize = batchSize,
                LearningRate = learningRate,
            });
        }

        /// <summary>The same as <see cref="Rbm(TransformsCatalog, RbmEstimator.Options)"/>, for those who look for a stack.</summary>
        /// <param name="options">The options; the estimator keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range.</exception>
        public RbmEstimator StackedRbm(RbmEstimator.Options options) => catalog.Rbm(options);
    }
}
