using MLExtensions.Networks;
using MLExtensions.Networks.Recurrent;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.LanguageModels;

/// <summary>The module of <see cref="LanguageModelArchitecture"/>: tokens <c>[steps, batch]</c>, int64, to logits <c>[steps * batch, vocabulary]</c>.</summary>
internal sealed class LanguageModelNetwork : nn.Module<Tensor, Tensor>
{
    private readonly Embedding embedding;
    private readonly RecurrentModule recurrent;
    private readonly SeededDropout? dropout;
    private readonly Linear? projection;
    private readonly Linear? output;
    private readonly Parameter? output_bias;

    public LanguageModelNetwork(LanguageModelArchitecture architecture)
        : base(nameof(LanguageModelNetwork))
    {
        embedding = nn.Embedding(architecture.OutputCount, architecture.EmbeddingSize);
        recurrent = architecture.Recurrent.CreateModule(architecture.EmbeddingSize);
        dropout = architecture.Dropout > 0 ? new SeededDropout(architecture.Dropout) : null;
        projection = architecture.HasProjection ? nn.Linear(architecture.Recurrent.OutputCount, architecture.EmbeddingSize, hasBias: false) : null;
        output = architecture.TieEmbeddings ? null : nn.Linear(architecture.Recurrent.OutputCount, architecture.OutputCount);
        output_bias = architecture.TieEmbeddings ? new Parameter(zeros(architecture.OutputCount)) : null;
        RegisterComponents();
    }

    /// <summary><c>[vocabulary, embedding size]</c>.</summary>
    public Parameter EmbeddingWeight => embedding.weight!;

    /// <summary><c>[vocabulary, width of the hidden values]</c>; the embedding's where they are tied.</summary>
    public Parameter OutputWeight => output?.weight ?? EmbeddingWeight;

    /// <summary><c>[vocabulary]</c>.</summary>
    public Parameter OutputBias => output?.bias ?? output_bias!;

    public Tensor Embed(Tensor tokens) => EmbeddingWeight.index_select(0, tokens.view(-1)).view(tokens.shape[0], tokens.shape[1], -1);

    /// <summary>All but the first and the last layer.</summary>
    /// <param name="embedded"><c>[steps, batch, embedding size]</c>.</param>
    /// <param name="state">The state after the steps before, or null for zeros.</param>
    /// <returns>What the output layer sees, <c>[steps * batch, width]</c>, and the state after these steps.</returns>
    public (Tensor Hidden, Tensor[] State) Run(Tensor embedded, Tensor[]? state)
    {
        var (hidden, next) = recurrent.Run(Drop(embedded), state);
        hidden = Drop(hidden).reshape(-1, hidden.shape[2]);
        return (projection == null ? hidden : projection.call(hidden), next);
    }

    public Tensor Logits(Tensor hidden) => nn.functional.linear(hidden, OutputWeight, OutputBias);

    public override Tensor forward(Tensor tokens) => Logits(Run(Embed(tokens), null).Hidden);

    private Tensor Drop(Tensor x) => dropout == null ? x : dropout.call(x);
}
