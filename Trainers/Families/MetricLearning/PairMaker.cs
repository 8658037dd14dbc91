using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Makes pairs of rows.</summary>
internal static class PairMaker
{
    public const int DefaultMaximum = 100_000;

    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there is no pair of one of the kinds.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    public static IDataView Create(MLContext context, IDataView data, string labelColumnName, string embeddingColumnName, int maximum, int seed)
    {
        var column = FeatureRows.Find(data.Schema, embeddingColumnName);
        var (rows, names, withoutLabel) = EmbeddingReader.ReadClasses(data, labelColumnName, embeddingColumnName);
        var random = new SplitMix64(SeedSequence.Derive(seed, SeedSequence.ImpostorPairs));
        var (same, different) = Draw(rows.Count, (i, j) => rows.ClassOf(i) == rows.ClassOf(j), maximum, ref random);
        if (same.Count == 0 || different.Count == 0)
            throw new ArgumentException(FormattableString.Invariant($"The data has {EmbeddingEvaluator.Describe(rows.Count, names.Count, labelColumnName, withoutLabel)}: {same.Count} pairs of the same and {different.Count} of different; both kinds are needed."));
        (int First, int Second)[] pairs = [.. same, .. different];
        var order = Enumerable.Range(0, pairs.Length).ToArray();
        random.Shuffle(order);
        var schema = SchemaDefinition.Create(typeof(EmbeddingPairRow));
        var fingerprint = EmbeddingFingerprint.Of(column);
        foreach (var name in (string[])[nameof(EmbeddingPairRow.First), nameof(EmbeddingPairRow.Second)])
        {
            schema[name].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Length);
            if (fingerprint != null)
                schema[name].AddAnnotation(EmbeddingFingerprint.Kind, fingerprint.AsMemory(), TextDataViewType.Instance);
        }
        return context.Data.LoadFromEnumerable(order.Select(place => new EmbeddingPairRow
        {
            First = rows[pairs[place].First].ToArray(),
            Second = rows[pairs[place].Second].ToArray(),
            Label = place < same.Count,
        }).ToArray(), schema);
    }

    /// <summary>Draws pairs of rows.</summary>
    /// <param name="count">The number of rows.</param>
    /// <param name="isSame">Whether two rows are of the same class; null for a pair that is left out.</param>
    /// <param name="maximum">The largest number of pairs of a kind.</param>
    /// <param name="random">The source of the draw.</param>
    public static (IReadOnlyList<(int First, int Second)> Same, IReadOnlyList<(int First, int Second)> Different) Draw(int count, Func<int, int, bool?> isSame, int maximum, ref SplitMix64 random)
    {
        var (same, different) = (new Reservoir(maximum), new Reservoir(maximum));
        for (var i = 0; i < count; i++)
        {
            for (var j = i + 1; j < count; j++)
            {
                if (isSame(i, j) is { } found)
                    (found ? same : different).Add((i, j), ref random);
            }
        }
        return (same.Kept, different.Kept);
    }

    /// <summary>Keeps so many of what comes, each with the same probability (Vitter, 1985).</summary>
    private sealed class Reservoir(int capacity)
    {
        private long _seen; // of 100,000 rows there are more pairs than an Int32 counts

        public List<(int First, int Second)> Kept { get; } = [];

        public void Add((int First, int Second) pair, ref SplitMix64 random)
        {
            _seen++;
            if (Kept.Count < capacity)
                Kept.Add(pair);
            else if (random.Next(_seen) is var place && place < capacity)
                Kept[(int)place] = pair;
        }
    }

    private sealed class EmbeddingPairRow
    {
        public float[] First { get; set; } = [];

        public float[] Second { get; set; } = [];

        public bool Label { get; set; }
    }
}
