namespace MLExtensions.Tests.NGrams;

/// <summary>Kneser-Ney smoothing as it is written in the literature, slowly.</summary>
internal sealed class KneserNeyFormula
{
    private const int Start = -1;

    private readonly Dictionary<string, int>[] _counts; // of n-grams of each length
    private readonly double[][] _discounts;
    private readonly int _order;
    private readonly int _vocabulary;

    public KneserNeyFormula(IEnumerable<int[]> texts, int order, int vocabulary, KneserNeyDiscounts discounts)
    {
        (_order, _vocabulary) = (order, vocabulary);
        var longest = texts.SelectMany(text => Grams(text, order)).ToArray();
        _counts = new Dictionary<string, int>[order + 1];
        _counts[order] = longest.GroupBy(Key).ToDictionary(group => group.Key, group => group.Count());
        for (var n = order - 1; n >= 1; n--)
        {
            // How many different tokens come before: of n-grams that are one longer, each counts once.
            var longer = longest.Select(gram => gram[^(n + 1)..]).DistinctBy(Key);
            _counts[n] = longer.GroupBy(gram => Key(gram[1..])).ToDictionary(group => group.Key, group => group.Count());
        }
        _discounts = [.. _counts.Select(counts => counts == null ? [] : Discounts(counts, discounts))];
    }

    public double LogProbability(int[] text) => Grams(text, _order).Sum(gram => Math.Log(Probability(gram)));

    private double Probability(ReadOnlySpan<int> gram)
    {
        if (gram.Length == 0)
            return 1.0 / _vocabulary;
        var (counts, history) = (_counts[gram.Length], Key(gram[..^1]));
        var lower = Probability(gram[1..]);
        var following = counts.Where(each => each.Key.StartsWith(history, StringComparison.Ordinal) && each.Key[history.Length..].TrimEnd(',').All(c => c != ',')).Select(each => each.Value).ToArray();
        if (following.Length == 0)
            return lower;
        var discounts = _discounts[gram.Length];
        var count = counts.GetValueOrDefault(Key(gram));
        var taken = following.Sum(each => discounts[Math.Min(each, 3)]);
        return ((count - discounts[Math.Min(count, 3)]) + (taken * lower)) / following.Sum();
    }

    private static double[] Discounts(Dictionary<string, int> counts, KneserNeyDiscounts kind)
    {
        double N(int count) => counts.Values.Count(each => each == count);

        var y = N(1) / (N(1) + (2 * N(2)));
        return kind == KneserNeyDiscounts.Fixed || N(1) * N(2) == 0 ? [0, 0.75, 0.75, 0.75]
            : kind == KneserNeyDiscounts.Single || N(3) * N(4) == 0 ? [0, y, y, y]
            : [0, Math.Max(0, 1 - (2 * y * N(2) / N(1))), Math.Max(0, 2 - (3 * y * N(3) / N(2))), Math.Max(0, 3 - (4 * y * N(4) / N(3)))];
    }

    /// <summary>The n-grams of a text that end in each of its tokens.</summary>
    private static IEnumerable<int[]> Grams(int[] text, int order)
    {
        int[] padded = [.. Enumerable.Repeat(Start, order - 1), .. text];
        return Enumerable.Range(0, text.Length).Select(i => padded[i..(i + order)]);
    }

    private static string Key(int[] gram) => Key(gram.AsSpan());

    private static string Key(ReadOnlySpan<int> gram)
    {
        var text = "";
        foreach (var token in gram)
            text += FormattableString.Invariant($"{token},");
        return text;
    }
}
