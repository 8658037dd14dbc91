namespace MLExtensions.Text;

/// <summary>Makes a tokenizer in one pass over the training rows.</summary>
internal abstract class TokenizerBuilder
{
    /// <summary>Whether the rows have a say.</summary>
    public virtual bool NeedsText => true;

    /// <summary>Counts the tokens of a row and its end.</summary>
    public abstract void Add(ReadOnlySpan<char> row);

    public abstract TextTokenizer Build();
}

/// <summary>A tokenizer in which the training rows have no say.</summary>
internal sealed class GivenTokenizer(Func<TextTokenizer> create) : TokenizerBuilder
{
    public override bool NeedsText => false;

    public override void Add(ReadOnlySpan<char> row)
    {
    }

    public override TextTokenizer Build() => create();
}

/// <summary>Chooses and orders a vocabulary by how often its tokens occur.</summary>
internal static class TokenCounts
{
    /// <summary>The most frequent tokens, then the special ones, all in the order of falling counts.</summary>
    /// <param name="counts">The tokens; special ones among them count for those.</param>
    /// <param name="endOfRow">The token that is kept whatever its count.</param>
    /// <param name="unknown">The token that gets the count of what is left out, or null.</param>
    /// <param name="unknownCount">How often the unknown token occurs besides.</param>
    /// <param name="maximumVocabulary">The most tokens to keep, special ones included.</param>
    /// <param name="minimumCount">What a token must occur to be kept.</param>
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
