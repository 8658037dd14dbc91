using MLExtensions.Families.Rbm;
using MLExtensions.Models;
using MLExtensions.Tensors;
using Microsoft.ML.Runtime;
using Microsoft.ML;

namespace MLExtensions;

/// <summary>Learns features without labels: a restricted Boltzmann machine, or a stack of them.</summary>
/// <remarks>
/// <para>
/// The input is a <c>Vector&lt;Single&gt;</c> of known size (or one <c>Single</c>). The transformer adds the hidden units' probabilities, a <c>Vector&lt;Single&gt;</c>,
/// and on demand the reconstruction of the input and its free energy. It stands where <c>ProjectToPrincipalComponents</c> would: any trainer can follow.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Feature extraction, without labels; pretraining</description></item>
/// <item><term>Is normalization required?</term><description>Yes: values in [0, 1] for Bernoulli units (NormalizeMinMax), mean 0 and variance 1 for Gaussian ones (NormalizeMeanVariance).</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch for the machine</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Training follows the gradient of contrastive divergence (Hinton, "Training Products of Experts by Minimizing Contrastive Divergence", 2002), or with
/// chains that persist, of stochastic maximum likelihood (Tieleman, 2008), over shuffled mini-batches. A stack is trained one machine after the other, each on
/// the hidden units' means of the one below (Hinton, Osindero and Teh, "A Fast Learning Algorithm for Deep Belief Nets", 2006). A network starts from it
/// when the transformer is its <see cref="TrainingOptions.InitialModel"/>: a perceptron (its first layers: see <see cref="RbmExtensions"/>) or an autoencoder.
/// All numbers are drawn from the seed: the same seed, data, machine and number of threads give the same weights.
/// </para>
/// <para>
/// The loss in the history is the reconstruction error, the mean squared difference of a value and its expected value given drawn states of the hidden units. Beside it, on up to
/// 1,000 training rows and on the validation data: the free energy, whose gap between the two (<c>freeEnergyGap</c>) grows when the machine overfits, and
/// of Bernoulli units the pseudo-log-likelihood in nats a row.
/// </para>
/// </remarks>
public sealed partial class RbmEstimator : NetworkEstimator<RbmTransformer>
{
    private readonly Options _options;

    internal RbmEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(RbmEstimator), options) => _options = (Options)Settings;

    private protected override void CheckSchema(SchemaShape schema) => FeatureRows.Check(schema, _options.InputColumnName);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns()
    {
        yield return OutputColumn.Vector(_options.OutputColumnName, 1).Shape;
        if (_options.ReconstructionColumnName is { } reconstruction)
            yield return OutputColumn.Vector(reconstruction, 1).Shape;
        if (_options.FreeEnergyColumnName is { } energy)
            yield return OutputColumn.Number(energy).Shape;
    }

    private protected override RbmTransformer Train(IDataView input, IDataView? validation)
    {
        var layers = new RbmTraining(Host, _options, Seed).Run(input, validation);
        return new RbmTransformer(Host, layers, _options.ColumnNames, _options.Output, Seed);
    }
}

/// <summary>Lets a supervised network start from machines that were trained without labels.</summary>
public static class RbmExtensions
{
    /// <param name="machines">The trained machines.</param>
    extension(RbmTransformer machines)
    {
        /// <summary>
        /// The hidden layers of a perceptron that can start from the machines: set it as its <see cref="MlpOptions.HiddenLayers"/>, the transformer as its
        /// <see cref="TrainingOptions.InitialModel"/>, and the column that the machines read as its features. The output layer starts anew.
        /// </summary>
        /// <remarks>Hinton, Osindero and Teh, 2006. Bernoulli units become sigmoid units, ReLU units ReLUs, Gaussian units linear ones.</remarks>
        public IReadOnlyList<HiddenLayer> ToHiddenLayers() => machines.Layers
            .Select(layer => (RbmArchitecture)layer.Architecture)
            .Select(machine => new HiddenLayer(machine.OutputCount) { Activation = machine.HiddenActivation })
            .ToArray();
    }
}
