using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>A table of weights as a training step sees it, and where its gradient is added; null if it is frozen.</summary>
internal readonly record struct TrainedTable(Tensor Weight, Tensor? Gradient)
{
    public static TrainedTable Of(Tensor weight) => new(weight.detach(), weight.grad);
}

/// <summary>
/// The vectors of the tokens in one training step. With features a vector is a sum, which is computed once a step; its gradient is that of
/// each summand.
/// </summary>
internal sealed class TrainedVectors
{
    private readonly LanguageModelNetwork _network;

    /// <summary>Runs without gradients, in the dispose scope of the step.</summary>
    public TrainedVectors(LanguageModelNetwork network)
    {
        _network = network;
        var weight = network.EmbeddingWeight;
        if (network.FeatureWeight is null)
        {
            Embedding = TrainedTable.Of(weight);
        }
        else
        {
            var vectors = network.Vectors().detach();
            Embedding = new TrainedTable(vectors, zeros_like(vectors));
        }
        Output = network.OwnOutputWeight is { } own ? TrainedTable.Of(own) : Embedding;
    }

    public TrainedTable Embedding { get; }

    /// <summary>The weights of the output layer; the vectors themselves if they are tied.</summary>
    public TrainedTable Output { get; }

    /// <summary>Whether the tokens that are read have a gradient.</summary>
    public bool AreTrained => _network.EmbeddingWeight.requires_grad || _network.FeatureWeight is { requires_grad: true };

    /// <summary>Adds the gradients of the tokens that were read; with features also those of the output layer to what they belong to.</summary>
    /// <param name="tokens">The tokens, <c>[steps, batch]</c>.</param>
    /// <param name="embedded">Their vectors, with a gradient.</param>
    public void AddGradients(Tensor tokens, Tensor embedded)
    {
        if (AreTrained)
            Embedding.Gradient!.index_add_(0, tokens.view(-1), embedded.grad!.view(tokens.numel(), -1).to(Embedding.Weight.dtype), Number.One);
        if (_network.FeatureWeight is not { } features)
            return;
        if (_network.EmbeddingWeight.requires_grad)
            _network.EmbeddingWeight.grad!.add_(Embedding.Gradient!, Number.One);
        if (features.requires_grad)
            features.grad!.add_(_network.FeaturesOfTokens!.t().mm(Embedding.Gradient!), Number.One);
    }
}
