namespace MLExtensions.Text;

/// <summary>Creates a tokenizer in one pass over the training rows.</summary>
internal abstract class TokenizerBuilder
{
    /// <summary>Whether the tokenizer depends on the rows.</summary>
    public virtual bool NeedsText => true;

    /// <summary>Counts the tokens of a row and its end.</summary>
    public abstract void Add(ReadOnlySpan<char> row);

    public abstract TextTokenizer Build();
}

/// <summary>A tokenizer that does not depend on the training rows.</summary>
internal sealed class GivenTokenizer(Func<TextTokenizer> create) : TokenizerBuilder
{
    public override bool NeedsText => false;

    public override void Add(ReadOnlySpan<char> row)
    {
    }

    public override TextTokenizer Build() => create();
}

/// <summary>Selects and orders a vocabulary by token frequency.</summary>
internal static class TokenCounts
{
    /// <summary>Returns the most frequent tokens and the special ones, in descending order of counts.</summary>
    /// <param name="counts">The counts of the tokens; special tokens among them add to their counts.</param>
    /// <param name="endOfRow">The end-of-sequence (EOS) token, which is always kept.</param>
    /// <param name="unknown">The token that gets the counts of tokens that are not kept, or null.</param>
    /// <param name="unknownCount">The additional count of the unknown token.</param>
    /// <param name="maximumVocabulary">The maximum number of tokens to keep, including special ones.</param>
    /// <param name="minimumCount">The minimum count of a token to be kept.</param>
    public static string[] Choose(
        IReadOnlyDictionary<string, long> counts, string endOfRow, string? unknown, long unknownCount, int? maximumVocabulary, int minimumCount)
    {
        var specialCount = unknown == null ? 1 : 2;
        var ranked = Ranked(counts.Where(token => token.Key != endOfRow && token.Key != unknown));
        var kept = ranked
            .TakeWhile(token => token.Value >= minimumCount)
            .Take((maximumVocabulary ?? int.MaxValue) - specialCount)
            .ToList();
        kept.Add(new(endOfRow, counts.GetValueOrDefault(endOfRow)));
        if (unknown != null)
        {
            var leftOut = ranked.Skip(kept.Count - 1).Sum(token => token.Value);
            kept.Add(new(unknown, counts.GetValueOrDefault(unknown) + leftOut + unknownCount));
        }
        return [.. Ranked(kept).Select(token => token.Key)];
    }

    private static List<KeyValuePair<string, long>> Ranked(IEnumerable<KeyValuePair<string, long>> tokens) =>
        [.. tokens.OrderByDescending(token => token.Value).ThenBy(token => token.Key, StringComparer.Ordinal)];
}
