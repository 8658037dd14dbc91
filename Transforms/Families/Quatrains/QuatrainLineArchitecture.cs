using System.Text.Json.Serialization;
using MLExtensions.Families.Recurrent;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A network that writes a quatrain line by line from the lines before: a convolutional sentence model reads each line, a recurrent context
/// model remembers what was read, and a recurrent generation model writes the next line.
/// </summary>
/// <remarks>
/// Zhang and Lapata, "Chinese Poetry Generation with Recurrent Neural Networks" (2014). Other than there, the convolutions have full matrices,
/// the generation model may be an LSTM, its output layer has the vectors of the characters, and the context begins with the title instead
/// of keywords that become the first line.
/// </remarks>
public sealed record QuatrainLineArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "quatrain-lines";

    /// <summary>The tokenizer.</summary>
    public required TextTokenizer Tokenizer { get; init; }

    /// <summary>The size of the vectors of characters, lines and contexts.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>The recurrent layers of the generation model.</summary>
    public required RecurrentLayers Recurrent { get; init; }

    /// <summary>The dropout rate of the embedding, the contexts, and the output of the last layer.</summary>
    public double Dropout { get; init; }

    /// <summary>What characters have in common; null for nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TokenFeatures? TokenFeatures { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => Describe().Aggregate(0L, (sum, layer) => checked(sum + layer.Parameters));

    internal override double MultiplyAdds => Describe().Sum(layer => (double)layer.MultiplyAdds);

    internal override int MinimumBatchRows => 1;

    internal override string OutputLayer => "output";

    internal override bool NeedsLibtorch => true;

    internal override IEnumerable<LayerDescription> Describe()
    {
        var (size, width) = ((long)EmbeddingSize, (long)Recurrent.OutputCount);
        yield return new("embedding", "embedding", LayerDescription.Size(EmbeddingSize), checked(OutputCount * size));
        if (TokenFeatures is { } features)
            yield return new("embedding_features", "embedding", LayerDescription.Size(EmbeddingSize), checked(features.Names.Count * size));
        yield return LayerDescription.Dense("title", EmbeddingSize, EmbeddingSize);
        for (var layer = 0; layer < QuatrainLineNetwork.Kernels.Length; layer++)
            yield return LayerDescription.Dense(FormattableString.Invariant($"sentence.{layer}"), QuatrainLineNetwork.Kernels[layer] * EmbeddingSize, EmbeddingSize);
        yield return LayerDescription.Dense("context", 2 * EmbeddingSize, EmbeddingSize);
        yield return LayerDescription.Dense("places5", EmbeddingSize, 5 * EmbeddingSize);
        yield return LayerDescription.Dense("places7", EmbeddingSize, 7 * EmbeddingSize);
        foreach (var layer in Recurrent.Describe(2 * EmbeddingSize, steps: 0))
            yield return layer;
        yield return LayerDescription.Dense("projection", (int)width, EmbeddingSize);
        yield return new("output_bias", "embedding again", LayerDescription.Size(OutputCount), OutputCount, checked(OutputCount * size));
    }

    internal override nn.Module<Tensor, Tensor> CreateModule() => new QuatrainLineNetwork(this);

    internal override void Check()
    {
        base.Check();
        if (Tokenizer == null || Recurrent == null)
            throw new FormatException($"{(Tokenizer == null ? "tokenizer" : "recurrent")} is missing.");
        Tokenizer.Check();
        Recurrent.Check();
        if (Recurrent.Bidirectional)
            throw new FormatException("recurrent.bidirectional is true; it must be false, because the network must not see what it predicts.");
        if (EmbeddingSize < 1 || EmbeddingSize > RecurrentLayers.MaximumUnits)
            throw new FormatException(FormattableString.Invariant($"embeddingSize is {EmbeddingSize}; it must be between 1 and {RecurrentLayers.MaximumUnits}."));
        if (!(Dropout >= 0 && Dropout < 1))
            throw new FormatException(FormattableString.Invariant($"dropout is {Dropout}; it must be in [0, 1)."));
        TokenFeatures?.Check(Tokenizer.VocabularySize);
        if (OutputCount != Tokenizer.VocabularySize)
            throw new FormatException(FormattableString.Invariant($"outputCount is {OutputCount}; it must be {Tokenizer.VocabularySize}, the size of the vocabulary."));
    }
}

/// <summary>
/// The module of <see cref="QuatrainLineArchitecture"/>: maps poems of one length, int64 <c>[poems, 1 + 4 * length + title]</c>, to the logits of
/// their characters, <c>[poems * 4 * length, vocabulary]</c>. A row is the length, the characters, and the title, filled up with -1.
/// </summary>
internal sealed class QuatrainLineNetwork : nn.Module<Tensor, Tensor>, IFullPrecisionInput
{
    /// <summary>The characters that each convolution joins. The first three make one vector of five, all four of seven.</summary>
    public static readonly int[] Kernels = [2, 2, 3, 3];

    private readonly EmbeddingTable embedding;
    private readonly EmbeddingTable? embedding_features;
    private readonly Linear title;
    private readonly ModuleList<Linear> sentence;
    private readonly Linear context;
    private readonly Linear places5;
    private readonly Linear places7;
    private readonly RecurrentModule recurrent;
    private readonly Linear projection;
    private readonly Parameter output_bias;
    private readonly SeededDropout? dropout;
    private readonly FeatureMatrix? _features;
    private readonly int _startToken;

    public QuatrainLineNetwork(QuatrainLineArchitecture architecture)
        : base(nameof(QuatrainLineNetwork))
    {
        var size = architecture.EmbeddingSize;
        _startToken = architecture.Tokenizer.EndOfSequenceId;
        embedding = new EmbeddingTable(architecture.OutputCount, size);
        if (architecture.TokenFeatures is { } features)
        {
            _features = new FeatureMatrix(features);
            embedding_features = new EmbeddingTable(features.Names.Count, size);
        }
        title = Layers.Linear(size, size);
        sentence = new ModuleList<Linear>([.. Kernels.Select(kernel => Layers.Linear(kernel * size, size))]);
        context = Layers.Linear(2 * size, size);
        places5 = Layers.Linear(size, 5 * size);
        places7 = Layers.Linear(size, 7 * size);
        recurrent = architecture.Recurrent.CreateModule(2 * size);
        projection = Layers.Linear(architecture.Recurrent.OutputCount, size);
        output_bias = Layers.Weights(architecture.OutputCount);
        dropout = architecture.Dropout > 0 ? new SeededDropout(architecture.Dropout) : null;
        RegisterComponents();
    }

    /// <summary>The vectors of all characters.</summary>
    public Tensor Vectors() => _features == null ? embedding.Weight : embedding.Weight.add(_features.On(embedding.Weight.device, embedding.Weight.dtype).mm(embedding_features!.Weight), Number.One);

    /// <summary>The context before the first line, <c>[poems, size]</c>.</summary>
    /// <param name="tokens">The titles, <c>[poems, any]</c>, filled up with -1.</param>
    /// <param name="vectors">The vectors of the characters.</param>
    public Tensor Begin(Tensor tokens, Tensor vectors)
    {
        if (tokens.shape[1] == 0)
            return zeros([tokens.shape[0], vectors.shape[1]], vectors.dtype, vectors.device);
        var isReal = tokens.ge(Number.Zero).unsqueeze(2).to(vectors.dtype);
        var sum = (Look(tokens.clamp_min(Number.Zero), vectors) * isReal).sum(dim: 1);
        var count = isReal.sum(dim: 1);
        // A poem without a title begins with nothing.
        return Apply(title, sum / count.clamp_min(Number.One)).tanh() * count.gt(Number.Zero).to(vectors.dtype);
    }

    /// <summary>The context after a line.</summary>
    /// <param name="before">The context before it, <c>[poems, size]</c>.</param>
    /// <param name="line">Its characters, <c>[poems, length]</c>.</param>
    /// <param name="vectors">The vectors of the characters.</param>
    public Tensor After(Tensor before, Tensor line, Tensor vectors)
    {
        var x = Drop(Look(line, vectors));
        for (var layer = 0; x.shape[1] > 1; layer++)
        {
            var kernel = Kernels[layer];
            var count = x.shape[1] - kernel + 1;
            x = Apply(sentence[layer], cat([.. Enumerable.Range(0, kernel).Select(k => x.narrow(1, k, count))], 2)).tanh();
        }
        return Apply(context, cat([x.squeeze(1), before], 1)).tanh();
    }

    /// <summary>What the context says to each place of the next line, <c>[poems, length, size]</c>.</summary>
    public Tensor Places(Tensor before, int length)
    {
        var x = Apply(length == 5 ? places5 : places7, Drop(before)).tanh();
        return x.view(before.shape[0], length, -1);
    }

    /// <summary>Reads characters of a line and computes what is behind the next ones.</summary>
    /// <param name="tokens">The characters before, <c>[poems, steps]</c>.</param>
    /// <param name="places">What the context says, <c>[poems, steps, size]</c>.</param>
    /// <param name="state">The state, or null at the beginning of a line.</param>
    /// <param name="vectors">The vectors of the characters.</param>
    /// <returns>The logits, <c>[poems * steps, vocabulary]</c>, and the next state.</returns>
    public (Tensor Logits, Tensor[] State) Read(Tensor tokens, Tensor places, Tensor[]? state, Tensor vectors)
    {
        var input = cat([Drop(Look(tokens, vectors)), places], 2).transpose(0, 1).contiguous();
        var (hidden, next) = recurrent.Run(input.to(projection.weight!.dtype), state);
        var last = Apply(projection, Drop(hidden)).transpose(0, 1).reshape(-1, vectors.shape[1]);
        return (nn.functional.linear(last.to(vectors.dtype), vectors, output_bias.to(vectors.dtype)), next);
    }

    public override Tensor forward(Tensor rows)
    {
        var vectors = Vectors();
        var length = (int)rows[0, 0].item<long>();
        var characters = rows.narrow(1, 1, QuatrainPattern.Lines * length).view(-1, QuatrainPattern.Lines, length);
        var first = 1 + (QuatrainPattern.Lines * length);
        var before = Begin(rows.narrow(1, first, rows.shape[1] - first), vectors);
        var places = new Tensor[QuatrainPattern.Lines];
        for (var line = 0; line < places.Length; line++)
        {
            places[line] = Places(before, length);
            if (line + 1 < places.Length)
                before = After(before, characters.select(1, line), vectors);
        }
        // All lines at once: each depends on the others only by its context.
        var start = full([characters.shape[0] * QuatrainPattern.Lines, 1], Number.Of((long)_startToken), ScalarType.Int64, rows.device);
        var tokens = cat([start, characters.reshape(-1, length).narrow(1, 0, length - 1)], 1);
        return Read(tokens, stack(places, 1).view(-1, length, vectors.shape[1]), null, vectors).Logits;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _features?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>In a training with BFloat16 layers have such weights, and all between them is in single precision.</summary>
    private static Tensor Apply(Linear layer, Tensor x) => layer.call(x.to(layer.weight!.dtype)).to(x.dtype);

    private static Tensor Look(Tensor tokens, Tensor vectors) => vectors.index_select(0, tokens.reshape(-1)).view(tokens.shape[0], tokens.shape[1], -1);

    private Tensor Drop(Tensor x) => dropout == null ? x : dropout.call(x);
}
