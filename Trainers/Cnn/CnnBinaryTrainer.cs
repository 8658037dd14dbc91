using Microsoft.ML.Runtime;
using MLExtensions.Supervised.Tasks;

namespace MLExtensions;

/// <summary>Trains a convolutional network for binary classification.</summary>
/// <remarks>
/// <para>
/// Features are images: an <c>MLImage</c> column of known size (LoadImages and ResizeImages), or a <c>Vector&lt;Single&gt;</c> whose
/// dimensions tell channels, height and width (ExtractPixels) or are told by <see cref="ImageOptions.ImageShape"/>; the label is <c>Boolean</c>. The transformer adds <c>Score</c> (the logit), <c>Probability</c> (its sigmoid) and <c>PredictedLabel</c> (probability of 0.5 or more).
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Binary classification</description></item>
/// <item><term>Is normalization required?</term><description>Pixels of about unit size train best: <see cref="ImageOptions.PixelScaling"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch for the machine</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Convolutions look for the same small patterns everywhere in an image (LeCun, Bottou, Bengio and Haffner, 1998; Krizhevsky, Sutskever and Hinton, 2012); training minimises the cross entropy of the sigmoid by
/// back-propagation over shuffled mini-batches. The same seed, data, machine and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class CnnBinaryTrainer : NetworkTrainer<BinaryNetworkTransformer>
{
    internal CnnBinaryTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(CnnBinaryTrainer), options, new BinaryTask())
    {
    }

    /// <summary>The options of <see cref="CnnBinaryTrainer"/>.</summary>
    public sealed class Options : CnnOptions
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
