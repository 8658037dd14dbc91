namespace MLExtensions;

/// <summary>How well pairs of the same are told from pairs of different by their distance.</summary>
/// <remarks>
/// Folds are those of facenet's evaluation: the rows in their order, cut into parts; the threshold of a part is chosen on all others.
/// </remarks>
public sealed class VerificationMetrics
{
    internal VerificationMetrics()
    {
    }

    /// <summary>The mean accuracy of the folds, with the threshold that is best on the others, of those from 0 to 4 in steps of 0.01.</summary>
    public required double Accuracy { get; init; }

    /// <summary>The standard deviation of the folds' accuracies.</summary>
    public required double AccuracyStandardDeviation { get; init; }

    /// <summary>The mean of the folds' best thresholds.</summary>
    public required double Threshold { get; init; }

    /// <summary>The probability that a pair of the same is nearer than a pair of different: the area under the ROC curve of all pairs.</summary>
    public required double AreaUnderRocCurve { get; init; }

    /// <summary>The equal error rate: where as large a share of different pairs is accepted as of same pairs is refused.</summary>
    public required double EqualErrorRate { get; init; }

    /// <summary>The validation rates at false-accept rates of 0.1, 0.01 and 0.001.</summary>
    public required IReadOnlyList<ValidationRate> ValidationRates { get; init; }

    /// <summary>The number of pairs of the same.</summary>
    public required long NumberOfSamePairs { get; init; }

    /// <summary>The number of pairs of different.</summary>
    public required long NumberOfDifferentPairs { get; init; }

    /// <summary>Returns the main metrics as text.</summary>
    public override string ToString() => FormattableString.Invariant($"accuracy {Accuracy:F4} ± {AccuracyStandardDeviation:F4}, AUC {AreaUnderRocCurve:F4}, EER {EqualErrorRate:F4}; ")
        + string.Join(", ", ValidationRates.Select(rate => FormattableString.Invariant($"VAL at FAR {rate.FalseAcceptRate} {rate.Rate:F4} ({rate.LowerBound:F4} to {rate.UpperBound:F4})")));
}

/// <summary>The validation rate (VAL): the share of pairs of the same that are accepted at a false-accept rate (FAR).</summary>
public sealed class ValidationRate
{
    internal ValidationRate()
    {
    }

    /// <summary>The share of pairs of different that may be accepted.</summary>
    public required double FalseAcceptRate { get; init; }

    /// <summary>The validation rate over all pairs, at <see cref="Threshold"/>.</summary>
    public required double Rate { get; init; }

    /// <summary>
    /// The lower end of the 95 % interval of <see cref="Rate"/> (Wilson, 1927), as if pairs were independent. Pairs that share examples are
    /// not, so that the truth is wider.
    /// </summary>
    public required double LowerBound { get; init; }

    /// <summary>The upper end of the interval.</summary>
    public required double UpperBound { get; init; }

    /// <summary>The distance below which at most the share of different pairs lies.</summary>
    public required double Threshold { get; init; }

    /// <summary>The number of different pairs that are accepted: with fewer than about 10 the rate says little.</summary>
    public required long FalseAccepts { get; init; }

    /// <summary>The mean validation rate of the folds, each with a threshold from the others, interpolated in steps of 0.001 as facenet does.</summary>
    public required double FoldRate { get; init; }

    /// <summary>The standard deviation of the folds' validation rates.</summary>
    public required double FoldStandardDeviation { get; init; }

    /// <summary>The mean false-accept rate of the folds at these thresholds.</summary>
    public required double FoldFalseAcceptRate { get; init; }
}

/// <summary>How well embeddings of a class find each other among all.</summary>
public sealed class EmbeddingMetrics
{
    internal EmbeddingMetrics()
    {
    }

    /// <summary>The share of rows whose nearest other row is of the same class (1-NN, leave one out).</summary>
    public required double PrecisionAt1 { get; init; }

    /// <summary>The mean share of the R nearest rows that are of the class, R being the number of other rows of the class.</summary>
    public required double RPrecision { get; init; }

    /// <summary>
    /// The mean average precision at R (Musgrave, Belongie and Lim, "A Metric Learning Reality Check", 2020): precisions at the ranks of
    /// the hits, summed and divided by R.
    /// </summary>
    public required double MeanAveragePrecisionAtR { get; init; }

    /// <summary>The probability that a pair of a class is nearer than a pair of different classes, over all pairs.</summary>
    public required double AreaUnderRocCurve { get; init; }

    /// <summary>The mean squared distance of pairs of a class.</summary>
    public required double MeanSameDistance { get; init; }

    /// <summary>The mean squared distance of pairs of different classes.</summary>
    public required double MeanDifferentDistance { get; init; }

    /// <summary>The number of rows that are not alone in their class: the means are over them.</summary>
    public required long NumberOfQueries { get; init; }

    /// <summary>The number of rows that are alone in their class: others can find them by mistake only.</summary>
    public required long NumberOfLoneRows { get; init; }

    /// <summary>The number of rows without a label, which were left out.</summary>
    public required long NumberOfRowsWithoutLabel { get; init; }

    /// <summary>Returns the main metrics as text.</summary>
    public override string ToString() => FormattableString.Invariant($"precision at 1 {PrecisionAt1:F4}, R-precision {RPrecision:F4}, MAP at R {MeanAveragePrecisionAtR:F4}, AUC {AreaUnderRocCurve:F4}");
}
