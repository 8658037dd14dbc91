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
