using Microsoft.ML.Runtime;
using MLExtensions.Supervised;

namespace MLExtensions;

/// <summary>Trains a recurrent network over whole sequences (LSTM, GRU or plain) for binary classification.</summary>
/// <remarks>
/// <para>
/// A sequence is a <c>Vector&lt;Single&gt;</c> of any length, a vector of keys, or <c>Text</c>. The label is <c>Boolean</c>. The
/// transformer adds <c>Score</c> (the logit), <c>Probability</c> (its sigmoid) and <c>PredictedLabel</c> (whether it is above the threshold).
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Binary classification</description></item>
/// <item><term>Is normalization required?</term><description>For numbers, yes: mean 0 and variance 1, or in [0, 1]. Not for keys and
/// text.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes; not with text, which ONNX cannot divide into tokens</description></item>
/// </list>
/// <para>
/// Long short-term memory (Hochreiter and Schmidhuber, 1997), GRU (Cho et al., 2014) or plain tanh layers read the sequence step by step.
/// Their outputs are pooled over the time steps and fed to one linear layer. Training minimizes the cross entropy of the sigmoid by
/// backpropagation through time over mini-batches of sequences of similar length. These are padded and masked, so a score does not depend
/// on the other sequences in its batch. The same seed, data, computer and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class RecurrentBinaryTrainer : NetworkTrainer<BinaryNetworkTransformer>
{
    internal RecurrentBinaryTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(RecurrentBinaryTrainer), options, new BinaryTask())
    {
    }

    /// <summary>The options of <see cref="RecurrentBinaryTrainer"/>.</summary>
    public sealed class Options : RecurrentOptions
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

/// <summary>Trains a recurrent network over whole sequences (LSTM, GRU or plain) for multiclass classification.</summary>
/// <remarks>
/// <para>
/// A sequence is a <c>Vector&lt;Single&gt;</c> of any length, a vector of keys, or <c>Text</c>. The label is a key. The transformer adds
/// <c>Score</c> (the softmax, with the classes as slot names) and <c>PredictedLabel</c> (a key with the label's values).
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Multiclass classification</description></item>
/// <item><term>Is normalization required?</term><description>For numbers, yes: mean 0 and variance 1, or in [0, 1]. Not for keys and
/// text.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes; not with text, which ONNX cannot divide into tokens</description></item>
/// </list>
/// <para>
/// Long short-term memory (Hochreiter and Schmidhuber, 1997), GRU (Cho et al., 2014) or plain tanh layers read the sequence step by step.
/// Their outputs are pooled over the time steps and fed to one linear layer. Training minimizes the cross entropy of the softmax by
/// backpropagation through time over mini-batches of sequences of similar length. These are padded and masked, so a score does not depend
/// on the other sequences in its batch. The same seed, data, computer and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class RecurrentMulticlassTrainer : NetworkTrainer<MulticlassNetworkTransformer>
{
    internal RecurrentMulticlassTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(RecurrentMulticlassTrainer), options, new MulticlassTask())
    {
    }

    /// <summary>The options of <see cref="RecurrentMulticlassTrainer"/>.</summary>
    public sealed class Options : RecurrentOptions
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

/// <summary>Trains a recurrent network over whole sequences (LSTM, GRU or plain) for regression.</summary>
/// <remarks>
/// <para>
/// A sequence is a <c>Vector&lt;Single&gt;</c> of any length, a vector of keys, or <c>Text</c>. The label is <c>Single</c>; it is
/// standardized internally. The transformer adds <c>Score</c>, in the unit of the label.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Regression</description></item>
/// <item><term>Is normalization required?</term><description>For numbers, yes: mean 0 and variance 1, or in [0, 1]. Not for keys and
/// text.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes; not with text, which ONNX cannot divide into tokens</description></item>
/// </list>
/// <para>
/// Long short-term memory (Hochreiter and Schmidhuber, 1997), GRU (Cho et al., 2014) or plain tanh layers read the sequence step by step.
/// Their outputs are pooled over the time steps and fed to one linear layer. Training minimizes the squared error of the standardized label
/// by backpropagation through time over mini-batches of sequences of similar length. These are padded and masked, so a score does not
/// depend on the other sequences in its batch. The same seed, data, computer and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class RecurrentRegressionTrainer : NetworkTrainer<RegressionNetworkTransformer>
{
    internal RecurrentRegressionTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(RecurrentRegressionTrainer), options, new RegressionTask())
    {
    }

    /// <summary>The options of <see cref="RecurrentRegressionTrainer"/>.</summary>
    public sealed class Options : RecurrentOptions
    {
    }
}
