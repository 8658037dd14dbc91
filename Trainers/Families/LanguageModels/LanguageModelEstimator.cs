using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Families.Recurrent;
using MLExtensions.Text;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Trains a recurrent language model, which predicts the next token of a text and can generate text.</summary>
/// <remarks>
/// <para>
/// The input is a <c>Text</c> column whose rows, in order, form one long text. Each row ends with an end-of-sequence (EOS) token. The
/// transformer adds the log probability of each row and can generate text.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Language modeling (unsupervised)</description></item>
/// <item><term>Is normalization required?</term><description>No</description></item>
/// <item><term>Is caching required?</term><description>No: text is tokenized once, in memory or in a temporary file.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// An embedding, recurrent layers and a softmax over the vocabulary (Mikolov et al., 2010), trained by truncated backpropagation through
/// time: the text is divided into <see cref="TrainingOptions.BatchSize"/> parallel streams. A training step reads
/// <see cref="Options.WindowLength"/> tokens of each stream, and the state is carried to the next one. Dropout is applied as in Zaremba et
/// al. (2014): never between the time steps of a layer. The loss is the mean cross entropy per token, in nats.
/// </para>
/// </remarks>
public sealed class LanguageModelEstimator : NetworkEstimator<LanguageModelTransformer>
{
    private readonly Options _options;

    internal LanguageModelEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(LanguageModelEstimator), options) => _options = (Options)Settings;

    private protected override void CheckSchema(SchemaShape schema)
    {
        TextColumn.Check(schema, _options.TextColumnName);
        if (_options.ContextColumnName is { } context)
            TextColumn.Check(schema, context);
    }

    private protected override IEnumerable<SchemaShape.Column> AddedColumns() =>
        LanguageModelColumns.All.Select(column => new SchemaShape.Column(column.Name, SchemaShape.Column.VectorKind.Scalar, column.Type, isKey: false));

    private protected override LanguageModelTransformer Train(IDataView input, IDataView? validation)
    {
        var model = new LanguageModelTraining(Host, _options, Seed).Run(input, validation);
        return new LanguageModelTransformer(Host, model, _options.TextColumnName, _options.ContextColumnName);
    }

    /// <summary>The options of <see cref="LanguageModelEstimator"/>.</summary>
    public sealed class Options : DataTrainingOptions
    {
        internal const int DefaultLanes = 20;
        internal const int DefaultEpochCount = 10;
        internal const double DefaultAdamRate = 0.002;

        /// <summary>What those who prepared the texts have to say of them: counts, and what they count.</summary>
        internal IReadOnlyList<TextRemark> Remarks { get; set; } = [];

        /// <summary>
        /// Creates options with defaults for a few megabytes of text: Adam with a learning rate of 0.002, 20 parallel streams, 10 epochs,
        /// gradients clipped at 1.
        /// </summary>
        public Options()
        {
            Epochs = DefaultEpochCount;
            BatchSize = DefaultLanes;
            LearningRate = DefaultAdamRate;
            GradientClipNorm = 1;
        }

        /// <summary>The text column. Default <c>Text</c>.</summary>
        [DoesNotChangeResult]
        public string TextColumnName { get; set; } = "Text";

        /// <summary>
        /// How text is divided into tokens, and the vocabulary size. Not used with an <see cref="TrainingOptions.InitialModel"/>, which has
        /// its own tokenizer. Default: the 10,000 most frequent words.
        /// </summary>
        [DoesNotChangeResult]
        public Tokenization Tokenization { get; set; } = Tokenization.Words();

        /// <summary>
        /// Whether rows have nothing to do with each other, as poems or reviews have: each is read from its beginning with an empty memory,
        /// and rows are shuffled in each epoch. A batch is then <see cref="TrainingOptions.BatchSize"/> whole rows of similar length, and
        /// <see cref="WindowLength"/> is not used. Default false: the rows are one long text.
        /// </summary>
        public bool IndependentRows { get; set; }

        /// <summary>
        /// A text column that is read before each row and not predicted: what the row is about, for example. Needs
        /// <see cref="IndependentRows"/>. To generate text with it, begin the prompt with it and a line feed. Default null.
        /// </summary>
        [DoesNotChangeResult]
        public string? ContextColumnName { get; set; }

        /// <summary>
        /// The fraction of rows of each epoch, others each time, that are read without their context, in [0, 1), so that the network can also
        /// do without one. Default 0.
        /// </summary>
        public double ContextDropout { get; set; }

        /// <summary>
        /// The names of what a token has in common with others, such as the ending of a word or the tone of a character: a token's vector is
        /// the sum of its own and those of its features, so what is learned of a feature holds for rare tokens, too. With
        /// <see cref="TieEmbeddings"/> the output layer has these sums as well. Asked once for each token of the vocabulary; saved with the
        /// model. Not used with an <see cref="TrainingOptions.InitialModel"/>. Default null: no features.
        /// </summary>
        [DoesNotChangeResult]
        public Func<string, IEnumerable<string>>? TokenFeatures { get; set; }

        /// <summary>The recurrent cell. Default <see cref="RecurrentCell.Lstm"/>.</summary>
        public RecurrentCell Cell { get; set; } = RecurrentCell.Lstm;

        /// <summary>The number of recurrent layers. Default 2.</summary>
        public int NumberOfLayers { get; set; } = 2;

        /// <summary>The number of hidden units of each layer. Default 200.</summary>
        public int HiddenUnits { get; set; } = 200;

        /// <summary>Embedding size. Default null: equal to the number of hidden units.</summary>
        public int? EmbeddingSize { get; set; }

        /// <summary>
        /// The number of tokens of each parallel stream per training step; backpropagation through time is truncated to it. Default 35.
        /// </summary>
        public int WindowLength { get; set; } = 35;

        /// <summary>Dropout rate of the embedding and of each layer's output, in [0, 1). Default 0.</summary>
        public double Dropout { get; set; }

        /// <summary>
        /// Whether the embedding is also used as the weights of the output layer: fewer parameters and usually a lower
        /// perplexity. Default false.
        /// </summary>
        public bool TieEmbeddings { get; set; }

        /// <summary>
        /// Number of sampled tokens for a sampled softmax, drawn again in each training step. Faster for vocabularies of tens of thousands
        /// of tokens. The training loss is then lower than the validation loss, which always covers the whole vocabulary. Default null: the
        /// full softmax.
        /// </summary>
        public int? NumberOfSampledTokens { get; set; }

        /// <summary>
        /// Number format of the matrix products of the output layer in training. Default <see cref="Precision.Float32"/>.
        /// </summary>
        public Precision OutputPrecision { get; set; }

        /// <summary>
        /// All weights are initialized uniformly in plus or minus this value. Default null: <see cref="TrainingOptions.Initialization"/>
        /// for linear layers, plus or minus 1 / sqrt(hidden units) for recurrent layers, plus or minus 0.1 for the embedding.
        /// </summary>
        public double? InitialScale { get; set; }

        /// <summary>
        /// Initial bias of the LSTM forget gates; with 1 the network remembers from the start (Jozefowicz et al., 2015). Default 1.
        /// </summary>
        public double ForgetBias { get; set; } = 1;

        /// <summary>
        /// The small network of Zaremba et al. (2014) for the Penn Treebank: 2 layers of 200 units, windows of 20 tokens, no dropout, 13
        /// epochs.
        /// </summary>
        /// <inheritdoc cref="LanguageModelPresets.Words"/>
        public static Options Small() => LanguageModelPresets.Words(hiddenUnits: 200, steps: 20, keep: 1, scale: 0.1, epochs: 13, epochsAtFullRate: 4, decay: 0.5, clip: 5);

        /// <summary>
        /// The medium network of Zaremba et al. (2014) for the Penn Treebank: 2 layers of 650 units, windows of 35 tokens, dropout 0.5, 39
        /// epochs.
        /// </summary>
        /// <inheritdoc cref="LanguageModelPresets.Words"/>
        public static Options Medium() => LanguageModelPresets.Words(hiddenUnits: 650, steps: 35, keep: 0.5, scale: 0.05, epochs: 39, epochsAtFullRate: 6, decay: 0.8, clip: 5);

        /// <summary>
        /// The large network of Zaremba et al. (2014) for the Penn Treebank: 2 layers of 1500 units, windows of 35 tokens, dropout 0.65, 55
        /// epochs.
        /// </summary>
        /// <inheritdoc cref="LanguageModelPresets.Words"/>
        public static Options Large() => LanguageModelPresets.Words(hiddenUnits: 1500, steps: 35, keep: 0.35, scale: 0.04, epochs: 55, epochsAtFullRate: 14, decay: 1 / 1.15, clip: 10);

        /// <summary>
        /// A network over characters: 2 layers of 128 units, windows of 50 tokens, 50 parallel streams, dropout 0.15, AdamW with a learning
        /// rate of 0.004 and a cosine schedule, weight decay 0.2, 15 epochs.
        /// </summary>
        public static Options Characters() => LanguageModelPresets.Characters();

        internal LanguageModelArchitecture CreateArchitecture(TextTokenizer tokenizer, TokenFeatures? features = null) => new()
        {
            TokenFeatures = features,
            InputCount = 1,
            OutputCount = tokenizer.VocabularySize,
            Tokenizer = tokenizer,
            Recurrent = new RecurrentLayers(Cell, HiddenUnits, NumberOfLayers) { Dropout = Dropout },
            EmbeddingSize = EmbeddingSize ?? HiddenUnits,
            Dropout = Dropout,
            TieEmbeddings = TieEmbeddings,
        };

        internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
        [
            (nameof(HiddenUnits), FormattableString.Invariant($"{HiddenUnits}")), (nameof(NumberOfLayers), FormattableString.Invariant($"{NumberOfLayers}")), (nameof(EmbeddingSize), EmbeddingSize?.ToString(CultureInfo.InvariantCulture) ?? "null"),
            (nameof(WindowLength), FormattableString.Invariant($"{WindowLength}")),
        ];

        internal override void InitializeWeights(nn.Module network, ulong seed) =>
            RecurrentInitializer.Initialize(network, Initialization, seed, Cell, InitialScale, ForgetBias);

        internal override void Check()
        {
            base.Check();
            OptionCheck.NotEmpty(TextColumnName, nameof(TextColumnName));
            OptionCheck.NotNull(Tokenization, nameof(Tokenization));
            Tokenization.Check(nameof(Tokenization));
            OptionCheck.Defined(Cell, nameof(Cell));
            OptionCheck.Count(NumberOfLayers, RecurrentLayers.MaximumLayers, nameof(NumberOfLayers));
            OptionCheck.Count(HiddenUnits, RecurrentLayers.MaximumUnits, nameof(HiddenUnits));
            OptionCheck.Count(EmbeddingSize ?? 1, RecurrentLayers.MaximumUnits, nameof(EmbeddingSize));
            OptionCheck.AtLeast(WindowLength, 1, nameof(WindowLength));
            OptionCheck.Fraction(Dropout, nameof(Dropout));
            OptionCheck.Fraction(ContextDropout, nameof(ContextDropout));
            if (ContextColumnName != null)
                OptionCheck.NotEmpty(ContextColumnName, nameof(ContextColumnName));
            if (ContextColumnName != null && !IndependentRows)
                throw new ArgumentException($"{nameof(ContextColumnName)} is '{ContextColumnName}', but {nameof(IndependentRows)} is false; only rows that are independent have a context. Set it to true, or {nameof(ContextColumnName)} to null.", nameof(ContextColumnName));
            if (ContextDropout > 0 && ContextColumnName == null)
                throw new ArgumentException(FormattableString.Invariant($"{nameof(ContextDropout)} is {ContextDropout}, but there is no {nameof(ContextColumnName)}; it must be 0 then."), nameof(ContextDropout));
            OptionCheck.AtLeast(NumberOfSampledTokens ?? 1, 1, nameof(NumberOfSampledTokens));
            OptionCheck.Require(OutputPrecision is Precision.Float32 or Precision.BFloat16, OutputPrecision, nameof(OutputPrecision), $"{Precision.Float32} or {Precision.BFloat16}; {nameof(Precision)} = {Precision.TensorFloat32} is for all layers");
            OptionCheck.Positive(InitialScale ?? 1, nameof(InitialScale));
            OptionCheck.Between(ForgetBias, -100, 100, nameof(ForgetBias));
        }
    }
}
