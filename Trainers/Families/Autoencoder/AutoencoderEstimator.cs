using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Families.Autoencoder;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Learns a low-dimensional latent representation of each row without labels: a network that is trained to reconstruct its input from it.
/// </summary>
/// <remarks>
/// <para>
/// Features are a <c>Vector&lt;Single&gt;</c> of known size (or one <c>Single</c>). The transformer puts the latent representation in
/// <see cref="Options.OutputColumnName"/>, a <c>Vector&lt;Single&gt;</c> of <see cref="Options.LatentSize"/> values, and optionally the
/// reconstructed features in <see cref="Options.ReconstructionColumnName"/> and their error in <see cref="Options.ErrorColumnName"/>.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Feature learning, dimensionality reduction; no label</description></item>
/// <item><term>Is normalization required?</term><description>Yes: features in [0, 1] (NormalizeMinMax), or with mean 0 and variance 1 for
/// <see cref="AutoencoderOutput.Gaussian"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes</description></item>
/// </list>
/// <para>
/// The encoder layers compute activation(W x + b). The decoder layers are their mirror image, with their own weights. Training uses
/// backpropagation to minimize, per feature, the cross entropy between features and reconstructed probabilities, or the squared error for
/// real numbers. The metric <c>mse</c> in the history is the mean squared error per feature in both cases. With a linear latent layer, no
/// hidden layers and real numbers, an autoencoder finds the subspace of the principal components; hidden layers make it nonlinear.
/// </para>
/// <para>
/// Pretraining: an <see cref="RbmTransformer"/> as <see cref="TrainingOptions.InitialModel"/>, an RBM or a stack of RBMs, is unrolled as in
/// Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks" (Science 313, 2006). The encoder starts with the
/// weights of the RBMs, the decoder with the transposed weights. The sizes of the layers, their activations
/// (<see cref="Activation.Sigmoid"/> for Bernoulli units, <see cref="Activation.ReLU"/> for ReLU units, <see cref="Activation.Identity"/>
/// for Gaussian ones) and the kind of output must match the stack; options that are null are taken from it. The same seed, data, computer
/// and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class AutoencoderEstimator : NetworkEstimator<AutoencoderTransformer>
{
    private readonly Options _options;

    internal AutoencoderEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(AutoencoderEstimator), options) => _options = (Options)Settings;

    /// <summary>The options of <see cref="AutoencoderEstimator"/>.</summary>
    /// <remarks>
    /// <see cref="HiddenLayers"/>, <see cref="LatentSize"/>, <see cref="Activation"/>, <see cref="LatentActivation"/> and
    /// <see cref="Output"/> are taken from <see cref="TrainingOptions.InitialModel"/> if they are null and it is a stack of RBMs or an
    /// autoencoder.
    /// </remarks>
    public sealed class Options : RowTrainingOptions
    {
        internal const string DefaultColumnName = DefaultColumnNames.Features;

        // Can be plotted, and is smaller than almost any number of features: a latent layer as large as the features would compress nothing.
        internal const int DefaultLatentSize = 2;

        internal static readonly IReadOnlyList<int> DefaultHiddenLayers = [256, 64];

        /// <summary>
        /// The column to add or to replace: the latent representation, a <c>Vector&lt;Single&gt;</c> of <see cref="LatentSize"/> values.
        /// Default <c>Features</c>.
        /// </summary>
        [DoesNotChangeResult]
        public string OutputColumnName { get; set; } = DefaultColumnName;

        /// <summary>The feature column, a <c>Vector&lt;Single&gt;</c> of known size, or a <c>Single</c>. Default <c>Features</c>.</summary>
        [DoesNotChangeResult]
        public string InputColumnName { get; set; } = DefaultColumnName;

        /// <summary>
        /// The column to add for the reconstructed features, a <c>Vector&lt;Single&gt;</c> of the same size as the
        /// features. Default null: none.
        /// </summary>
        [DoesNotChangeResult]
        public string? ReconstructionColumnName { get; set; }

        /// <summary>
        /// The column to add for the mean squared error per feature between a row's features and their reconstruction, a <c>Single</c>: an
        /// anomaly score, since rows unlike those of the training are reconstructed badly. <c>ml.AnomalyDetection.Evaluate</c> takes it,
        /// under the name <c>Score</c> without being told. Default null: none.
        /// </summary>
        [DoesNotChangeResult]
        public string? ErrorColumnName { get; set; }

        /// <summary>
        /// The number of units of each layer between the features and the latent layer; the decoder has the same layers in reverse order.
        /// Empty: the latent layer is the only one. Default null: 256 and 64, or those of <see cref="TrainingOptions.InitialModel"/>.
        /// </summary>
        public IReadOnlyList<int>? HiddenLayers { get; set; }

        /// <summary>
        /// The number of values of the latent representation. Larger ones keep more information: the paper uses 30 for images of
        /// handwritten digits. Default null: 2, which can be plotted, or that of <see cref="TrainingOptions.InitialModel"/>.
        /// </summary>
        public int? LatentSize { get; set; }

        /// <summary>
        /// The activation function of the hidden layers, not <see cref="Activation.PReLU"/>. Default null: <see cref="Activation.ReLU"/>,
        /// or those of the layers of <see cref="TrainingOptions.InitialModel"/>.
        /// </summary>
        public Activation? Activation { get; set; }

        /// <summary>
        /// The activation function of the latent layer, not <see cref="Activation.PReLU"/>. Default null:
        /// <see cref="Activation.Identity"/>, that is, real numbers, or that of <see cref="TrainingOptions.InitialModel"/>.
        /// </summary>
        public Activation? LatentActivation { get; set; }

        /// <summary>
        /// What the features are. Default null: <see cref="AutoencoderOutput.Bernoulli"/>, or that of
        /// <see cref="TrainingOptions.InitialModel"/>.
        /// </summary>
        public AutoencoderOutput? Output { get; set; }

        internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
            [(nameof(HiddenLayers), HiddenLayers == null ? "null" : FormattableString.Invariant($"[{NameList.Of(HiddenLayers.Select(units => FormattableString.Invariant($"{units}")).ToList())}]")), (nameof(LatentSize), LatentSize?.ToString(CultureInfo.InvariantCulture) ?? "null")];

        internal override TrainingOptions Snapshot()
        {
            var copy = (Options)base.Snapshot();
            copy.HiddenLayers = HiddenLayers?.ToArray();
            return copy;
        }

        internal override void Check()
        {
            OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
            OptionCheck.NotEmpty(InputColumnName, nameof(InputColumnName));
            if (ReconstructionColumnName != null)
            {
                OptionCheck.NotEmpty(ReconstructionColumnName, nameof(ReconstructionColumnName));
                OptionCheck.Require(ReconstructionColumnName != OutputColumnName, ReconstructionColumnName, nameof(ReconstructionColumnName), $"another name than {nameof(OutputColumnName)}");
            }
            OptionCheck.Between(HiddenLayers?.Count ?? 0, 0, MaximumLayers, $"{nameof(HiddenLayers)}.{nameof(HiddenLayers.Count)}");
            if (ErrorColumnName != null)
            {
                OptionCheck.NotEmpty(ErrorColumnName, nameof(ErrorColumnName));
                Messages.ColumnNames.RequireOther(ErrorColumnName, nameof(ErrorColumnName), (InputColumnName, nameof(InputColumnName)));
                OptionCheck.Require(ErrorColumnName != OutputColumnName && ErrorColumnName != ReconstructionColumnName, ErrorColumnName, nameof(ErrorColumnName), $"another name than {nameof(OutputColumnName)} and {nameof(ReconstructionColumnName)}");
            }
            for (var i = 0; i < HiddenLayers?.Count; i++)
                OptionCheck.AtLeast(HiddenLayers[i], 1, FormattableString.Invariant($"{nameof(HiddenLayers)}[{i}]"));
            OptionCheck.AtLeast(LatentSize ?? 1, 1, nameof(LatentSize));
            CheckActivation(Activation, nameof(Activation));
            CheckActivation(LatentActivation, nameof(LatentActivation));
            OptionCheck.Defined(Output ?? default, nameof(Output));
            base.Check();
        }

        private static void CheckActivation(Activation? activation, string option)
        {
            OptionCheck.Defined(activation ?? default, option);
            OptionCheck.Require(activation != MLExtensions.Activation.PReLU, activation, option, "an activation without parameters");
        }
    }

    private protected override void CheckSchema(SchemaShape schema) => FeatureRows.Check(schema, _options.InputColumnName);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns()
    {
        yield return OutputColumn.Vector(_options.OutputColumnName, 1).Shape;
        if (_options.ReconstructionColumnName is { } reconstruction)
            yield return OutputColumn.Vector(reconstruction, 1).Shape;
        if (_options.ErrorColumnName is { } error)
            yield return OutputColumn.Number(error).Shape;
    }

    private protected override AutoencoderTransformer Train(IDataView input, IDataView? validation)
    {
        var model = new AutoencoderTraining(Host, _options, Seed).Run(input, validation);
        return new AutoencoderTransformer(Host, model, new(_options.OutputColumnName, _options.InputColumnName, _options.ReconstructionColumnName, _options.ErrorColumnName));
    }
}
