using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Autoencoder;
using MLExtensions.Tensors;
using MLExtensions.Models;
using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;
using MLExtensions.Families.Recurrent;

namespace MLExtensions;

/// <summary>Learns a code of a few numbers for each row, without labels: a network that must say the features again from the code alone.</summary>
/// <remarks>
/// <para>
/// Features are a <c>Vector&lt;Single&gt;</c> of known size (or one <c>Single</c>). The transformer puts the code in
/// <see cref="Options.OutputColumnName"/>, a <c>Vector&lt;Single&gt;</c> of <see cref="Options.LatentSize"/> values, and on demand the reconstructed features in
/// <see cref="Options.ReconstructionColumnName"/>.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Feature learning, dimensionality reduction; no label</description></item>
/// <item><term>Is normalization required?</term><description>Yes: features in [0, 1] (NormalizeMinMax), or of about unit size for <see cref="AutoencoderOutput.Gaussian"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch for the machine</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// The encoder's layers compute activation(W x + b), the decoder's are their mirror image with weights of their own. Training minimises by back-propagation, per feature, the
/// cross entropy between features and reconstructed probabilities, or the squared error of real numbers; the history's metric <c>mse</c> is the mean squared error per feature for both.
/// With a linear code, no hidden layers and real numbers it finds the space of the principal components; hidden layers bend it.
/// </para>
/// <para>
/// Pretraining: an <see cref="RbmTransformer"/> as <see cref="TrainingOptions.InitialModel"/>, a machine or a stack of them, is unrolled, as in Hinton and Salakhutdinov,
/// "Reducing the Dimensionality of Data with Neural Networks" (Science 313, 2006). The encoder starts with the machines' weights and the decoder with the same ones, transposed. The sizes of
/// the layers, their activations (<see cref="Activation.Sigmoid"/> for Bernoulli units, <see cref="Activation.ReLU"/> for ReLU units, <see cref="Activation.Identity"/> for
/// Gaussian ones) and the kind of output must be those of the stack, and are where the options are left at null. All numbers are drawn from the seed: the same seed, data, machine and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed class AutoencoderEstimator : NetworkEstimator<AutoencoderTransformer>
{
    private readonly Options _options;

    internal AutoencoderEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(AutoencoderEstimator), options) => _options = (Options)Settings;

    /// <summary>The options of <see cref="AutoencoderEstimator"/>.</summary>
    /// <remarks>
    /// <see cref="HiddenLayers"/>, <see cref="LatentSize"/>, <see cref="Activation"/>, <see cref="LatentActivation"/> and <see cref="Output"/> left at null are those of
    /// <see cref="TrainingOptions.InitialModel"/> where it is a stack of restricted Boltzmann machines or an autoencoder.
    /// </remarks>
    public sealed class Options : RowTrainingOptions
    {
        internal const string DefaultColumnName = DefaultColumnNames.Features;

        // Can be drawn, and is fewer than almost any features: a larger code than the features would be no code.
        internal const int DefaultLatentSize = 2;

        internal static readonly IReadOnlyList<int> DefaultHiddenLayers = [256, 64];

        /// <summary>The column to add, or to replace: the code, a <c>Vector&lt;Single&gt;</c> of <see cref="LatentSize"/> values. Default <c>Features</c>.</summary>
        [DoesNotChangeResult]
        public string OutputColumnName { get; set; } = DefaultColumnName;

        /// <summary>The column of features, a <c>Vector&lt;Single&gt;</c> of known size, or a <c>Single</c>. Default <c>Features</c>.</summary>
        [DoesNotChangeResult]
        public string InputColumnName { get; set; } = DefaultColumnName;

        /// <summary>A column to add for what the code says that the features were, a <c>Vector&lt;Single&gt;</c> of their size. Default null: none.</summary>
        [DoesNotChangeResult]
        public string? ReconstructionColumnName { get; set; }

        /// <summary>
        /// The hidden units of the layers between the features and the code; the decoder has the same backwards. None makes a code of one
        /// layer. Default null: 256 and 64, or those of <see cref="TrainingOptions.InitialModel"/>.
        /// </summary>
        public IReadOnlyList<int>? HiddenLayers { get; set; }

        /// <summary>
        /// The number of values of the code. Default null: 2, which can be drawn and are fewer than almost any features, or that of
        /// <see cref="TrainingOptions.InitialModel"/>. More say more: 30 in the paper for images of handwritten digits.
        /// </summary>
        public int? LatentSize { get; set; }

        /// <summary>
        /// The activation function of the hidden layers, not <see cref="Activation.PReLU"/>. Default null: <see cref="Activation.ReLU"/>,
        /// or layer by layer those of <see cref="TrainingOptions.InitialModel"/>.
        /// </summary>
        public Activation? Activation { get; set; }

        /// <summary>
        /// The activation function of the code, not <see cref="Activation.PReLU"/>. Default null: <see cref="Activation.Identity"/>, a code
        /// of real numbers, or that of <see cref="TrainingOptions.InitialModel"/>.
        /// </summary>
        public Activation? LatentActivation { get; set; }

        /// <summary>What the features are. Default null: <see cref="AutoencoderOutput.Bernoulli"/>, or that of <see cref="TrainingOptions.InitialModel"/>.</summary>
        public AutoencoderOutput? Output { get; set; }

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
            for (var i = 0; i < HiddenLayers?.Count; i++)
                OptionCheck.AtLeast(HiddenLayers[i], 1, $"{nameof(HiddenLayers)}[{i}]");
            OptionCheck.AtLeast(LatentSize ?? 1, 1, nameof(LatentSize));
            CheckActivation(Activation, nameof(Activation));
            CheckActivation(LatentActivation, nameof(LatentActivation));
            OptionCheck.Defined(Output ?? default, nameof(Output));
            base.Check();
        }

        private static void CheckActivation(Activation? activation, string option)
        {
            OptionCheck.Defined(activation ?? default, option);
            OptionCheck.Require(activation != MLExtensions.Activation.PReLU, activation, option, "an activation without parameters of its own");
        }
    }

    private protected override void CheckSchema(SchemaShape schema) => FeatureRows.Check(schema, _options.InputColumnName);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns()
    {
        yield return OutputColumn.Vector(_options.OutputColumnName, 1).Shape;
        if (_options.ReconstructionColumnName is { } reconstruction)
            yield return OutputColumn.Vector(reconstruction, 1).Shape;
    }

    private protected override AutoencoderTransformer Train(IDataView input, IDataView? validation)
    {
        var model = new AutoencoderTraining(Host, _options, Seed).Run(input, validation);
        return new AutoencoderTransformer(Host, model, _options.OutputColumnName, _options.InputColumnName, _options.ReconstructionColumnName);
    }
}
