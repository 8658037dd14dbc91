namespace MLExtensions.Families.MetricLearning;

/// <summary>Embeddings in host memory with their classes: what is near what, in managed code.</summary>
/// <param name="values">The values, row after row.</param>
/// <param name="size">The values of a row.</param>
/// <param name="classes">The class of each row.</param>
internal sealed class LabeledEmbeddings(float[] values, int size, int[] classes)
{
    public int Count => classes.Length;

    public ReadOnlySpan<float> this[int row] => values.AsSpan(row * size, size);

    public int ClassOf(int row) => classes[row];

    /// <summary>Measures how well pairs of a class are nearer than others, and what the nearest neighbors are.</summary>
    /// <param name="throwIfCancelled">Called for each row.</param>
    public EmbeddingStatistics Measure(Action? throwIfCancelled = null)
    {
        var counts = new int[classes.Length == 0 ? 0 : classes.Max() + 1];
        foreach (var place in classes)
            counts[place]++;
        var same = SameDistances(counts);
        var statistics = new StatisticsSums(same);
        var distances = new float[Count];
        var order = new int[Count];
        for (var row = 0; row < Count; row++)
        {
            throwIfCancelled?.Invoke();
            for (var other = 0; other < Count; other++)
            {
                distances[other] = EmbeddingDistance.Squared(this[row], this[other]);
                order[other] = other;
                if (other > row && classes[other] != classes[row])
                    statistics.AddDifferent(distances[other]);
            }
            if (counts[classes[row]] < 2)
                continue;
            distances[row] = float.PositiveInfinity;
            var others = counts[classes[row]] - 1;
            statistics.AddQuery(Relevant(distances, order, row, others));
        }
        return statistics.ToStatistics();
    }

    /// <summary>Whether each of the nearest rows of a row, as many as there are others of its class, is of its class.</summary>
    private bool[] Relevant(float[] distances, int[] order, int row, int count)
    {
        // Equal distances keep the order of the rows.
        var nearest = new PriorityQueue<int, (float Distance, int Row)>(Comparer<(float Distance, int Row)>.Create((a, b) => b.CompareTo(a)));
        foreach (var other in order)
        {
            if (nearest.Count < count)
                nearest.Enqueue(other, (distances[other], other));
            else if (nearest.TryPeek(out _, out var worst) && (distances[other], other).CompareTo(worst) < 0)
                nearest.DequeueEnqueue(other, (distances[other], other));
        }
        var found = new bool[count];
        while (nearest.TryDequeue(out var other, out _))
            found[nearest.Count] = classes[other] == classes[row];
        return found;
    }

    /// <summary>The distances of all pairs of a class, ascending.</summary>
    private float[] SameDistances(int[] counts)
    {
        var same = new List<float>(checked((int)counts.Sum(count => (long)count * (count - 1) / 2)));
        foreach (var members in Enumerable.Range(0, Count).GroupBy(row => classes[row]).Select(group => group.ToArray()))
        {
            for (var i = 0; i < members.Length; i++)
            {
                for (var j = i + 1; j < members.Length; j++)
                    same.Add(EmbeddingDistance.Squared(this[members[i]], this[members[j]]));
            }
        }
        same.Sort();
        return same.ToArray();
    }

    /// <summary>Sums over queries and pairs. Pairs of different classes are not kept: they are counted among the sorted ones of a class.</summary>
    private sealed class StatisticsSums(float[] same)
    {
        private double _wins;
        private double _differentSum;
        private long _different;
        private double _first;
        private double _precision;
        private double _averagePrecision;
        private int _queries;

        public void AddDifferent(float distance)
        {
            _different++;
            _differentSum += distance;
            var (below, through) = (SortedValues.Below<float>(same, distance), SortedValues.Through<float>(same, distance));
            _wins += below + ((through - below) / 2.0);
        }

        public void AddQuery(bool[] relevant)
        {
            _queries++;
            var (hits, sum) = (0, 0.0);
            for (var rank = 0; rank < relevant.Length; rank++)
            {
                if (relevant[rank])
                    sum += (double)++hits / (rank + 1);
            }
            _first += relevant[0] ? 1 : 0;
            _precision += (double)hits / relevant.Length;
            _averagePrecision += sum / relevant.Length;
        }

        public EmbeddingStatistics ToStatistics() => new(
            same.Length == 0 || _different == 0 ? double.NaN : _wins / same.Length / _different,
            _queries == 0 ? double.NaN : _first / _queries,
            _queries == 0 ? double.NaN : _precision / _queries,
            _queries == 0 ? double.NaN : _averagePrecision / _queries,
            _queries,
            same.LongLength,
            _different,
            same.Length == 0 ? double.NaN : same.Average(distance => (double)distance),
            _different == 0 ? double.NaN : _differentSum / _different);
    }
}

/// <summary>How well embeddings tell classes apart; NaN where there is nothing to measure.</summary>
/// <param name="Auc">The probability that a pair of a class is nearer than a pair of different classes.</param>
/// <param name="PrecisionAt1">The share of rows whose nearest other row has their class.</param>
/// <param name="RPrecision">The mean share of the R nearest rows with the class, R being the number of other rows of the class.</param>
/// <param name="MapAtR">The mean average precision at R.</param>
/// <param name="Queries">The number of rows that are not alone in their class.</param>
/// <param name="SamePairs">The number of pairs of a class.</param>
/// <param name="DifferentPairs">The number of pairs of different classes.</param>
/// <param name="SameDistance">The mean squared distance of pairs of a class.</param>
/// <param name="DifferentDistance">The mean squared distance of pairs of different classes.</param>
internal sealed record EmbeddingStatistics(
    double Auc,
    double PrecisionAt1,
    double RPrecision,
    double MapAtR,
    int Queries,
    long SamePairs,
    long DifferentPairs,
    double SameDistance,
    double DifferentDistance);
