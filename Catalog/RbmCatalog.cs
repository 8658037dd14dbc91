using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>Adds restricted Boltzmann machines (RBMs) to ML.NET's transforms catalog.</summary>
public static class RbmCatalog
{
    /// <param name="catalog">The transforms, <c>mlContext.Transforms</c>.</param>
    extension(TransformsCatalog catalog)
    {
        /// <summary>Learns features without labels: the hidden units of a restricted Boltzmann machine (RBM).</summary>
        /// <param name="outputColumnName">The column to add: the probabilities of the hidden units, a <c>Vector&lt;Single&gt;</c>.</param>
        /// <param name="inputColumnName">
        /// The feature column, a <c>Vector&lt;Single&gt;</c> of known size with values in [0, 1]. Null: same as
        /// <paramref name="outputColumnName"/>.
        /// </param>
        /// <param name="hiddenUnits">The number of hidden units. Default 256.</param>
        /// <param name="epochs">The number of passes over the training data. Default 10.</param>
        /// <param name="batchSize">The number of rows per training step. Default 10.</param>
        /// <param name="learningRate">
        /// The learning rate. Default 0.05, scaled for sparse rows; any other is taken as it is. 0.05 itself is taken as it is only in the
        /// options.
        /// </param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// var pipeline = ml.Transforms.NormalizeMinMax("Features")
        ///     .Append(ml.Transforms.Rbm("Hidden", "Features", hiddenUnits: 100))
        ///     .AppendCacheCheckpoint(ml)
        ///     .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: "Hidden"));
        /// </code>
        /// </example>
        public RbmEstimator Rbm(
            string outputColumnName,
            string? inputColumnName = null,
            int hiddenUnits = RbmEstimator.Options.DefaultHiddenLayers,
            int epochs = RbmEstimator.Options.DefaultRbmEpochs,
            int batchSize = RbmEstimator.Options.DefaultRbmBatchSize,
            double learningRate = RbmEstimator.Options.DefaultRbmLearningRate) =>
            catalog.StackedRbm(outputColumnName, [hiddenUnits], inputColumnName, epochs, batchSize, learningRate);

        /// <summary>Learns features without labels: the hidden units of an RBM or of a stack of RBMs, with all of their options.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// using var rbm = ml.Transforms.Rbm(new RbmEstimator.Options
        /// {
        ///     OutputColumnName = "Hidden",
        ///     HiddenLayers = [100],
        ///     PersistentChains = 10,
        /// }).Fit(train);
        /// float[][] filters = rbm.GetWeights();
        /// </code>
        /// </example>
        public RbmEstimator Rbm(RbmEstimator.Options options) => new(CatalogUtils.GetEnvironment(catalog), options);

        /// <summary>
        /// Learns features without labels with a stack of RBMs that are trained one after the other, each on the hidden units of the one
        /// below. A multilayer perceptron or an autoencoder can start from the stack.
        /// </summary>
        /// <param name="outputColumnName">
        /// The column to add: the probabilities of the topmost hidden units, a <c>Vector&lt;Single&gt;</c>.
        /// </param>
        /// <param name="hiddenUnits">The number of hidden units of each RBM, from the lowest to the topmost.</param>
        /// <param name="inputColumnName">
        /// The feature column, a <c>Vector&lt;Single&gt;</c> of known size with values in [0, 1]. Null: same as
        /// <paramref name="outputColumnName"/>.
        /// </param>
        /// <param name="epochs">The number of passes over the training data for each RBM. Default 10.</param>
        /// <param name="batchSize">The number of rows per training step. Default 10.</param>
        /// <param name="learningRate">
        /// The learning rate. Default 0.05, scaled for sparse rows; any other is taken as it is. 0.05 itself is taken as it is only in the
        /// options.
        /// </param>
        /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// using var stack = ml.Transforms.StackedRbm("Hidden", [500, 500, 2000], "Features").Fit(data); // no labels
        /// using var model = ml.MulticlassClassification.Trainers.Mlp(new MlpMulticlassTrainer.Options
        /// {
        ///     HiddenLayers = stack.ToHiddenLayers(),
        ///     InitialModel = stack,
        /// }).Fit(train);
        /// </code>
        /// </example>
        public RbmEstimator StackedRbm(
            string outputColumnName,
            int[] hiddenUnits,
            string? inputColumnName = null,
            int epochs = RbmEstimator.Options.DefaultRbmEpochs,
            int batchSize = RbmEstimator.Options.DefaultRbmBatchSize,
            double learningRate = RbmEstimator.Options.DefaultRbmLearningRate)
        {
            ArgumentNullException.ThrowIfNull(hiddenUnits);
            var options = new RbmEstimator.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName ?? outputColumnName,
                HiddenLayers = hiddenUnits.Select(units => new RbmLayer(units)).ToArray(),
                Epochs = epochs,
                BatchSize = batchSize,
            };
            // The default is not a rate that was set: it is scaled for sparse rows.
            if (learningRate != RbmEstimator.Options.DefaultRbmLearningRate)
                options.LearningRate = learningRate;
            return catalog.Rbm(options);
        }

        /// <summary>Same as <see cref="Rbm(TransformsCatalog, RbmEstimator.Options)"/>.</summary>
        /// <param name="options">The options. The estimator keeps a copy.</param>
        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        /// <example>
        /// <code>
        /// using var stack = ml.Transforms.StackedRbm(new RbmEstimator.Options
        /// {
        ///     OutputColumnName = "Hidden",
        ///     HiddenLayers = [500, 250],
        ///     Epochs = 5,
        /// }).Fit(train);
        /// </code>
        /// </example>
        public RbmEstimator StackedRbm(RbmEstimator.Options options) => catalog.Rbm(options);
    }
}
