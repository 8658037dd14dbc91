using Microsoft.ML.Runtime;
using MLExtensions.Supervised.Tasks;

namespace MLExtensions;

/// <summary>Trains a multilayer perceptron for binary classification.</summary>
/// <remarks>
/// <para>
/// Features are a <c>Vector&lt;Single&gt;</c> of known size (or one <c>Single</c>), the label is <c>Boolean</c>. The transformer adds <c>Score</c> (the logit), <c>Probability</c> (its sigmoid) and <c>PredictedLabel</c> (probability of 0.5 or more).
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Binary classification</description></item>
/// <item><term>Is normalization required?</term><description>Yes: features of about unit size train best.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch for the machine</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Hidden layers compute activation(W x + b); training minimises the cross entropy of the sigmoid by back-propagation (Rumelhart, Hinton and Williams, 1986)
/// over shuffled mini-batches. All numbers are drawn from the seed: the same seed, data, machine and number of threads give the same weights.
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
        /// <summary>How much the examples of each class count. Default <see cref="MLExtensions.ClassWeights.None"/>: all the same.</summary>
        public ClassWeights ClassWeights { get; set; } = ClassWeights.None;

        internal override ClassWeights? ClassWeighting => ClassWeights;

        internal override void Check()
        {
            base.Check();
            ArgumentNullException.ThrowIfNull(ClassWeights);
        }
    }
}
