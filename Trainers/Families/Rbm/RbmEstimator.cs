using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Rbm;
using MLExtensions.Tensors;

namespace MLExtensions;

/// <summary>Learns features without labels with a restricted Boltzmann machine (RBM) or a stack of RBMs.</summary>
/// <remarks>
/// <para>
/// The input is a <c>Vector&lt;Single&gt;</c> of known size (or one <c>Single</c>). The transformer adds the probabilities of the hidden
/// units, a <c>Vector&lt;Single&gt;</c>, and optionally the reconstruction of the input and its free energy. It can replace
/// <c>ProjectToPrincipalComponents</c>: any trainer can follow.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Feature extraction, without labels; pretraining</description></item>
/// <item><term>Is normalization required?</term><description>Yes: values in [0, 1] for Bernoulli units (NormalizeMinMax), mean 0 and
/// variance 1 for Gaussian ones (NormalizeMeanVariance with fixZero: false).</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes; not with samples</description></item>
/// </list>
/// <para>
/// Training follows the gradient of contrastive divergence (Hinton, "Training Products of Experts by Minimizing Contrastive Divergence",
/// 2002), or with persistent chains that of stochastic maximum likelihood (Tieleman, 2008), over shuffled mini-batches. The RBMs of a stack
/// are trained one after the other, each on the hidden means of the one below (Hinton, Osindero and Teh, "A Fast Learning Algorithm for
/// Deep Belief Nets", 2006). A network starts from the stack if the transformer is its <see cref="TrainingOptions.InitialModel"/>: a
/// multilayer perceptron (its first layers, see <see cref="RbmExtensions"/>) or an autoencoder. The same seed, data, computer and number of
/// threads give the same weights.
/// </para>
/// <para>
/// Where visible Bernoulli units are nearly all off (a mean below 2 %, as the words of texts are), the gradient is centered (Cho, Raiko and
/// Ilin, 2011; Montavon and Müller, 2012), and the learning rate is scaled to the variance of the rows, unless it was set.
/// </para>
/// <para>
/// The loss in the history is the reconstruction error: the mean squared difference between a value and its expected value given sampled
/// states of the hidden units. The metrics are computed on up to 1,000 training rows and on the validation data: the free energy, whose gap
/// between the two (<c>freeEnergyGap</c>) grows when the RBM overfits, and for Bernoulli units the pseudo-log-likelihood in nats per row.
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

/// <summary>Lets a supervised network start from RBMs that were trained without labels.</summary>
public static class RbmExtensions
{
    /// <param name="machines">The trained RBMs.</param>
    extension(RbmTransformer machines)
    {
        /// <summary>
        /// The hidden layers of a multilayer perceptron that can start from the RBMs. Assign them to its
        /// <see cref="MlpOptions.HiddenLayers"/>, assign the transformer to its <see cref="TrainingOptions.InitialModel"/>, and use the
        /// input column of the RBMs as features. The output layer is initialized randomly.
        /// </summary>
        /// <remarks>
        /// Hinton, Osindero and Teh, 2006. Bernoulli units become sigmoid units, ReLU units stay ReLU units, and Gaussian
        /// units become linear units.
        /// </remarks>
        public IReadOnlyList<HiddenLayer> ToHiddenLayers() => machines.Layers
            .Select(layer => (RbmArchitecture)layer.Architecture)
            .Select(machine => new HiddenLayer(machine.OutputCount) { Activation = machine.HiddenActivation })
            .ToArray();
    }
}
