using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Recurrent;
using MLExtensions.Tensors;
using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>What can be set on every recurrent network over whole sequences, whatever the task.</summary>
/// <remarks>Gradients are clipped at a norm of 1 unless <see cref="TrainingOptions.GradientClipNorm"/> says otherwise.</remarks>
public abstract class RecurrentOptions : SupervisedTrainerOptions
{
    internal const int DefaultHiddenUnits = 128;

    private protected RecurrentOptions() => GradientClipNorm = 1;

    /// <summary>What a recurrent layer computes. Default <see cref="RecurrentCell.Lstm"/>.</summary>
    public RecurrentCell Cell { get; set; } = RecurrentCell.Lstm;

    /// <summary>The number of recurrent layers. Default 1.</summary>
    public int NumberOfLayers { get; set; } = 1;

    /// <summary>The hidden units of each layer and direction. Default 128.</summary>
    public int HiddenUnits { get; set; } = DefaultHiddenUnits;

    /// <summary>Whether each layer also reads the sequence from its end. Default false.</summary>
    public bool Bidirectional { get; set; }

    /// <summary>How the outputs of all steps become one vector. Default <see cref="SequencePooling.Last"/>.</summary>
    public SequencePooling Pooling { get; set; }

    /// <summary>The probability of setting a layer's output to zero in training, between layers and before the output layer, in [0, 1). Default 0.</summary>
    public double Dropout { get; set; }

    /// <summary>The probability of setting a value of a step to zero in training, in [0, 1). Default 0.</summary>
    public double InputDropout { get; set; }

    /// <summary>The values of a step of a <c>Vector&lt;Single&gt;</c>: 6 values with a step size of 2 are 3 steps. Default 1.</summary>
    public int StepSize { get; set; } = 1;

    /// <summary>The number of values that stand for a token of text, or for a key. Default 64.</summary>
    public int EmbeddingSize { get; set; } = 64;

    /// <summary>
    /// What the tokens of a column of text are; an <see cref="TrainingOptions.InitialModel"/> brings its own. Default the 20,000 most
    /// frequent words in lower case, and punctuation marks.
    /// </summary>
    [DoesNotChangeResult]
    public Tokenization Tokenization { get; set; } = Tokenization.Words(20_000, lowercase: true, splitPunctuation: true);

    /// <summary>
    /// The most steps that the network sees of a sequence. Default null: as many as a vector of known size has, or as the longest
    /// sequence of the training data, but at most 1,000.
    /// </summary>
    public int? MaximumLength { get; set; }

    /// <summary>What happens to a longer sequence. Default: its end is used.</summary>
    public LongSequenceHandling LongSequenceHandling { get; set; }

    /// <summary>What happens to a sequence without steps. Default: it is an exception that names the row.</summary>
    public EmptySequenceHandling EmptySequenceHandling { get; set; }

    /// <summary>The first bias of an LSTM's forget gates; 1 lets it remember from the start (Jozefowicz et al., 2015). Default 1.</summary>
    public double ForgetBias { get; set; } = 1;

    internal override string FeatureDescription => "a Vector<Single>, a vector of keys (UInt32), or Text";

    internal override bool TakesFeatures(SchemaShape.Column column) => column.Kind == SchemaShape.Column.VectorKind.Scalar
        ? column.ItemType == TextDataViewType.Instance
        : column.IsKey ? column.ItemType == NumberDataViewType.UInt32 : column.ItemType == NumberDataViewType.Single;

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

    internal override void InitializeWeights(nn.Module network, ulong seed) =>
        RecurrentInitializer.Initialize(network, Initialization, seed, Cell, scale: null, ForgetBias);

    internal override void Check()
    {
        base.Check();
        OptionCheck.Defined(Cell, nameof(Cell));
        OptionCheck.AtLeast(NumberOfLayers, 1, nameof(NumberOfLayers));
        OptionCheck.AtLeast(HiddenUnits, 1, nameof(HiddenUnits));
        OptionCheck.Defined(Pooling, nameof(Pooling));
        OptionCheck.Fraction(Dropout, nameof(Dropout));
        OptionCheck.Fraction(InputDropout, nameof(InputDropout));
        OptionCheck.AtLeast(StepSize, 1, nameof(StepSize));
        OptionCheck.AtLeast(EmbeddingSize, 1, nameof(EmbeddingSize));
        OptionCheck.NotNull(Tokenization, nameof(Tokenization));
        Tokenization.Check(nameof(Tokenization));
        OptionCheck.AtLeast(MaximumLength ?? 1, 1, nameof(MaximumLength));
        OptionCheck.Defined(LongSequenceHandling, nameof(LongSequenceHandling));
        OptionCheck.Defined(EmptySequenceHandling, nameof(EmptySequenceHandling));
        OptionCheck.Between(ForgetBias, -100, 100, nameof(ForgetBias));
    }
}
