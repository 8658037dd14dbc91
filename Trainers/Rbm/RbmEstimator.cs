using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Codes;
using MLExtensions.Rbm;

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
/// when the transformer is its <see cref="TrainingOptions.InitialModel"/>: a perceptron (its first layers: see <see cref="RbmHandOver"/>) or an autoencoder.
/// All numbers are drawn from the seed: the same seed, data, machine and number of threads give the same weights.
/// </para>
/// <para>
/// The loss in the history is the reconstruction error, the mean squared difference of a value and its expected value given drawn states of the hidden units. Beside it, on up to
/// 1,000 training rows and on the validation data: the free energy, whose gap between the two (<c>freeEnergyGap</c>) grows when the machine overfits, and
/// of Bernoulli units the pseudo-log-likelihood in nats a row.
/// </para>
/// </remarks>
public sealed partial class RbmEstimator : IEstimator<RbmTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;
    private readonly int _seed;

    internal RbmEstimator(IHostEnvironment env, Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _host = env.Register(nameof(RbmEstimator));
        _options = (Options)options.Snapshot();
        _seed = options.Seed ?? ((IHostEnvironmentInternal)env).Seed ?? Random.Shared.Next();
    }

    /// <summary>Trains the machine, or one after the other.</summary>
    /// <param name="input">Data with the column of features.</param>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type, or the data cannot be trained on.</exception>
    /// <exception cref="FormatException">A value is not finite, or none that the visible units can have; the message names column, row, slot and value.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    public RbmTransformer Fit(IDataView input) => FitCore(input, null);

    /// <summary>Trains with validation data of its own.</summary>
    /// <param name="trainData">The training data.</param>
    /// <param name="validationData">The validation data, with the same column; takes the place of <see cref="TrainingOptions.ValidationFraction"/>.</param>
    /// <inheritdoc cref="Fit(IDataView)"/>
    public RbmTransformer Fit(IDataView trainData, IDataView validationData)
    {
        ArgumentNullException.ThrowIfNull(validationData);
        return FitCore(trainData, validationData);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of a wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return CodeColumns.Extend(inputSchema, _options.InputColumnName, (_options.OutputColumnName, true), (_options.ReconstructionColumnName, true), (_options.FreeEnergyColumnName, false));
    }

    private RbmTransformer FitCore(IDataView input, IDataView? validation)
    {
        ArgumentNullException.ThrowIfNull(input);
        GetOutputSchema(SchemaShape.Create(input.Schema));
        if (validation != null)
            GetOutputSchema(SchemaShape.Create(validation.Schema));
        var layers = new RbmTraining(_host, _options, _seed).Run(input, validation);
        return new RbmTransformer(_host, layers, _options.ColumnNames, _options.Output, _seed);
    }
}
