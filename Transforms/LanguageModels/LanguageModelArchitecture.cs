using System.Text.Json.Serialization;
using MLExtensions.LanguageModels;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A recurrent language model: an embedding of the tokens, recurrent layers, and a softmax over the vocabulary that predicts the next
/// token (Mikolov et al., 2010; Zaremba et al., 2014). The tokenizer with its vocabulary is part of it.
/// </summary>
public sealed record LanguageModelArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "lstm-language-model";

    /// <summary>What makes tokens of text.</summary>
    public required TextTokenizer Tokenizer { get; init; }

    /// <summary>The recurrent layers.</summary>
    public required RecurrentLayers Recurrent { get; init; }

    /// <summary>The number of values that stand for a token.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>The probability of setting a value of the embedding, or of the last layer's output, to zero in training.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether the embedding is the output layer's weights too (Press and Wolf, 2017; Inan et al., 2017).</summary>
    public bool TieEmbeddings { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount
    {
        get
        {
            long vocabulary = OutputCount;
            var embedding = checked(vocabulary * EmbeddingSize);
            var projection = HasProjection ? (long)EmbeddingSize * Recurrent.OutputCount : 0;
            var output = TieEmbeddings ? vocabulary : checked(vocabulary * (Recurrent.OutputCount + 1));
            return checked(embedding + Recurrent.ParameterCount(EmbeddingSize) + projection + output);
        }
    }

    /// <summary>Whether the last layer's outputs must be brought to the width of the embedding first.</summary>
    internal bool HasProjection => TieEmbeddings && EmbeddingSize != Recurrent.OutputCount;

    internal override double MultiplyAdds => Recurrent.MultiplyAdds(EmbeddingSize) + ((double)OutputCount * (TieEmbeddings ? EmbeddingSize : Recurrent.OutputCount));

    internal override int MinimumBatchRows => 1;

    internal override string OutputLayer => "output";

    internal override nn.Module<Tensor, Tensor> CreateModule() => new LanguageModelNetwork(this);

    internal override void Check()
    {
        base.Check();
        if (Tokenizer == null)
            throw new FormatException("tokenizer is missing.");
        Tokenizer.Check();
        if (Recurrent == null)
            throw new FormatException("recurrent is missing.");
        Recurrent.Check();
        if (Recurrent.Bidirectional)
            throw new FormatException("recurrent.bidirectional is true; a language model must not see what it predicts.");
        if (EmbeddingSize < 1)
            throw new FormatException($"embeddingSize is {EmbeddingSize}; it must be at least 1.");
        if (!(Dropout >= 0 && Dropout < 1))
            throw new FormatException($"dropout is {Dropout}; it must be in [0, 1).");
        if (OutputCount != Tokenizer.VocabularySize)
            throw new FormatException($"outputCount is {OutputCount}; the tokenizer has {Tokenizer.VocabularySize} tokens.");
    }
}
