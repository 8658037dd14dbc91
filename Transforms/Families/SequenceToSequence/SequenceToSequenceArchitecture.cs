using System.Text.Json.Serialization;
using MLExtensions.Families.SequenceToSequence;
using MLExtensions.Networks;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A recurrent network that reads one sequence of tokens and writes another (Sutskever et al., 2014; Cho et al., 2014): an encoder, a decoder
/// that begins with the encoder's last state, attention to the encoder's outputs, and a softmax over the vocabulary. The tokenizers with
/// their vocabularies are part of it.
/// </summary>
public sealed record SequenceToSequenceArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "lstm-sequence-to-sequence";

    /// <summary>The tokenizer of the source; also that of the target if <see cref="TargetTokenizer"/> is null.</summary>
    public required TextTokenizer SourceTokenizer { get; init; }

    /// <summary>The tokenizer of the target; null if both share the vocabulary and its embedding.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TextTokenizer? TargetTokenizer { get; init; }

    /// <summary>The layers that read the source.</summary>
    public required RecurrentLayers Encoder { get; init; }

    /// <summary>The layers that write the target; of the same cell and as many as those of <see cref="Encoder"/>.</summary>
    public required RecurrentLayers Decoder { get; init; }

    /// <summary>The embedding size of the tokens.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>How the decoder looks at the source.</summary>
    public AttentionKind Attention { get; init; }

    /// <summary>Whether words of the source can be copied.</summary>
    public bool CopiesWords { get; init; }

    /// <summary>Whether the source is read from its end to its beginning.</summary>
    public bool ReversesSource { get; init; }

    /// <summary>The dropout rate of the embeddings and of what the output layer reads.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether the embedding of the target is also used as the weights of the output layer.</summary>
    public bool TieEmbeddings { get; init; }

    /// <summary>The maximum number of tokens of a source that are read.</summary>
    public required int MaximumSourceTokens { get; init; }

    /// <summary>Which tokens of a longer source are read.</summary>
    public LongSequenceHandling LongSources { get; init; }

    /// <summary>The maximum number of tokens of a target, without its end.</summary>
    public required int MaximumTargetTokens { get; init; }

    /// <summary>The tokenizer of what is written.</summary>
    [JsonIgnore]
    public TextTokenizer OutputTokenizer => TargetTokenizer ?? SourceTokenizer;

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => Describe().Aggregate(0L, (sum, layer) => checked(sum + layer.Parameters));

    /// <summary>Whether the decoder's first state is computed from the encoder's last one; otherwise they are the same.</summary>
    internal bool HasBridge => Encoder.Bidirectional || Encoder.HiddenUnits != Decoder.HiddenUnits;

    /// <summary>Whether what the output layer reads must be projected to the embedding size.</summary>
    internal bool HasProjection => TieEmbeddings && EmbeddingSize != Decoder.OutputCount;

    /// <summary>The number of values that the decoder reads at each time step.</summary>
    internal int DecoderInputs => EmbeddingSize + (Attention == AttentionKind.Bahdanau ? Encoder.OutputCount : 0);

    /// <summary>The number of values that the copy gate reads.</summary>
    internal int GateInputs => Encoder.OutputCount + Decoder.OutputCount + EmbeddingSize;

    // Sources are usually several times longer than targets; nothing is known of them here.
    internal override double MultiplyAdds => Encoder.MultiplyAdds(EmbeddingSize) + Decoder.MultiplyAdds(DecoderInputs) + ((double)OutputCount * OutputWidth);

    internal override double ValuesPerRow => base.ValuesPerRow + (2.0 * EmbeddingSize) + ((double)Decoder.OutputCount * Decoder.NumberOfLayers);

    internal override int MinimumBatchRows => 1;

    internal override string OutputLayer => "output";

    internal override bool NeedsLibtorch => true;

    internal override bool HasGraph => false;

    private int OutputWidth => HasProjection ? EmbeddingSize : Decoder.OutputCount;

    internal override IEnumerable<LayerDescription> Describe()
    {
        var embedding = LayerDescription.Size(EmbeddingSize);
        yield return new("embedding", "embedding", embedding, checked((long)SourceTokenizer.VocabularySize * EmbeddingSize));
        if (TargetTokenizer != null)
            yield return new("embedding_target", "embedding", embedding, checked((long)OutputCount * EmbeddingSize));
        if (Dropout > 0)
            yield return LayerDescription.Dropout("dropout", Dropout, embedding);
        foreach (var layer in Encoder.Describe(EmbeddingSize, steps: 0))
            yield return layer with { Name = layer.Name.Replace("recurrent", "encoder", StringComparison.Ordinal) };
        if (HasBridge)
        {
            var parts = (long)Decoder.NumberOfLayers * Decoder.StatesPerLayer;
            yield return new("bridge", "dense", LayerDescription.Size(parts * Decoder.HiddenUnits), checked(parts * (Encoder.OutputCount + 1) * Decoder.HiddenUnits), checked(parts * Encoder.OutputCount * Decoder.HiddenUnits));
        }
        foreach (var layer in Decoder.Describe(DecoderInputs, steps: 0))
            yield return layer with { Name = layer.Name.Replace("recurrent", "decoder", StringComparison.Ordinal) };
        if (Attention != AttentionKind.None)
        {
            long keys = (long)Encoder.OutputCount * Decoder.OutputCount;
            yield return new("attention", $"attention, {Attention}", LayerDescription.Size(Encoder.OutputCount), Attention == AttentionKind.Luong ? keys : checked(keys + ((long)Decoder.OutputCount * (Decoder.OutputCount + 2))), keys);
            yield return LayerDescription.Dense("readout", Encoder.OutputCount + Decoder.OutputCount, Decoder.OutputCount, Activation.Tanh);
        }
        if (CopiesWords)
            yield return LayerDescription.Dense("copy_gate", GateInputs, 1, Activation.Sigmoid);
        if (HasProjection)
            yield return new("projection", "dense", embedding, (long)EmbeddingSize * Decoder.OutputCount, (long)EmbeddingSize * Decoder.OutputCount);
        yield return TieEmbeddings
            ? new("output_bias", "embedding again", LayerDescription.Size(OutputCount), OutputCount, checked((long)OutputCount * EmbeddingSize))
            : LayerDescription.Dense("output", Decoder.OutputCount, OutputCount);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule() => new SequenceToSequenceNetwork(this);

    internal override void Check()
    {
        base.Check();
        CheckTokenizer(SourceTokenizer, "sourceTokenizer");
        if (TargetTokenizer != null)
            CheckTokenizer(TargetTokenizer, "targetTokenizer");
        if (Encoder == null || Decoder == null)
            throw new FormatException($"{(Encoder == null ? "encoder" : "decoder")} is missing.");
        Encoder.Check();
        Decoder.Check();
        if (Decoder.Bidirectional)
            throw new FormatException("decoder.bidirectional is true; it must be false, because a decoder must not see the tokens that it predicts.");
        if (Encoder.Cell != Decoder.Cell || Encoder.NumberOfLayers != Decoder.NumberOfLayers)
            throw new FormatException(FormattableString.Invariant($"encoder has {Encoder.NumberOfLayers} {Encoder.Cell} layers and decoder {Decoder.NumberOfLayers} {Decoder.Cell} layers; they must be the same, because the decoder begins with the encoder's states."));
        if (EmbeddingSize < 1)
            throw new FormatException(FormattableString.Invariant($"embeddingSize is {EmbeddingSize}; it must be at least 1."));
        if (!Enum.IsDefined(Attention))
            throw new FormatException($"attention is {Attention}, which is not a valid value.");
        if (CopiesWords && Attention == AttentionKind.None)
            throw new FormatException("copiesWords is true and attention is None; what is copied is chosen by attention.");
        if (!(Dropout >= 0 && Dropout < 1))
            throw new FormatException(FormattableString.Invariant($"dropout is {Dropout}; it must be in [0, 1)."));
        if (!Enum.IsDefined(LongSources))
            throw new FormatException($"longSources is {LongSources}, which is not a valid value.");
        if (MaximumSourceTokens < 1 || MaximumTargetTokens < 1)
            throw new FormatException(FormattableString.Invariant($"maximumSourceTokens is {MaximumSourceTokens} and maximumTargetTokens {MaximumTargetTokens}; they must be at least 1."));
        if (OutputCount != OutputTokenizer.VocabularySize)
            throw new FormatException(FormattableString.Invariant($"outputCount is {OutputCount}; it must be {OutputTokenizer.VocabularySize}, the size of the vocabulary."));
    }

    private static void CheckTokenizer(TextTokenizer tokenizer, string name)
    {
        if (tokenizer == null)
            throw new FormatException($"{name} is missing.");
        tokenizer.Check();
    }
}

/// <summary>How a decoder looks at the outputs of the encoder while it writes.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AttentionKind>))]
public enum AttentionKind
{
    /// <summary>Not at all: everything that is known of the source is in the encoder's last state.</summary>
    None,

    /// <summary>
    /// The product of the decoder's output, a matrix and the encoder's outputs ("general"); the weighted mean joins the decoder's output
    /// (Luong et al., 2015). All time steps of a batch are computed at once, so it trains several times as fast as
    /// <see cref="Bahdanau"/>.
    /// </summary>
    Luong,

    /// <summary>
    /// A small network compares the decoder's state before each time step with the encoder's outputs; the weighted mean is an input of the
    /// time step (Bahdanau et al., 2015). Computed time step by time step.
    /// </summary>
    Bahdanau,
}
