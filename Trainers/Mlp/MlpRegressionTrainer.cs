using Microsoft.ML.Runtime;
using MLExtensions.Supervised.Tasks;

namespace MLExtensions;

/// <summary>Trains a multilayer perceptron for regression.</summary>
/// <remarks>
/// <para>
/// Features are a <c>Vector&lt;Single&gt;</c> of known size (or one <c>Single</c>), the label is <c>Single</c>; it is standardised inside. The transformer adds <c>Score</c>, on the label's own scale.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Regression</description></item>
/// <item><term>Is normalization required?</term><description>Yes: features of about unit size train best.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch for the machine</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Hidden layers compute activation(W x + b); training minimises the squared error of the standardised label by back-propagation (Rumelhart, Hinton and Williams, 1986)
/// over shuffled mini-batches. All numbers are drawn from the seed: the same seed, data, machine and number of threads give the same weights.
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
