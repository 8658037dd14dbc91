using Microsoft.ML.Runtime;
using MLExtensions.Supervised;

namespace MLExtensions;

/// <summary>Trains a multilayer perceptron for binary classification.</summary>
/// <remarks>
/// <para>
/// Features are a <c>Vector&lt;Single&gt;</c> of known size (or one <c>Single</c>). The label is <c>Boolean</c>. The transformer adds
/// <c>Score</c> (the logit), <c>Probability</c> (its sigmoid) and <c>PredictedLabel</c> (whether it is above the threshold).
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Binary classification</description></item>
/// <item><term>Is normalization required?</term><description>Yes: features with mean 0 and variance 1, or in [0, 1].</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes</description></item>
/// </list>
/// <para>
/// Hidden layers compute activation(W x + b). Training minimizes the cross entropy of the sigmoid by backpropagation (Rumelhart, Hinton and
/// Williams, 1986) over shuffled mini-batches. The same seed, data, computer and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class MlpBinaryTrainer : NetworkTrainer<BinaryNetworkTransformer>
{
    internal MlpBinaryTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(MlpBinaryTrainer), options, new BinaryTask())
    {
    }

    /// <summary>The options of <see cref="MlpBinaryTrainer"/>.</summary>
    public sealed class Options : MlpOptions
    {
        /// <summary>
        /// The weights of the classes in the loss. Default <see cref="MLExtensions.ClassWeights.None"/>: all examples have the same weight.
        /// </summary>
        public ClassWeights ClassWeights { get; set; } = ClassWeights.None;

        /// <summary>
        /// The probability above which <c>PredictedLabel</c> is true, in [0, 1]. It can be changed later: see
        /// <see cref="BinaryNetworkTransformer.DecisionThreshold"/>. Default 0.5.
        /// </summary>
        public double DecisionThreshold { get; set; } = 0.5;

        internal override ClassWeights? ClassWeighting => ClassWeights;

        internal override double? Threshold => DecisionThreshold;

        internal override void Check()
        {
            base.Check();
            ArgumentNullException.ThrowIfNull(ClassWeights);
        }
    }
}

/// <summary>Trains a multilayer perceptron for multiclass classification.</summary>
/// <remarks>
/// <para>
/// Features are a <c>Vector&lt;Single&gt;</c> of known size (or one <c>Single</c>). The label is a key. The transformer adds <c>Score</c>
/// (the softmax, with the classes as slot names) and <c>PredictedLabel</c> (a key with the label's values).
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Multiclass classification</description></item>
/// <item><term>Is normalization required?</term><description>Yes: features with mean 0 and variance 1, or in [0, 1].</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes</description></item>
/// </list>
/// <para>
/// Hidden layers compute activation(W x + b). Training minimizes the cross entropy of the softmax by backpropagation (Rumelhart, Hinton and
/// Williams, 1986) over shuffled mini-batches. The same seed, data, computer and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class MlpMulticlassTrainer : NetworkTrainer<MulticlassNetworkTransformer>
{
    internal MlpMulticlassTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(MlpMulticlassTrainer), options, new MulticlassTask())
    {
    }

    /// <summary>The options of <see cref="MlpMulticlassTrainer"/>.</summary>
    public sealed class Options : MlpOptions
    {
        /// <summary>
        /// The weights of the classes in the loss. Default <see cref="MLExtensions.ClassWeights.None"/>: all examples have the same weight.
        /// </summary>
        public ClassWeights ClassWeights { get; set; } = ClassWeights.None;

        internal override ClassWeights? ClassWeighting => ClassWeights;

        internal override void Check()
        {
            base.Check();
            ArgumentNullException.ThrowIfNull(ClassWeights);
        }
    }
}

/// <summary>Trains a multilayer perceptron for regression.</summary>
/// <remarks>
/// <para>
/// Features are a <c>Vector&lt;Single&gt;</c> of known size (or one <c>Single</c>). The label is <c>Single</c>; it is standardized
/// internally. The transformer adds <c>Score</c>, in the unit of the label.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Regression</description></item>
/// <item><term>Is normalization required?</term><description>Yes: features with mean 0 and variance 1, or in [0, 1].</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes</description></item>
/// </list>
/// <para>
/// Hidden layers compute activation(W x + b). Training minimizes the squared error of the standardized label by backpropagation (Rumelhart,
/// Hinton and Williams, 1986) over shuffled mini-batches. The same seed, data, computer and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class MlpRegressionTrainer : NetworkTrainer<RegressionNetworkTransformer>
{
    internal MlpRegressionTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(MlpRegressionTrainer), options, new RegressionTask())
    {
    }

    /// <summary>The options of <see cref="MlpRegressionTrainer"/>.</summary>
    public sealed class Options : MlpOptions
    {
    }
}
