using Microsoft.ML.Runtime;
using MLExtensions.Supervised.Tasks;

namespace MLExtensions;

/// <summary>Trains a residual network for regression.</summary>
/// <remarks>
/// <para>
/// Features are images: an <c>MLImage</c> column of known size (LoadImages and ResizeImages), or a <c>Vector&lt;Single&gt;</c> whose
/// dimensions tell channels, height and width (ExtractPixels) or are told by <see cref="ImageOptions.ImageShape"/>; the label is <c>Single</c>; it is standardised inside. The transformer adds <c>Score</c>, on the label's own scale.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Regression</description></item>
/// <item><term>Is normalization required?</term><description>Pixels of about unit size train best: <see cref="ImageOptions.PixelScaling"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch for the machine</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Each block adds what it computes to its input, so that very deep networks can be trained (He, Zhang, Ren and Sun, 2016); training minimises the squared error of the standardised label by
/// back-propagation over shuffled mini-batches. The same seed, data, machine and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class ResNetRegressionTrainer : NetworkTrainer<RegressionNetworkTransformer>
{
    internal ResNetRegressionTrainer(IHostEnvironment env, Options options)
        : base(env, nameof(ResNetRegressionTrainer), options, new RegressionTask())
    {
    }

    /// <summary>The options of <see cref="ResNetRegressionTrainer"/>.</summary>
    public sealed class Options : ResNetOptions
    {
    }
}
