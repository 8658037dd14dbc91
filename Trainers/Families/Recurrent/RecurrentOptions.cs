using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Engine;
using MLExtensions.Families.Recurrent;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Options shared by the recurrent network trainers.</summary>
/// <remarks>The default of <see cref="TrainingOptions.GradientClipNorm"/> is 1.</remarks>
public abstract class RecurrentOptions : SupervisedTrainerOptions
{
    internal const int DefaultHiddenUnits = 128;

    private protected RecurrentOptions() => GradientClipNorm = 1;

    /// <summary>The recurrent cell. Default <see cref="RecurrentCell.Lstm"/>.</summary>
    public RecurrentCell Cell { get; set; } = RecurrentCell.Lstm;

    /// <summary>The number of recurrent layers. Default 1.</summary>
    public int NumberOfLayers { get; set; } = 1;

    /// <summary>The number of hidden units of each layer and direction. Default 128.</summary>
    public int HiddenUnits { get; set; } = DefaultHiddenUnits;

    /// <summary>Whether layers are bidirectional: they also read the sequence backwards. Default false.</summary>
    public bool Bidirectional { get; set; }

    /// <summary>How the outputs of all time steps are combined into one vector. Default <see cref="SequencePooling.Last"/>.</summary>
    public SequencePooling Pooling { get; set; }

    /// <summary>Dropout rate between layers and before the output layer, in [0, 1). Default 0.</summary>
    public double Dropout { get; set; }

    /// <summary>Dropout rate of the inputs of each time step, in [0, 1). Default 0.</summary>
    public double InputDropout { get; set; }

    /// <summary>
    /// The number of values per time step of a <c>Vector&lt;Single&gt;</c>: 6 values with a step size of 2 are 3 time steps. Default 1.
    /// </summary>
    public int StepSize { get; set; } = 1;

    /// <summary>Embedding size for tokens of text and for keys. Default 64.</summary>
    public int EmbeddingSize { get; set; } = 64;

    /// <summary>
    /// How a text column is divided into tokens. Not used with an <see cref="TrainingOptions.InitialModel"/>, which has its own tokenizer.
    /// Default: the 20,000 most frequent words in lower case, and punctuation marks.
    /// </summary>
    [DoesNotChangeResult]
    public Tokenization Tokenization { get; set; } = Tokenization.Words(20_000, lowercase: true, splitPunctuation: true);

    /// <summary>
    /// The maximum number of time steps of a sequence. Default null: the size of a vector of known size, or the longest sequence of the
    /// training data, but at most 1,000.
    /// </summary>
    public int? MaximumLength { get; set; }

    /// <summary>
    /// How longer sequences are handled. What is cut is counted in the log and in <see cref="TrainingHistory.DataCounts"/>. Default null: of
    /// texts and keys the beginning and the end are read (<see cref="LongSequenceHandling.KeepBeginningAndEnd"/>), of numbers the end.
    /// </summary>
    public LongSequenceHandling? LongSequenceHandling { get; set; }

    /// <summary>
    /// How sequences without time steps, such as empty texts, are handled. They are counted in the log and in
    /// <see cref="TrainingHistory.DataCounts"/>. If all are empty, training is refused. Default <see cref="EmptySequenceHandling.Zeros"/>.
    /// </summary>
    public EmptySequenceHandling EmptySequenceHandling { get; set; } = EmptySequenceHandling.Zeros;

    /// <summary>
    /// How missing keys in a vector of keys are handled, such as words that are not in the dictionary. They are counted in the log and in
    /// <see cref="TrainingHistory.DataCounts"/>. Default <see cref="MissingKeyHandling.Skip"/>.
    /// </summary>
    public MissingKeyHandling MissingKeyHandling { get; set; } = MissingKeyHandling.Skip;

    /// <summary>
    /// Initial bias of the LSTM forget gates; with 1 the network remembers from the start (Jozefowicz et al., 2015). Default 1.
    /// </summary>
    public double ForgetBias { get; set; } = 1;

    internal override string FeatureDescription => "a Vector<Single>, a vector of keys (UInt32), or Text";

    internal override bool TakesFeatures(SchemaShape.Column column) => column.Kind == SchemaShape.Column.VectorKind.Scalar
        ? column.ItemType == TextDataViewType.Instance
        : column.IsKey ? column.ItemType == NumberDataViewType.UInt32 : column.ItemType == NumberDataViewType.Single;

    /// <summary>The first value of a row is the length of the sequence.</summary>
    internal override int? FirstNumber(DataViewSchema.Column features, FeatureFormat format) => ((SequenceFormat)format).Input is NumberSequence ? 1 : null;

    internal override bool ScansRows(DataViewSchema.Column features) => features.Type is not VectorDataViewType { Size: > 0 };

    internal override string AdviseFeatures(SchemaShape.Column column) => ColumnAdvice.ForSequences(column);

    internal override FeatureFormat CreateFormat(IDataView data, DataViewSchema.Column features, NetworkArchitecture? initial, Action throwIfCancelled) =>
        new SequenceFormat(SequenceScan.CreateInput(this, data, features, (initial as RecurrentArchitecture)?.Input, throwIfCancelled));

    internal override NetworkArchitecture CreateArchitecture(DataViewSchema.Column features, FeatureFormat format, int outputCount)
    {
        var input = ((SequenceFormat)format).Input;
        return new RecurrentArchitecture
        {
            InputCount = format.Width,
            OutputCount = outputCount,
            Input = input,
            EmbeddingSize = input.TokenCount > 0 ? EmbeddingSize : 0,
            Recurrent = new RecurrentLayers(Cell, HiddenUnits, NumberOfLayers) { Bidirectional = Bidirectional, Dropout = Dropout },
            Pooling = Pooling,
            InputDropout = InputDropout,
            OutputDropout = Dropout,
        };
    }

    internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
        [(nameof(HiddenUnits), FormattableString.Invariant($"{HiddenUnits}")), (nameof(NumberOfLayers), FormattableString.Invariant($"{NumberOfLayers}")), (nameof(EmbeddingSize), FormattableString.Invariant($"{EmbeddingSize}")), (nameof(MaximumLength), MaximumLength?.ToString(CultureInfo.InvariantCulture) ?? "null")];

    internal override void InitializeWeights(nn.Module network, ulong seed) =>
        RecurrentInitializer.Initialize(network, Initialization, seed, Cell, scale: null, ForgetBias);

    internal override void Check()
    {
        base.Check();
        OptionCheck.Defined(Cell, nameof(Cell));
        OptionCheck.Count(NumberOfLayers, RecurrentLayers.MaximumLayers, nameof(NumberOfLayers));
        OptionCheck.Count(HiddenUnits, RecurrentLayers.MaximumUnits, nameof(HiddenUnits));
        OptionCheck.Defined(Pooling, nameof(Pooling));
        OptionCheck.Fraction(Dropout, nameof(Dropout));
        OptionCheck.Fraction(InputDropout, nameof(InputDropout));
        OptionCheck.Count(StepSize, SequenceInput.MaximumValues, nameof(StepSize));
        OptionCheck.Count(EmbeddingSize, RecurrentLayers.MaximumUnits, nameof(EmbeddingSize));
        OptionCheck.NotNull(Tokenization, nameof(Tokenization));
        Tokenization.Check(nameof(Tokenization));
        OptionCheck.Count(MaximumLength ?? 1, SequenceInput.MaximumValues / StepSize, nameof(MaximumLength));
        OptionCheck.Defined(LongSequenceHandling ?? MLExtensions.LongSequenceHandling.KeepEnd, nameof(LongSequenceHandling));
        OptionCheck.Defined(EmptySequenceHandling, nameof(EmptySequenceHandling));
        OptionCheck.Defined(MissingKeyHandling, nameof(MissingKeyHandling));
        OptionCheck.Between(ForgetBias, -100, 100, nameof(ForgetBias));
    }
}
