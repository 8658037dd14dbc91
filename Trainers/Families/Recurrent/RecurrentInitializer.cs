using MLExtensions.Engine;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Recurrent;

/// <summary>Initializes the weights of networks with recurrent layers.</summary>
internal static class RecurrentInitializer
{
    private const double EmbeddingScale = 0.1;

    /// <param name="network">The network.</param>
    /// <param name="scheme">The scheme for layers that are not recurrent.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="cell">The recurrent cell.</param>
    /// <param name="scale">All weights are drawn from plus or minus this value; null for the default of each layer.</param>
    /// <param name="forgetBias">The bias of an LSTM's forget gates.</param>
    /// <param name="embeddingScale">Embeddings are drawn from plus or minus this value.</param>
    public static void Initialize(nn.Module network, WeightInitialization scheme, ulong seed, RecurrentCell cell, double? scale, double forgetBias, double embeddingScale = EmbeddingScale)
    {
        WeightInitializer.Initialize(network, scheme, seed);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var generator = new Generator(seed + 1);
        foreach (var (path, parameter) in network.named_parameters())
        {
            var name = path.AsSpan(path.LastIndexOf('.') + 1);
            var isRecurrent = name.Contains("_ih_", StringComparison.Ordinal) || name.Contains("_hh_", StringComparison.Ordinal);
            var units = parameter.shape[0] / RecurrentLayers.GatesOf(cell);
            if (parameter.dim() >= 2 && (scale != null || isRecurrent || path.StartsWith("embedding", StringComparison.Ordinal)))
            {
                var bound = scale ?? (isRecurrent ? 1 / Math.Sqrt(units) : embeddingScale);
                parameter.uniform_(-bound, bound, generator);
            }
            // Gates in the order input, forget, cell, output.
            if (isRecurrent && cell == RecurrentCell.Lstm && name.StartsWith("bias_ih", StringComparison.Ordinal))
                parameter.narrow(0, units, units).fill_(Number.Of(forgetBias));
        }
    }
}
