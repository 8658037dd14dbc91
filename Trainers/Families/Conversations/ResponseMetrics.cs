namespace MLExtensions;

/// <summary>How texts that were written compare with those that should have been.</summary>
/// <remarks>
/// Tokens are words and punctuation marks by the rules of Unicode, as those of <see cref="Tokenization.Words"/> with <c>splitPunctuation</c>;
/// texts are equal if their tokens are. Exact matches are of what was written, not of predictions from the right beginning.
/// </remarks>
public sealed record SequenceToSequenceMetrics
{
    internal SequenceToSequenceMetrics()
    {
    }

    /// <summary>The number of responses.</summary>
    public required long Responses { get; init; }

    /// <summary>The share of responses that are equal to their targets, from 0 to 1.</summary>
    public required double ExactMatch { get; init; }

    /// <summary>The number of conversations; null without a column of conversations.</summary>
    public long? Conversations { get; init; }

    /// <summary>The share of conversations whose responses are all equal to their targets, from 0 to 1; null without a column of conversations.</summary>
    public double? ConversationExactMatch { get; init; }

    /// <summary>
    /// Corpus BLEU of n-grams up to length 4, from 0 to 1, with one reference each and without smoothing (Papineni et al., 2002): the
    /// geometric mean of <see cref="NGramPrecisions"/> times <see cref="BrevityPenalty"/>. 0 if there is no common 4-gram.
    /// </summary>
    public required double Bleu { get; init; }

    /// <summary>The share of n-grams of the responses that their targets have, too, for lengths 1 to 4, each counted at most as often as there.</summary>
    public required IReadOnlyList<double> NGramPrecisions { get; init; }

    /// <summary>exp(1 - target length / response length) if the responses are shorter in all, else 1.</summary>
    public required double BrevityPenalty { get; init; }

    /// <summary>The number of different tokens of all responses, divided by that of all their tokens (Li et al., 2016).</summary>
    public required double Distinct1 { get; init; }

    /// <summary>The number of different pairs of neighboring tokens, divided by that of all tokens (Li et al., 2016).</summary>
    public required double Distinct2 { get; init; }

    /// <summary>The response that was given most often; of several, the one that was given first.</summary>
    public required string CommonestResponse { get; init; }

    /// <summary>The share of <see cref="CommonestResponse"/>, from 0 to 1. High shares are a sign of safe answers, such as "I don't know".</summary>
    public required double CommonestResponseShare { get; init; }

    /// <summary>The number of different responses.</summary>
    public required long DistinctResponses { get; init; }

    /// <summary>The mean number of tokens of a response.</summary>
    public required double MeanLength { get; init; }

    /// <summary>The mean number of tokens of a target.</summary>
    public required double MeanTargetLength { get; init; }

    /// <summary>
    /// The perplexity of the targets by the model: exp of the mean negative log probability of a token, with the model's vocabulary and
    /// the end of the text as it counts them. Null without its columns.
    /// </summary>
    public double? Perplexity { get; init; }

    /// <summary>The perplexity of the targets by a language model that does not know what was said before. Null without one.</summary>
    public LanguageModelMetrics? Reference { get; init; }

    /// <summary>Returns the main metrics as text.</summary>
    public override string ToString()
    {
        var conversations = ConversationExactMatch is { } match ? FormattableString.Invariant($" ({match:P1} of {Conversations} conversations)") : "";
        var perplexity = Perplexity is { } value ? FormattableString.Invariant($", perplexity {value:G4}") : "";
        var reference = Reference is { } other ? FormattableString.Invariant($" (n-grams {other.Perplexity:G4})") : "";
        return FormattableString.Invariant($"exact {ExactMatch:P1} of {Responses}{conversations}, BLEU {Bleu:F3}, distinct {Distinct1:F3}/{Distinct2:F3}, commonest {CommonestResponseShare:P1}{perplexity}{reference}");
    }
}
