using MLExtensions.Text;

namespace MLExtensions.Families.Conversations;

/// <summary>The tokens of a text for metrics: words and punctuation marks by the rules of Unicode.</summary>
internal static class ResponseTokens
{
    public static string[] Of(ReadOnlySpan<char> text, bool ignoreCase)
    {
        var tokens = new List<string>();
        using var words = new WordReader(text, ignoreCase, splitPunctuation: true, WordSegmentation.Unicode);
        while (words.MoveNext())
        {
            if (!words.IsLineEnd)
                tokens.Add(words.Current.ToString());
        }
        return [.. tokens];
    }

    /// <summary>The tokens as one text, by which they are compared.</summary>
    public static string Join(ReadOnlySpan<string?> tokens) => string.Join(' ', tokens);
}

/// <summary>Sums the n-grams that texts and their references have in common, for BLEU (Papineni et al., 2002).</summary>
internal sealed class NGramOverlap
{
    private const int Longest = 4;

    private readonly long[] _matches = new long[Longest];
    private readonly long[] _totals = new long[Longest];

    public long Length { get; private set; }

    public long ReferenceLength { get; private set; }

    public double[] Precisions => [.. _matches.Zip(_totals, (match, total) => total == 0 ? 0 : (double)match / total)];

    public double BrevityPenalty => Length >= ReferenceLength ? 1 : Length == 0 ? 0 : Math.Exp(1 - ((double)ReferenceLength / Length));

    public double Bleu => Precisions.Contains(0) ? 0 : BrevityPenalty * Math.Exp(Precisions.Average(Math.Log));

    public void Add(string[] tokens, string[] reference)
    {
        (Length, ReferenceLength) = (Length + tokens.Length, ReferenceLength + reference.Length);
        for (var n = 1; n <= Longest; n++)
        {
            var left = Count(reference, n);
            foreach (var (gram, count) in Count(tokens, n))
            {
                _totals[n - 1] += count;
                _matches[n - 1] += Math.Min(count, left.GetValueOrDefault(gram));
            }
        }
    }

    private static Dictionary<string, int> Count(string[] tokens, int n)
    {
        var counts = new Dictionary<string, int>();
        for (var i = 0; i + n <= tokens.Length; i++)
        {
            var gram = ResponseTokens.Join(tokens.AsSpan(i, n));
            counts[gram] = counts.GetValueOrDefault(gram) + 1;
        }
        return counts;
    }
}

/// <summary>How varied texts are.</summary>
internal sealed class ResponseVariety
{
    private readonly HashSet<string> _tokens = [];
    private readonly HashSet<string> _pairs = [];
    private readonly Dictionary<string, (long Count, long First, string Text)> _responses = [];
    private long _length;

    public double Distinct1 => _length == 0 ? 0 : (double)_tokens.Count / _length;

    public double Distinct2 => _length == 0 ? 0 : (double)_pairs.Count / _length;

    public long DistinctResponses => _responses.Count;

    public (long Count, string Text) Commonest => _responses.Values.OrderByDescending(each => each.Count).ThenBy(each => each.First).Select(each => (each.Count, each.Text)).First();

    public void Add(string[] tokens, string joined, string text)
    {
        _length += tokens.Length;
        _tokens.UnionWith(tokens);
        for (var i = 1; i < tokens.Length; i++)
            _pairs.Add(ResponseTokens.Join(tokens.AsSpan(i - 1, 2)));
        var known = _responses.GetValueOrDefault(joined, (0, _responses.Count, text));
        _responses[joined] = known with { Count = known.Count + 1 };
    }
}
