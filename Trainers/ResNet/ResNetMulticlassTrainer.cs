using Microsoft.ML.Runtime;
using MLExtensions.Supervised.Tasks;

namespace MLExtensions;

/// <summary>Trains a residual network for multiclass classification.</summary>
/// <remarks>
/// <para>
/// Features are images: an <c>MLImage</c> column of known size (LoadImages and ResizeImages), or a <c>Vector&lt;Single&gt;</c> whose
/// dimensions tell channels, height and width (ExtractPixels) or are told by <see cref="ImageOptions.ImageShape"/>; the label is a key. The transformer adds <c>Score</c> (the softmax, with the classes as slot names) and <c>PredictedLabel</c> (a key with the label's values).
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Multiclass classification</description></item>
/// <item><term>Is normalization required?</term><description>Pixels of about unit size train best: <see cref="ImageOptions.PixelScaling"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch for the machine</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Each block adds what it computes to its input, so that very deep networks can be trained (He, Zhang, Ren and Sun, 2016); training minimises the cross entropy of the softmax by
/// back-propagation over shuffled mini-batches. The same seed, data, machine and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class ResNetMulticlassTrainer : NetworkTrainer<MulticlassNetworkTransformer>
{
    internal ResNetMulticlassTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(ResNetMulticlassTrainer), options, new MulticlassTask())
    {
    }

    /// <summary>The options of <see cref="ResNetMulticlassTrainer"/>.</summary>
    public sealed class Options : ResNetOptions
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
