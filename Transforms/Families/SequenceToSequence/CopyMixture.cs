using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>
/// A word is written from the vocabulary or copied from the source; a gate decides how likely each is, and attention what is copied (See et
/// al., 2017).
/// </summary>
/// <param name="LogProbabilities">The log probability of each token.</param>
/// <param name="Written">The log probability that it is written from the vocabulary.</param>
internal sealed record CopyMixture(Tensor LogProbabilities, Tensor Written)
{
    // Attention has a weight of exactly 0 at padding, and may have one elsewhere.
    private const double LeastProbability = 1e-37;

    /// <summary>The log probability of a token that cannot be.</summary>
    private const double Never = -1e30;

    /// <param name="network">The network.</param>
    /// <param name="tokens">What was computed for the tokens.</param>
    /// <param name="written">The log probability of each token in the vocabulary.</param>
    /// <param name="targets">The tokens.</param>
    /// <param name="copies">The tokens of the sources, <c>[rows, steps]</c>.</param>
    public static CopyMixture Of(SequenceToSequenceNetwork network, DecodedTokens tokens, Tensor written, Tensor targets, Tensor copies)
    {
        var gate = Gate(network, tokens);
        var sources = tokens.Rows is { } rows ? copies.index_select(0, rows) : copies;
        var copied = (tokens.Weights!.to(ScalarType.Float32) * sources.eq(targets.unsqueeze(1)).to(ScalarType.Float32)).sum(1);
        written = nn.functional.logsigmoid(gate).add(written.masked_fill(targets.ge(Number.Of((long)network.VocabularySize)), Number.Of(Never)), Number.One);
        return new CopyMixture(written.logaddexp(nn.functional.logsigmoid(gate.neg()).add(copied.clamp_min(Number.Of(LeastProbability)).log(), Number.One)), written);
    }

    /// <summary>The log probabilities of everything that can be written or copied.</summary>
    /// <param name="network">The network.</param>
    /// <param name="tokens">What was computed.</param>
    /// <param name="written">The log probabilities of the vocabulary.</param>
    /// <param name="copies">The tokens of the source of each of them, <c>[tokens, steps]</c>; -1 for padding.</param>
    /// <param name="extra">The number of words beyond the vocabulary.</param>
    public static Tensor Distribution(SequenceToSequenceNetwork network, DecodedTokens tokens, Tensor written, Tensor copies, int extra)
    {
        var gate = Gate(network, tokens).unsqueeze(1);
        var all = written.exp() * gate.sigmoid();
        if (extra > 0)
            all = cat([all, zeros([all.shape[0], extra], all.dtype, all.device)], 1);
        // Padding has a weight of 0, so it may be added to any token.
        all.scatter_add_(1, copies.clamp_min(Number.Zero), tokens.Weights!.to(ScalarType.Float32) * gate.neg().sigmoid());
        return all.clamp_min(Number.Of(LeastProbability)).log();
    }

    private static Tensor Gate(SequenceToSequenceNetwork network, DecodedTokens tokens) =>
        network.GateLogits(tokens.Hidden, tokens.Context!, tokens.Embedded!).to(ScalarType.Float32);
}
