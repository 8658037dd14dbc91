namespace MLExtensions.Families.NGrams;

/// <summary>A place in the table of n-grams one shorter and a token, as one number.</summary>
internal sealed class NGramKey : IEqualityComparer<ulong>
{
    /// <summary>Spreads keys: the usual hash of neighboring places and tokens is the same for many of them.</summary>
    public static NGramKey Comparer { get; } = new();

    public static ulong Of(int parent, int token) => ((ulong)(uint)parent << 32) | (uint)token;

    public bool Equals(ulong x, ulong y) => x == y;

    public int GetHashCode(ulong obj) => (int)((obj * 0x9E3779B97F4A7C15) >> 32);
}

/// <summary>The n-grams of one length: each is a place in the table of those one shorter, and a token.</summary>
/// <param name="parents">The place of all but the last token.</param>
/// <param name="tokens">The last token.</param>
/// <param name="counts">How often it was met; in all tables but the last one, after how many different tokens. 0: it is only context.</param>
/// <param name="discounts">What is taken from counts of 1, 2, and 3 or more.</param>
internal sealed class NGramLevel(int[] parents, int[] tokens, int[] counts, double[] discounts)
{
    private readonly Dictionary<ulong, int> _places = Index(parents, tokens);

    public int[] Parents => parents;

    public int[] Tokens => tokens;

    public int[] Counts => counts;

    public double[] Discounts => discounts;

    public int Count => parents.Length;

    /// <summary>The place of an n-gram; -1 if it was never met.</summary>
    public int Find(int parent, int token) => _places.TryGetValue(NGramKey.Of(parent, token), out var place) ? place : -1;

    public double DiscountOf(int count) => count == 0 ? 0 : discounts[Math.Min(count, discounts.Length) - 1];

    private static Dictionary<ulong, int> Index(int[] parents, int[] tokens)
    {
        var places = new Dictionary<ulong, int>(parents.Length, NGramKey.Comparer);
        for (var i = 0; i < parents.Length; i++)
        {
            if (!places.TryAdd(NGramKey.Of(parents[i], tokens[i]), i))
                throw new FormatException(FormattableString.Invariant($"n-gram {i} is there twice."));
        }
        return places;
    }
}

/// <summary>
/// Probabilities by interpolated Kneser-Ney smoothing (Chen and Goodman, 1998): of each count a discount is taken, and what is taken goes to
/// the distribution of the next shorter history, which counts not how often a token was met but after how many different ones. The shortest
/// is interpolated with a uniform distribution. Immutable.
/// </summary>
internal sealed class NGramTable
{
    private readonly double[][] _totals;
    private readonly double[][] _shares;

    /// <param name="levels">The n-grams of each length, from 1.</param>
    /// <param name="tokenCount">The number of tokens that can follow.</param>
    /// <param name="start">The token that stands before texts.</param>
    public NGramTable(NGramLevel[] levels, int tokenCount, int start)
    {
        (Levels, TokenCount, Start) = (levels, tokenCount, start);
        _totals = new double[levels.Length][];
        _shares = new double[levels.Length][];
        for (var i = 0; i < levels.Length; i++)
            (_totals[i], _shares[i]) = Sum(levels[i], i == 0 ? 1 : levels[i - 1].Count);
    }

    public IReadOnlyList<NGramLevel> Levels { get; }

    public int Order => Levels.Count;

    public int TokenCount { get; }

    public int Start { get; }

    /// <summary>Returns the log probability of a text, and the number of tokens that were predicted.</summary>
    /// <param name="tokens">The tokens of the text.</param>
    /// <param name="onlyContext">The token that is not predicted; null if all are.</param>
    /// <param name="levels">The longest n-grams that are used; null for the longest there are.</param>
    public (double LogProbability, int Count) Score(ReadOnlySpan<int> tokens, int? onlyContext, int? levels = null)
    {
        // The places of the last 0, 1, 2... tokens; -1 where they were never met together.
        Span<int> history = stackalloc int[Order];
        history.Fill(-1);
        history[0] = 0;
        for (var i = 1; i < Order; i++)
            Advance(history, Start);
        var (sum, count) = (0d, 0);
        foreach (var token in tokens)
        {
            if (token != onlyContext)
            {
                sum += Math.Log(Probability(history, token, levels ?? Order));
                count++;
            }
            Advance(history, token);
        }
        return (sum, count);
    }

    private double Probability(ReadOnlySpan<int> history, int token, int levels)
    {
        var probability = 1.0 / TokenCount;
        for (var i = 0; i < levels; i++)
        {
            var parent = history[i];
            if (parent < 0 || _totals[i][parent] == 0)
                break;
            var level = Levels[i];
            var place = level.Find(parent, token);
            var count = place < 0 ? 0 : level.Counts[place];
            probability = (Math.Max(count - level.DiscountOf(count), 0) / _totals[i][parent]) + (_shares[i][parent] * probability);
        }
        return probability;
    }

    private void Advance(Span<int> history, int token)
    {
        for (var i = Order - 1; i >= 1; i--)
            history[i] = history[i - 1] < 0 ? -1 : Levels[i - 1].Find(history[i - 1], token);
    }

    /// <summary>The sum of the counts after each history, and the share that is taken of it.</summary>
    private static (double[] Totals, double[] Shares) Sum(NGramLevel level, int parents)
    {
        var (totals, shares) = (new double[parents], new double[parents]);
        for (var i = 0; i < level.Count; i++)
        {
            totals[level.Parents[i]] += level.Counts[i];
            shares[level.Parents[i]] += Math.Min(level.Counts[i], level.DiscountOf(level.Counts[i]));
        }
        for (var i = 0; i < parents; i++)
            shares[i] = totals[i] == 0 ? 1 : shares[i] / totals[i];
        return (totals, shares);
    }
}
