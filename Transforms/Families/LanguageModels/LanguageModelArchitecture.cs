using System.Text.Json.Serialization;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Families.Recurrent;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A recurrent language model: an embedding of the tokens, recurrent layers, and a softmax over the vocabulary that predicts the next
/// token (Mikolov et al., 2010; Zaremba et al., 2014). The tokenizer with its vocabulary is part of it.
/// </summary>
public sealed record LanguageModelArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "lstm-language-model";

    /// <summary>The tokenizer.</summary>
    public required TextTokenizer Tokenizer { get; init; }

    /// <summary>The recurrent layers.</summary>
    public required RecurrentLayers Recurrent { get; init; }

    /// <summary>The embedding size.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>The dropout rate of the embedding and of the output of the last layer.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether the embedding is also used as the weights of the output layer (Press and Wolf, 2017; Inan et al., 2017).</summary>
    public bool TieEmbeddings { get; init; }

    /// <summary>What tokens have in common; null if each token has a vector of its own and nothing else.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TokenFeatures? TokenFeatures { get; init; }

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
            var features = checked((long)(TokenFeatures?.Names.Count ?? 0) * EmbeddingSize);
            return checked(embedding + features + Recurrent.ParameterCount(EmbeddingSize) + projection + output);
        }
    }

    /// <summary>Whether the outputs of the last layer must be projected to the embedding size.</summary>
    internal bool HasProjection => TieEmbeddings && EmbeddingSize != Recurrent.OutputCount;

    internal override double MultiplyAdds => Recurrent.MultiplyAdds(EmbeddingSize) + ((double)OutputCount * (TieEmbeddings ? EmbeddingSize : Recurrent.OutputCount));

    internal override double ValuesPerRow => base.ValuesPerRow + EmbeddingSize + ((double)Recurrent.OutputCount * Recurrent.NumberOfLayers);

    internal override int MinimumBatchRows => 1;

    internal override string OutputLayer => "output";

    internal override IEnumerable<LayerDescription> Describe()
    {
        var (width, embedding) = (Recurrent.OutputCount, LayerDescription.Size(EmbeddingSize));
        yield return new("embedding", "embedding", embedding, checked((long)OutputCount * EmbeddingSize));
        if (TokenFeatures is { } features)
            yield return new("embedding_features", "embedding", embedding, checked((long)features.Names.Count * EmbeddingSize));
        if (Dropout > 0)
            yield return LayerDescription.Dropout("dropout", Dropout, embedding);
        foreach (var layer in Recurrent.Describe(EmbeddingSize, steps: 0))
            yield return layer;
        if (Dropout > 0)
            yield return LayerDescription.Dropout("dropout", Dropout, LayerDescription.Size(width));
        if (HasProjection)
            yield return new("projection", "dense", embedding, (long)EmbeddingSize * width, (long)EmbeddingSize * width);
        yield return TieEmbeddings
            ? new("output_bias", "embedding again", LayerDescription.Size(OutputCount), OutputCount, checked((long)OutputCount * EmbeddingSize))
            : LayerDescription.Dense("output", width, OutputCount);
    }

    internal override bool NeedsLibtorch => true;

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
            throw new FormatException("recurrent.bidirectional is true; it must be false, because a language model must not see the tokens that it predicts.");
        if (EmbeddingSize < 1)
            throw new FormatException(FormattableString.Invariant($"embeddingSize is {EmbeddingSize}; it must be at least 1."));
        if (!(Dropout >= 0 && Dropout < 1))
            throw new FormatException(FormattableString.Invariant($"dropout is {Dropout}; it must be in [0, 1)."));
        TokenFeatures?.Check(Tokenizer.VocabularySize);
        if (OutputCount != Tokenizer.VocabularySize)
            throw new FormatException(FormattableString.Invariant($"outputCount is {OutputCount}; it must be {Tokenizer.VocabularySize}, the size of the vocabulary."));
    }
}

/// <summary>
/// The module of <see cref="LanguageModelArchitecture"/>: maps tokens <c>[steps, batch]</c>, int64, to logits <c>[steps * batch,
/// vocabulary]</c>.
/// </summary>
internal sealed class LanguageModelNetwork : nn.Module<Tensor, Tensor>, IOutputLayer
{
    private readonly EmbeddingTable embedding;
    private readonly EmbeddingTable? embedding_features;
    private readonly RecurrentModule recurrent;
    private readonly SeededDropout? dropout;
    private readonly Linear? projection;
    private readonly Linear? output;
    private readonly Parameter? output_bias;
    private readonly FeatureMatrix? _features;

    public LanguageModelNetwork(LanguageModelArchitecture architecture)
        : base(nameof(LanguageModelNetwork))
    {
        embedding = new EmbeddingTable(architecture.OutputCount, architecture.EmbeddingSize);
        if (architecture.TokenFeatures is { } features)
        {
            _features = new FeatureMatrix(features);
            embedding_features = new EmbeddingTable(features.Names.Count, architecture.EmbeddingSize);
        }
        recurrent = architecture.Recurrent.CreateModule(architecture.EmbeddingSize);
        dropout = architecture.Dropout > 0 ? new SeededDropout(architecture.Dropout) : null;
        projection = architecture.HasProjection ? Layers.Linear(architecture.Recurrent.OutputCount, architecture.EmbeddingSize, hasBias: false) : null;
        output = architecture.TieEmbeddings ? null : Layers.Linear(architecture.Recurrent.OutputCount, architecture.OutputCount);
        output_bias = architecture.TieEmbeddings ? Layers.Weights(architecture.OutputCount) : null;
        RegisterComponents();
    }

    /// <summary><c>[vocabulary, embedding size]</c>: what each token has of its own.</summary>
    public Parameter EmbeddingWeight => embedding.Weight;

    /// <summary><c>[features, embedding size]</c>; null if tokens have no features.</summary>
    public Parameter? FeatureWeight => embedding_features?.Weight;

    /// <summary>The weights of the output layer; null if it has the vectors of the tokens.</summary>
    public Parameter? OwnOutputWeight => output?.weight;

    /// <summary><c>[vocabulary]</c>.</summary>
    public Parameter OutputBias => output?.bias ?? output_bias!;

    /// <summary>The features of the tokens, <c>[vocabulary, features]</c>; null if there are none. Not to be disposed.</summary>
    public Tensor? FeaturesOfTokens => _features?.On(EmbeddingWeight.device, EmbeddingWeight.dtype);

    /// <summary>The vectors of all tokens, <c>[vocabulary, embedding size]</c>: their own and those of their features.</summary>
    public Tensor Vectors() => FeaturesOfTokens is { } features ? EmbeddingWeight.add(features.mm(FeatureWeight!), Number.One) : EmbeddingWeight;

    /// <summary>The weights of the output layer, <c>[vocabulary, width of the hidden values]</c>.</summary>
    /// <param name="vectors">The vectors of the tokens.</param>
    public Tensor OutputWeight(Tensor vectors) => OwnOutputWeight ?? vectors;

    public Tensor Embed(Tensor tokens) => Embed(tokens, Vectors());

    /// <summary>Looks up tokens <c>[steps, batch]</c>.</summary>
    public static Tensor Embed(Tensor tokens, Tensor vectors) => vectors.index_select(0, tokens.view(-1)).view(tokens.shape[0], tokens.shape[1], -1);

    /// <summary>Computes all layers except the first and the last.</summary>
    /// <param name="embedded"><c>[steps, batch, embedding size]</c>.</param>
    /// <param name="state">The state after the previous time steps, or null for zeros.</param>
    /// <returns>The input of the output layer, <c>[steps * batch, width]</c>, and the state after these time steps.</returns>
    public (Tensor Hidden, Tensor[] State) Run(Tensor embedded, Tensor[]? state)
    {
        var (hidden, next) = recurrent.Run(Drop(embedded), state);
        hidden = Drop(hidden).reshape(-1, hidden.shape[2]);
        return (projection == null ? hidden : projection.call(hidden), next);
    }

    public Tensor Logits(Tensor hidden) => Logits(hidden, Vectors());

    public Tensor Logits(Tensor hidden, Tensor vectors)
    {
        // A tied network in bfloat16 keeps its output bias, which belongs to no layer, in float32.
        var (weight, bias) = (OutputWeight(vectors), OutputBias);
        return nn.functional.linear(hidden, weight, bias.dtype == weight.dtype ? bias : bias.to(weight.dtype));
    }

    public override Tensor forward(Tensor tokens)
    {
        var vectors = Vectors();
        return Logits(Run(Embed(tokens, vectors), null).Hidden, vectors);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _features?.Dispose();
        base.Dispose(disposing);
    }

    private Tensor Drop(Tensor x) => dropout == null ? x : dropout.call(x);
}

/// <summary>A network that ends with a softmax over a vocabulary.</summary>
internal interface IOutputLayer
{
    /// <summary><c>[vocabulary]</c>.</summary>
    Parameter OutputBias { get; }
}
