using System.Runtime.InteropServices;

namespace MLExtensions.Families.NGrams;

/// <summary>Counts the n-grams of texts.</summary>
/// <param name="order">The length of the longest ones.</param>
/// <param name="vocabulary">The number of tokens; the one after them stands before each text.</param>
/// <param name="onlyContext">The token that is context of others, but is not counted itself; null if all are.</param>
internal sealed class NGramCounter(int order, int vocabulary, int? onlyContext)
{
    private readonly LevelCounts[] _levels = [.. Enumerable.Range(0, order).Select(_ => new LevelCounts())];

    public void Add(ReadOnlySpan<int> tokens)
    {
        // The places of the last 0, 1, 2... tokens.
        Span<int> history = stackalloc int[order + 1];
        history.Fill(-1);
        history[0] = 0;
        for (var i = 1; i < order; i++)
            Count(history, vocabulary, isCounted: false);
        foreach (var token in tokens)
            Count(history, token, token != onlyContext);
    }

    /// <summary>Makes discounted counts of all that was added.</summary>
    public NGramLevel[] ToLevels(KneserNeyDiscounts discounts) => [.. _levels.Select(level => level.ToLevel(discounts))];

    private void Count(Span<int> history, int token, bool isCounted)
    {
        Span<int> before = stackalloc int[order + 1];
        history.CopyTo(before);
        for (var length = 1; length <= order; length++)
        {
            var parent = before[length - 1];
            // Of the longest n-grams only counts are needed, not places.
            if (parent < 0 || (length == order && !isCounted))
            {
                history[length] = -1;
                continue;
            }
            history[length] = _levels[length - 1].Place(parent, token, out var isNew);
            if (isCounted && length == order)
                _levels[length - 1].Counts[history[length]]++;
            // A new one means that the one without its first token follows one more token.
            if (isCounted && isNew && length > 1)
                _levels[length - 2].Counts[history[length - 1]]++;
        }
    }

    private sealed class LevelCounts
    {
        private readonly Dictionary<ulong, int> _places = new(NGramKey.Comparer);
        private readonly List<int> _parents = [];
        private readonly List<int> _tokens = [];

        public List<int> Counts { get; } = [];

        public int Place(int parent, int token, out bool isNew)
        {
            ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_places, NGramKey.Of(parent, token), out var exists);
            isNew = !exists;
            if (exists)
                return place;
            place = _parents.Count;
            _parents.Add(parent);
            _tokens.Add(token);
            Counts.Add(0);
            return place;
        }

        public NGramLevel ToLevel(KneserNeyDiscounts discounts) => new([.. _parents], [.. _tokens], [.. Counts], Discounts(discounts));

        private double[] Discounts(KneserNeyDiscounts discounts)
        {
            var n = new double[5]; // how many n-grams were counted 1, 2, 3, 4 times
            foreach (var count in Counts)
            {
                if (count is >= 1 and <= 4)
                    n[count]++;
            }
            if (discounts == KneserNeyDiscounts.Fixed || n[1] == 0 || n[2] == 0)
                return [KneserNeyEstimator.FixedDiscount, KneserNeyEstimator.FixedDiscount, KneserNeyEstimator.FixedDiscount];
            var single = n[1] / (n[1] + (2 * n[2]));
            if (discounts == KneserNeyDiscounts.Single || n[3] == 0 || n[4] == 0)
                return [single, single, single];
            return [Discount(1), Discount(2), Discount(3)];

            double Discount(int count) => Math.Clamp(count - ((count + 1) * single * n[count + 1] / n[count]), 0, count);
        }
    }
}
