using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Text;
using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;
using MLExtensions.Families.Recurrent;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Trains a recurrent network to predict the next token of a text: a language model, which can also write.</summary>
/// <remarks>
/// <para>
/// The input is a <c>Text</c> column whose rows, in their order, are one long text; a row's end is a token of its own. The transformer
/// adds how probable each row is, and generates text.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Language modelling (unsupervised)</description></item>
/// <item><term>Is normalization required?</term><description>No</description></item>
/// <item><term>Is caching required?</term><description>No: text becomes tokens once, in memory or in a temporary file.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch for the machine</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// An embedding, recurrent layers and a softmax over the vocabulary (Mikolov et al., 2010), trained by truncated back-propagation
/// through time: the text is cut into <see cref="TrainingOptions.BatchSize"/> lanes that are read side by side,
/// <see cref="Options.WindowLength"/> tokens a step, and the state is carried from step to step. Dropout is where Zaremba et al. (2014)
/// have it: never between a layer's own steps. The loss is the mean cross entropy of a token, in nats.
/// </para>
/// </remarks>
public sealed class LanguageModelEstimator : NetworkEstimator<LanguageModelTransformer>
{
    private readonly Options _options;

    internal LanguageModelEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(LanguageModelEstimator), options) => _options = (Options)Settings;

    private protected override void CheckSchema(SchemaShape schema) => TextColumn.Check(schema, _options.TextColumnName);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns() =>
        LanguageModelColumns.All.Select(column => new SchemaShape.Column(column.Name, SchemaShape.Column.VectorKind.Scalar, column.Type, isKey: false));

    private protected override LanguageModelTransformer Train(IDataView input, IDataView? validation)
    {
        var model = new LanguageModelTraining(Host, _options, Seed).Run(input, validation);
        return new LanguageModelTransformer(Host, model, _options.TextColumnName);
    }

    /// <summary>The options of <see cref="LanguageModelEstimator"/>.</summary>
    public sealed class Options : DataTrainingOptions
    {
        internal const int DefaultLanes = 20;
        internal const int DefaultEpochCount = 10;
        internal const double DefaultAdamRate = 0.002;

        /// <summary>Options whose defaults suit some megabytes of text: Adam at 0.002, 20 lanes, 10 epochs, gradients clipped at 1.</summary>
        public Options()
        {
            Epochs = DefaultEpochCount;
            BatchSize = DefaultLanes;
            LearningRate = DefaultAdamRate;
            GradientClipNorm = 1;
        }

        /// <summary>The column of text. Default <c>Text</c>.</summary>
        [DoesNotChangeResult]
        public string TextColumnName { get; set; } = "Text";

        /// <summary>
        /// What tokens are and how many there can be; an <see cref="TrainingOptions.InitialModel"/> brings its own. Default the 10,000
        /// most frequent words.
        /// </summary>
        [DoesNotChangeResult]
        public Tokenization Tokenization { get; set; } = Tokenization.Words();

        /// <summary>What a recurrent layer computes. Default <see cref="RecurrentCell.Lstm"/>.</summary>
        public RecurrentCell Cell { get; set; } = RecurrentCell.Lstm;

        /// <summary>The number of recurrent layers. Default 2.</summary>
        public int NumberOfLayers { get; set; } = 2;

        /// <summary>The hidden units of a layer. Default 200.</summary>
        public int HiddenUnits { get; set; } = 200;

        /// <summary>The number of values that stand for a token. Default null: as many as hidden units.</summary>
        public int? EmbeddingSize { get; set; }

        /// <summary>The tokens of a back-propagation, and of a step of each lane. Default 35.</summary>
        public int WindowLength { get; set; } = 35;

        /// <summary>The probability of setting a value to zero in training, in [0, 1): of the embedding and of each layer's output. Default 0.</summary>
        public double Dropout { get; set; }

        /// <summary>Whether the embedding serves as the output layer's weights: fewer parameters, mostly a lower perplexity. Default false.</summary>
        public bool TieEmbeddings { get; set; }

        /// <summary>
        /// The number of wrong tokens that training compares the right one with, drawn anew each step: an easier question, whose training
        /// loss is lower than that of the whole vocabulary, which validation always has. For vocabularies of tens of thousands. Default
        /// null: all tokens.
        /// </summary>
        public int? NumberOfSampledTokens { get; set; }

        /// <summary>The number format of the output layer's products in training. Default <see cref="Precision.Float32"/>.</summary>
        public Precision OutputPrecision { get; set; }

        /// <summary>All weights start uniformly in plus or minus this. Default null: layers by <see cref="TrainingOptions.Initialization"/>, recurrent ones in 1 / sqrt(hidden units), the embedding in 0.1.</summary>
        public double? InitialScale { get; set; }

        /// <summary>The first bias of an LSTM's forget gates; 1 lets it remember from the start (Jozefowicz et al., 2015). Default 1.</summary>
        public double ForgetBias { get; set; } = 1;

        /// <summary>The smaller network of Zaremba et al. (2014) for the Penn Treebank: 2 layers of 200, 20 steps, no dropout, 13 epochs.</summary>
        /// <inheritdoc cref="LanguageModelPresets.Words"/>
        public static Options Small() => LanguageModelPresets.Words(hiddenUnits: 200, steps: 20, keep: 1, scale: 0.1, epochs: 13, epochsAtFullRate: 4, decay: 0.5, clip: 5);

        /// <summary>The medium network of Zaremba et al. (2014) for the Penn Treebank: 2 layers of 650, 35 steps, half of the values kept, 39 epochs.</summary>
        /// <inheritdoc cref="LanguageModelPresets.Words"/>
        public static Options Medium() => LanguageModelPresets.Words(hiddenUnits: 650, steps: 35, keep: 0.5, scale: 0.05, epochs: 39, epochsAtFullRate: 6, decay: 0.8, clip: 5);

        /// <summary>The large network of Zaremba et al. (2014) for the Penn Treebank: 2 layers of 1500, 35 steps, .35 of the values kept, 55 epochs.</summary>
        /// <inheritdoc cref="LanguageModelPresets.Words"/>
        public static Options Large() => LanguageModelPresets.Words(hiddenUnits: 1500, steps: 35, keep: 0.35, scale: 0.04, epochs: 55, epochsAtFullRate: 14, decay: 1 / 1.15, clip: 10);

        /// <summary>A network over characters: 2 layers of 128, 50 steps, 50 lanes, dropout .15, AdamW at 0.004 falling along a cosine, weight decay .2, 15 epochs.</summary>
        public static Options Characters() => LanguageModelPresets.Characters();

        internal LanguageModelArchitecture CreateArchitecture(TextTokenizer tokenizer) => new()
        {
            InputCount = 1,
            OutputCount = tokenizer.VocabularySize,
            Tokenizer = tokenizer,
            Recurrent = new RecurrentLayers(Cell, HiddenUnits, NumberOfLayers) { Dropout = Dropout },
            EmbeddingSize = EmbeddingSize ?? HiddenUnits,
            Dropout = Dropout,
            TieEmbeddings = TieEmbeddings,
        };

        internal override void InitializeWeights(nn.Module network, ulong seed) =>
            RecurrentInitializer.Initialize(network, Initialization, seed, Cell, InitialScale, ForgetBias);

        internal override void Check()
        {
            base.Check();
            OptionCheck.NotEmpty(TextColumnName, nameof(TextColumnName));
            OptionCheck.NotNull(Tokenization, nameof(Tokenization));
            Tokenization.Check(nameof(Tokenization));
            OptionCheck.Defined(Cell, nameof(Cell));
            OptionCheck.AtLeast(NumberOfLayers, 1, nameof(NumberOfLayers));
            OptionCheck.AtLeast(HiddenUnits, 1, nameof(HiddenUnits));
            OptionCheck.AtLeast(EmbeddingSize ?? 1, 1, nameof(EmbeddingSize));
            OptionCheck.AtLeast(WindowLength, 1, nameof(WindowLength));
            OptionCheck.Fraction(Dropout, nameof(Dropout));
            OptionCheck.AtLeast(NumberOfSampledTokens ?? 1, 1, nameof(NumberOfSampledTokens));
            OptionCheck.Defined(OutputPrecision, nameof(OutputPrecision));
            OptionCheck.Positive(InitialScale ?? 1, nameof(InitialScale));
            OptionCheck.Between(ForgetBias, -100, 100, nameof(ForgetBias));
        }
    }
}
