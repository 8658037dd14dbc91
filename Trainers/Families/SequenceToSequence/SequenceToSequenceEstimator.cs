using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Families.Recurrent;
using MLExtensions.Families.SequenceToSequence;
using MLExtensions.Text;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Trains a recurrent network that reads one text and writes another: answers, translations, corrections.</summary>
/// <remarks>
/// <para>
/// The input has a column of sources and one of targets, each a <c>Text</c> or a vector of keys, whose values are words. The transformer adds what the network
/// writes for each source, as text.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Sequence to sequence</description></item>
/// <item><term>Is normalization required?</term><description>No</description></item>
/// <item><term>Is caching required?</term><description>No: texts are tokenized once, in memory or in a temporary file.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// An encoder of LSTM or GRU layers reads the source, and a decoder that begins with its last state writes the target, token by token
/// (Sutskever et al., 2014; Cho et al., 2014), with attention to the source (Luong et al., 2015; Bahdanau et al., 2015) and, if wanted, copies
/// of its words (See et al., 2017). The loss is the mean cross entropy per token of the targets, in nats, ends included. Pairs of similar length
/// are in one batch, and padding is never computed with.
/// </para>
/// </remarks>
public sealed class SequenceToSequenceEstimator : NetworkEstimator<SequenceToSequenceTransformer>
{
    private readonly Options _options;

    internal SequenceToSequenceEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(SequenceToSequenceEstimator), options) => _options = (Options)Settings;

    private protected override void CheckSchema(SchemaShape schema)
    {
        TokenColumn.Check(schema, _options.SourceColumnName);
        TokenColumn.Check(schema, _options.TargetColumnName);
    }

    private protected override IEnumerable<SchemaShape.Column> AddedColumns() =>
        SequenceToSequenceColumns.Of(_options.OutputColumnName, _options.TargetColumnName, _options.Decoding).Select(SequenceToSequenceColumns.ShapeOf);

    private protected override SequenceToSequenceTransformer Train(IDataView input, IDataView? validation)
    {
        var model = new SequenceToSequenceTraining(Host, _options, Seed).Run(input, validation);
        return new SequenceToSequenceTransformer(Host, model, _options.SourceColumnName, _options.TargetColumnName, _options.OutputColumnName, _options.Decoding, owned: true);
    }

    /// <summary>The options of <see cref="SequenceToSequenceEstimator"/>.</summary>
    public sealed class Options : DataTrainingOptions
    {
        internal const int DefaultHiddenUnits = 128;
        internal const int DefaultEpochCount = 10;

        // With small vectors tokens hardly move the gates, and attention takes many times as long to find what matters. As an output layer
        // they must be small.
        private const double EmbeddingScale = 1;
        private const double TiedScale = 0.1;

        /// <summary>
        /// Creates options with defaults for some ten thousand short texts: Adam with a learning rate of 0.001, batches of 32 pairs, 10 epochs,
        /// gradients clipped at 5.
        /// </summary>
        public Options()
        {
            Epochs = DefaultEpochCount;
            GradientClipNorm = 5;
        }

        /// <summary>
        /// The column that is read: texts, or vectors of keys, whose values are words. Default <c>Source</c>.
        /// </summary>
        [DoesNotChangeResult]
        public string SourceColumnName { get; set; } = "Source";

        /// <summary>The column of what is to be written: texts, or vectors of keys, whose values are words. Default <c>Target</c>.</summary>
        [DoesNotChangeResult]
        public string TargetColumnName { get; set; } = "Target";

        /// <summary>The text column that the transformer adds: what the network writes. Default <c>Answer</c>.</summary>
        [DoesNotChangeResult]
        public string OutputColumnName { get; set; } = "Answer";

        /// <summary>
        /// How texts are divided into tokens, and the vocabulary. Not used with an <see cref="TrainingOptions.InitialModel"/>, which has its own.
        /// Default: the 20,000 most frequent words in lower case, and punctuation marks.
        /// </summary>
        [DoesNotChangeResult]
        public Tokenization Tokenization { get; set; } = Tokenization.Words(20_000, lowercase: true, splitPunctuation: true);

        /// <summary>
        /// How targets are divided into tokens if they have another vocabulary than sources, such as that of another language. Default null:
        /// both share <see cref="Tokenization"/> and the embedding.
        /// </summary>
        [DoesNotChangeResult]
        public Tokenization? TargetTokenization { get; set; }

        /// <summary>The recurrent cell. Default <see cref="RecurrentCell.Lstm"/>.</summary>
        public RecurrentCell Cell { get; set; } = RecurrentCell.Lstm;

        /// <summary>The number of layers of the encoder, and of the decoder. Default 1.</summary>
        public int NumberOfLayers { get; set; } = 1;

        /// <summary>The number of hidden units of each layer and direction. Default 128.</summary>
        public int HiddenUnits { get; set; } = DefaultHiddenUnits;

        /// <summary>The embedding size. Default null: equal to the number of hidden units.</summary>
        public int? EmbeddingSize { get; set; }

        /// <summary>
        /// Whether the encoder also reads the source backwards; its last states are then mapped to those that the decoder begins with. Default false.
        /// </summary>
        public bool BidirectionalEncoder { get; set; }

        /// <summary>How the decoder looks at the source. Default <see cref="AttentionKind.Luong"/>.</summary>
        public AttentionKind Attention { get; set; } = AttentionKind.Luong;

        /// <summary>
        /// Whether words of the source can be copied, those that are not in the vocabulary too (See et al., 2017); needs attention. Default false.
        /// </summary>
        public bool CopyWords { get; set; }

        /// <summary>
        /// Whether the source is read from its end to its beginning, so that its beginning is near that of the target (Sutskever et al., 2014).
        /// Default false.
        /// </summary>
        public bool ReverseSource { get; set; }

        /// <summary>Dropout rate of the embeddings, between layers and before the output layer, in [0, 1). Default 0.</summary>
        public double Dropout { get; set; }

        /// <summary>
        /// Whether the embedding of the target is also used as the weights of the output layer: fewer parameters. Default false.
        /// </summary>
        public bool TieEmbeddings { get; set; }

        /// <summary>
        /// The maximum number of tokens of a source. Of longer ones, <see cref="LongSourceHandling"/> says what is read; it is counted in the log
        /// and in <see cref="TrainingHistory.DataCounts"/>. Default 400.
        /// </summary>
        public int MaximumSourceTokens { get; set; } = 400;

        /// <summary>
        /// What is read of longer sources. Default <see cref="LongSequenceHandling.KeepEnd"/>: the end of a conversation matters most.
        /// </summary>
        public LongSequenceHandling LongSourceHandling { get; set; } = LongSequenceHandling.KeepEnd;

        /// <summary>
        /// The maximum number of tokens of a target that are learned, and that the model writes unless <see cref="DecodingOptions.MaximumTokens"/>
        /// says otherwise. Longer targets are cut, which is counted as for sources. Default 60.
        /// </summary>
        public int MaximumTargetTokens { get; set; } = 60;

        /// <summary>How often the decoder reads the right token in training. Default <see cref="TeacherForcing.Always"/>.</summary>
        public TeacherForcing TeacherForcing { get; set; } = TeacherForcing.Always;

        /// <summary>How the transformer writes answers; <see cref="SequenceToSequenceTransformer.With"/> changes it. Default: greedy.</summary>
        [DoesNotChangeResult]
        public DecodingOptions Decoding { get; set; } = new();

        /// <summary>
        /// Number of sampled tokens for a sampled softmax, drawn again in each training step. Faster for vocabularies of tens of thousands of
        /// tokens; not with <see cref="CopyWords"/>. The training loss is then lower than the validation loss, which always covers the whole
        /// vocabulary. Default null: the full softmax.
        /// </summary>
        public int? NumberOfSampledTokens { get; set; }

        /// <summary>
        /// Number format of the matrix products of the output layer in training. Default <see cref="Precision.Float32"/>.
        /// </summary>
        public Precision OutputPrecision { get; set; }

        /// <summary>
        /// All weights are initialized uniformly in plus or minus this value. Default null: <see cref="TrainingOptions.Initialization"/>
        /// for linear layers, plus or minus 1 / sqrt(hidden units) for recurrent layers, plus or minus 1 for embeddings, or 0.1 with
        /// <see cref="TieEmbeddings"/>.
        /// </summary>
        public double? InitialScale { get; set; }

        /// <summary>
        /// Initial bias of the LSTM forget gates; with 1 the network remembers from the start (Jozefowicz et al., 2015). Default 1.
        /// </summary>
        public double ForgetBias { get; set; } = 1;

        /// <summary>
        /// The chatbot of DeepQA, as printed in books: 2 layers of 512 units, an embedding of 64, no attention, the source reversed, at most 10
        /// tokens a turn, the 40,000 most frequent words and no word that occurs once, Adam with a learning rate of 0.002, batches of 256, dropout
        /// 0.1, 30 epochs.
        /// </summary>
        public static Options DeepQA() => new()
        {
            Tokenization = Tokenization.Words(40_000, minimumCount: 2, lowercase: true, splitPunctuation: true),
            NumberOfLayers = 2,
            HiddenUnits = 512,
            EmbeddingSize = 64,
            Attention = AttentionKind.None,
            ReverseSource = true,
            MaximumSourceTokens = 10,
            MaximumTargetTokens = 10,
            Dropout = 0.1,
            BatchSize = 256,
            LearningRate = 0.002,
            Epochs = 30,
        };

        internal override bool DependsOnEpochs => base.DependsOnEpochs || TeacherForcing.DependsOnEpochs;

        internal SequenceToSequenceArchitecture CreateArchitecture(TextTokenizer source, TextTokenizer? target)
        {
            var layers = new RecurrentLayers(Cell, HiddenUnits, NumberOfLayers) { Dropout = Dropout };
            return new SequenceToSequenceArchitecture
            {
                InputCount = 1,
                OutputCount = (target ?? source).VocabularySize,
                SourceTokenizer = source,
                TargetTokenizer = target,
                Encoder = layers with { Bidirectional = BidirectionalEncoder },
                Decoder = layers,
                EmbeddingSize = EmbeddingSize ?? HiddenUnits,
                Attention = Attention,
                CopiesWords = CopyWords,
                ReversesSource = ReverseSource,
                Dropout = Dropout,
                TieEmbeddings = TieEmbeddings,
                MaximumSourceTokens = MaximumSourceTokens,
                LongSources = LongSourceHandling,
                MaximumTargetTokens = MaximumTargetTokens,
            };
        }

        internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
        [
            (nameof(HiddenUnits), FormattableString.Invariant($"{HiddenUnits}")), (nameof(NumberOfLayers), FormattableString.Invariant($"{NumberOfLayers}")), (nameof(EmbeddingSize), EmbeddingSize?.ToString(CultureInfo.InvariantCulture) ?? "null"),
            (nameof(MaximumSourceTokens), FormattableString.Invariant($"{MaximumSourceTokens}")), (nameof(MaximumTargetTokens), FormattableString.Invariant($"{MaximumTargetTokens}")),
        ];

        internal override void InitializeWeights(nn.Module network, ulong seed) =>
            RecurrentInitializer.Initialize(network, Initialization, seed, Cell, InitialScale, ForgetBias, TieEmbeddings ? TiedScale : EmbeddingScale);

        internal override void Check()
        {
            base.Check();
            OptionCheck.NotEmpty(SourceColumnName, nameof(SourceColumnName));
            OptionCheck.NotEmpty(TargetColumnName, nameof(TargetColumnName));
            OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
            OptionCheck.NotNull(Tokenization, nameof(Tokenization));
            Tokenization.Check(nameof(Tokenization));
            TargetTokenization?.Check(nameof(TargetTokenization));
            OptionCheck.Defined(Cell, nameof(Cell));
            OptionCheck.Count(NumberOfLayers, RecurrentLayers.MaximumLayers, nameof(NumberOfLayers));
            OptionCheck.Count(HiddenUnits, RecurrentLayers.MaximumUnits, nameof(HiddenUnits));
            OptionCheck.Count(EmbeddingSize ?? 1, RecurrentLayers.MaximumUnits, nameof(EmbeddingSize));
            OptionCheck.Defined(Attention, nameof(Attention));
            OptionCheck.Fraction(Dropout, nameof(Dropout));
            OptionCheck.AtLeast(MaximumSourceTokens, 1, nameof(MaximumSourceTokens));
            OptionCheck.Defined(LongSourceHandling, nameof(LongSourceHandling));
            OptionCheck.AtLeast(MaximumTargetTokens, 1, nameof(MaximumTargetTokens));
            OptionCheck.NotNull(TeacherForcing, nameof(TeacherForcing));
            TeacherForcing.Check(nameof(TeacherForcing));
            OptionCheck.NotNull(Decoding, nameof(Decoding));
            Decoding.Check();
            SequenceToSequenceColumns.Check(OutputColumnName, TargetColumnName, Decoding);
            OptionCheck.AtLeast(NumberOfSampledTokens ?? 1, 1, nameof(NumberOfSampledTokens));
            OptionCheck.Require(OutputPrecision is Precision.Float32 or Precision.BFloat16, OutputPrecision, nameof(OutputPrecision), $"{Precision.Float32} or {Precision.BFloat16}; {nameof(Precision)} = {Precision.TensorFloat32} is for all layers");
            OptionCheck.Positive(InitialScale ?? 1, nameof(InitialScale));
            OptionCheck.Between(ForgetBias, -100, 100, nameof(ForgetBias));
            if (CopyWords && Attention == AttentionKind.None)
                throw new ArgumentException($"{nameof(CopyWords)} is true, but {nameof(Attention)} is {AttentionKind.None}: attention chooses what is copied. Set {nameof(Attention)} to {AttentionKind.Luong} or {AttentionKind.Bahdanau}.", nameof(CopyWords));
            if (CopyWords && NumberOfSampledTokens != null)
                throw new ArgumentException(FormattableString.Invariant($"{nameof(NumberOfSampledTokens)} is {NumberOfSampledTokens}, but {nameof(CopyWords)} is true: what is written and what is copied are weighed by probabilities of the whole vocabulary. {nameof(NumberOfSampledTokens)} must be null."), nameof(NumberOfSampledTokens));
        }
    }
}
