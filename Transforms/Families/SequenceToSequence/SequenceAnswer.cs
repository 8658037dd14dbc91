using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>An answer of a sequence-to-sequence network.</summary>
/// <param name="Text">What it writes.</param>
/// <param name="LogProbability">The natural logarithm of the probability of the answer after its source, its end included.</param>
/// <param name="Score">What answers are compared by: the log probability with the penalties of <see cref="DecodingOptions"/>.</param>
/// <param name="Tokens">The number of its tokens, without the end.</param>
public sealed record SequenceAnswer(string Text, double LogProbability, double Score, int Tokens)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(SequenceAnswer), PrintMembers);
}

/// <summary>How much each token of an answer looked at each token of its source.</summary>
/// <param name="SourceTokens">The tokens of the source in the order in which they are read, its end included.</param>
/// <param name="TargetTokens">The tokens of the answer, its end included.</param>
/// <param name="Weights">A row for each token of the answer, with a weight for each token of the source; the weights of a row sum to 1.</param>
public sealed record AttentionMap(IReadOnlyList<string> SourceTokens, IReadOnlyList<string> TargetTokens, IReadOnlyList<IReadOnlyList<float>> Weights);
