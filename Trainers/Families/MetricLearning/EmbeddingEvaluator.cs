using Microsoft.ML;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Measures embeddings of rows with classes.</summary>
internal static class EmbeddingEvaluator
{
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there is nothing to compare.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    public static EmbeddingMetrics Evaluate(IDataView data, string labelColumnName, string embeddingColumnName)
    {
        var (rows, names, withoutLabel) = EmbeddingReader.ReadClasses(data, labelColumnName, embeddingColumnName);
        var found = rows.Measure();
        if (found.SamePairs == 0 || found.DifferentPairs == 0)
            throw new ArgumentException($"The data has {Describe(rows.Count, names.Count, labelColumnName, withoutLabel)}; at least 2 classes are needed, one of them with 2 rows.");
        return new EmbeddingMetrics
        {
            PrecisionAt1 = found.PrecisionAt1,
            RPrecision = found.RPrecision,
            MeanAveragePrecisionAtR = found.MapAtR,
            AreaUnderRocCurve = found.Auc,
            MeanSameDistance = found.SameDistance,
            MeanDifferentDistance = found.DifferentDistance,
            NumberOfQueries = found.Queries,
            NumberOfLoneRows = rows.Count - found.Queries,
            NumberOfRowsWithoutLabel = withoutLabel,
        };
    }

    /// <summary>Rows and classes, for a message.</summary>
    public static string Describe(int rows, int classes, string label, long withoutLabel) =>
        FormattableString.Invariant($"{rows} rows of {classes} {(classes == 1 ? "class" : "classes")} in column '{label}'")
        + (withoutLabel > 0 ? FormattableString.Invariant($", and {withoutLabel} without a label (MapValueToKey makes labels missing that it was not fitted on)") : "");
}

/// <summary>Makes pairs of rows.</summary>
internal static class PairMaker
{
    public const int DefaultMaximum = 100_000;

    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or there is no pair of one of the kinds.</exception>
    /// <exception cref="FormatException">A value is NaN or infinite; the message names column, row and slot.</exception>
    public static IDataView Create(MLContext context, IDataView data, string labelColumnName, string embeddingColumnName, int maximum, int seed)
    {
        var column = Tensors.FeatureRows.Find(data.Schema, embeddingColumnName);
        var (rows, names, withoutLabel) = EmbeddingReader.ReadClasses(data, labelColumnName, embeddingColumnName);
        var random = new SplitMix64(SeedSequence.Derive(seed, SeedSequence.ImpostorPairs));
        var (same, different) = (new Reservoir(maximum), new Reservoir(maximum));
        for (var i = 0; i < rows.Count; i++)
        {
            for (var j = i + 1; j < rows.Count; j++)
                (rows.ClassOf(i) == rows.ClassOf(j) ? same : different).Add((i, j), ref random);
        }
        if (same.Kept.Count == 0 || different.Kept.Count == 0)
            throw new ArgumentException(FormattableString.Invariant($"The data has {EmbeddingEvaluator.Describe(rows.Count, names.Count, labelColumnName, withoutLabel)}: {same.Kept.Count} pairs of the same and {different.Kept.Count} of different; both kinds are needed."));
        (int First, int Second)[] pairs = [.. same.Kept, .. different.Kept];
        var order = Enumerable.Range(0, pairs.Length).ToArray();
        random.Shuffle(order);
        var schema = Microsoft.ML.Data.SchemaDefinition.Create(typeof(EmbeddingPairRow));
        var fingerprint = EmbeddingFingerprint.Of(column);
        foreach (var name in (string[])[nameof(EmbeddingPairRow.First), nameof(EmbeddingPairRow.Second)])
        {
            schema[name].ColumnType = new Microsoft.ML.Data.VectorDataViewType(Microsoft.ML.Data.NumberDataViewType.Single, rows[0].Length);
            if (fingerprint != null)
                schema[name].AddAnnotation(EmbeddingFingerprint.Kind, fingerprint.AsMemory(), Microsoft.ML.Data.TextDataViewType.Instance);
        }
        return context.Data.LoadFromEnumerable(order.Select(place => new EmbeddingPairRow
        {
            First = rows[pairs[place].First].ToArray(),
            Second = rows[pairs[place].Second].ToArray(),
            Label = place < same.Kept.Count,
        }).ToArray(), schema);
    }

    /// <summary>Keeps so many of what comes, each with the same probability (Vitter, 1985).</summary>
    private sealed class Reservoir(int capacity)
    {
        private int _seen;

        public List<(int First, int Second)> Kept { get; } = [];

        public void Add((int First, int Second) pair, ref SplitMix64 random)
        {
            _seen = checked(_seen + 1);
            if (Kept.Count < capacity)
                Kept.Add(pair);
            else if (random.Next(_seen) is var place && place < capacity)
                Kept[place] = pair;
        }
    }

    private sealed class EmbeddingPairRow
    {
        public float[] First { get; set; } = [];

        public float[] Second { get; set; } = [];

        public bool Label { get; set; }
    }
}
