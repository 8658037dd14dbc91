using System.Text.Json.Serialization;
using MLExtensions.Families.Recurrent;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Recurrent layers over whole sequences, whose outputs are pooled into one vector for an output layer.</summary>
public sealed record RecurrentArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "lstm";

    // The rows that go through the layers at once in scoring: of about one length, so that little is padding.
    internal const int ChunkRows = 128;

    /// <summary>What the steps of a sequence are.</summary>
    public required SequenceInput Input { get; init; }

    /// <summary>The number of values that stand for a token; 0 where steps are numbers.</summary>
    public int EmbeddingSize { get; init; }

    /// <summary>The recurrent layers.</summary>
    public required RecurrentLayers Recurrent { get; init; }

    /// <summary>How the outputs of all steps become one vector.</summary>
    public SequencePooling Pooling { get; init; }

    /// <summary>The probability of setting a value of a step to zero in training.</summary>
    public double InputDropout { get; init; }

    /// <summary>The probability of setting a pooled value to zero in training.</summary>
    public double OutputDropout { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount
    {
        get
        {
            long width = Recurrent.OutputCount;
            var attention = Pooling == SequencePooling.Attention ? (width * width) + (2 * width) : 0;
            return checked(((long)Input.TokenCount * EmbeddingSize) + Recurrent.ParameterCount(StepWidth) + attention + ((width + 1) * OutputCount));
        }
    }

    internal override FeatureFormat Format => new SequenceFormat(Input);

    // Of one step: steps follow each other, so this is what threads could share.
    internal override double MultiplyAdds => Recurrent.MultiplyAdds(StepWidth);

    internal override int MinimumBatchRows => 1;

    internal override string OutputLayer => "output";

    /// <summary>The values of a step that the first recurrent layer sees.</summary>
    internal int StepWidth => Input.TokenCount > 0 ? EmbeddingSize : Input.ValuesPerStep;

    internal override nn.Module<Tensor, Tensor> CreateModule() => new RecurrentNetwork(this);

    internal override void Check()
    {
        base.Check();
        if (Input == null)
            throw new FormatException("input is missing.");
        Input.Check();
        if (Recurrent == null)
            throw new FormatException("recurrent is missing.");
        Recurrent.Check();
        if (Input.TokenCount > 0 ? EmbeddingSize < 1 : EmbeddingSize != 0)
            throw new FormatException($"embeddingSize is {EmbeddingSize}; it must be at least 1 for tokens, and 0 for numbers.");
        if (!Enum.IsDefined(Pooling))
            throw new FormatException($"pooling is {Pooling}, which is no pooling.");
        if (!(InputDropout >= 0 && InputDropout < 1))
            throw new FormatException($"inputDropout is {InputDropout}; it must be in [0, 1).");
        if (!(OutputDropout >= 0 && OutputDropout < 1))
            throw new FormatException($"outputDropout is {OutputDropout}; it must be in [0, 1).");
        if (InputCount != Format.Width)
            throw new FormatException($"inputCount is {InputCount}; sequences of at most {Input.MaximumLength} steps of {Input.ValuesPerStep} values need {Format.Width}.");
    }
}

/// <summary>How a recurrent network's outputs at all steps become one vector.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SequencePooling>))]
public enum SequencePooling
{
    /// <summary>The output at the last step; of a reversed layer, at the first.</summary>
    Last,

    /// <summary>The mean over the steps.</summary>
    Mean,

    /// <summary>The greatest value over the steps, each unit for itself.</summary>
    Max,

    /// <summary>
    /// A mean whose weights are learned: the softmax of how well each step's output fits a learned vector (Yang et al., 2016).
    /// </summary>
    Attention,
}
