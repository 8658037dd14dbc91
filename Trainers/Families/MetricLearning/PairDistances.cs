namespace MLExtensions.Families.MetricLearning;

/// <summary>The distances of pairs in their order, and which of them are pairs of the same.</summary>
/// <param name="distances">The distances.</param>
/// <param name="same">Whether each is that of a pair of the same.</param>
internal sealed class PairDistances(double[] distances, bool[] same)
{
    private static readonly double[] Targets = [0.1, 0.01, 0.001];

    // Facenet's: thresholds from 0 to 4 for the accuracy, and finer ones for validation rates.
    private const int AccuracySteps = 400;
    private const int ValidationSteps = 4000;
    private const double LargestThreshold = 4;

    /// <summary>All pairs.</summary>
    public SortedPairs All { get; } = Select(distances, same, _ => true);

    /// <param name="foldCount">The number of folds.</param>
    /// <exception cref="ArgumentException">A fold has only pairs of one kind, or there are too few pairs.</exception>
    public VerificationMetrics Measure(int foldCount)
    {
        var folds = Divide(foldCount);
        var accuracies = Array.ConvertAll(folds, AccuracyOf);
        return new VerificationMetrics
        {
            Accuracy = accuracies.Average(found => found.Accuracy),
            AccuracyStandardDeviation = Deviation(Array.ConvertAll(accuracies, found => found.Accuracy)),
            Threshold = accuracies.Average(found => found.Threshold),
            AreaUnderRocCurve = All.AreaUnderCurve(),
            EqualErrorRate = All.EqualErrorRate(),
            ValidationRates = Array.ConvertAll(Targets, target => RateAt(target, folds)),
            NumberOfSamePairs = All.Same.Length,
            NumberOfDifferentPairs = All.Different.Length,
        };
    }

    /// <summary>Consecutive rows, the first folds one longer if the rows cannot be divided.</summary>
    private Fold[] Divide(int count)
    {
        if (distances.Length < count)
            throw new ArgumentException(FormattableString.Invariant($"There are {distances.Length} pairs; {count} folds need at least as many."));
        var folds = new Fold[count];
        var first = 0;
        for (var i = 0; i < count; i++)
        {
            var (start, end) = (first, first + (distances.Length / count) + (i < distances.Length % count ? 1 : 0));
            folds[i] = new Fold(Select(distances, same, row => row >= start && row < end), Select(distances, same, row => row < start || row >= end));
            if (folds[i].Inside.Same.Length == 0 || folds[i].Inside.Different.Length == 0)
                throw new ArgumentException(FormattableString.Invariant($"Fold {i + 1} of {count}, rows {start} to {end - 1}, has only pairs of {(folds[i].Inside.Same.Length == 0 ? "different" : "the same")}: folds are taken in the order of the rows, so each must have both kinds. Mix the rows (ml.Data.ShuffleRows), or use fewer folds."));
            first = end;
        }
        return folds;
    }

    private static SortedPairs Select(double[] distances, bool[] same, Func<int, bool> isSelected)
    {
        return new SortedPairs(Of(isSame: true), Of(isSame: false));

        IEnumerable<double> Of(bool isSame) => distances.Where((_, row) => same[row] == isSame && isSelected(row));
    }

    private static (double Accuracy, double Threshold) AccuracyOf(Fold fold)
    {
        var (best, threshold) = (-1, 0.0);
        for (var step = 0; step < AccuracySteps; step++)
        {
            var limit = step * LargestThreshold / AccuracySteps;
            var right = fold.Outside.Right(limit);
            if (right > best)
                (best, threshold) = (right, limit);
        }
        return ((double)fold.Inside.Right(threshold) / fold.Inside.Count, threshold);
    }

    private ValidationRate RateAt(double target, Fold[] folds)
    {
        var found = Array.ConvertAll(folds, fold =>
        {
            var threshold = ThresholdOf(fold.Outside, target);
            return (Rate: fold.Inside.ValidationRate(threshold), Accepted: fold.Inside.FalseAcceptRate(threshold));
        });
        var limit = DistanceCalibration.ThresholdOf(All.Different, target);
        var (lower, upper) = All.Interval(limit);
        return new ValidationRate
        {
            FalseAcceptRate = target,
            Rate = All.ValidationRate(limit),
            LowerBound = lower,
            UpperBound = upper,
            Threshold = limit,
            FalseAccepts = All.FalseAccepts(limit),
            FoldRate = found.Average(fold => fold.Rate),
            FoldStandardDeviation = Deviation(Array.ConvertAll(found, fold => fold.Rate)),
            FoldFalseAcceptRate = found.Average(fold => fold.Accepted),
        };
    }

    /// <summary>Facenet's: the threshold at which the false-accept rate is the target, interpolated between steps; 0 if it is never reached.</summary>
    private static double ThresholdOf(SortedPairs pairs, double target)
    {
        var before = 0.0;
        for (var step = 0; step < ValidationSteps; step++)
        {
            var limit = step * LargestThreshold / ValidationSteps;
            var rate = pairs.FalseAcceptRate(limit);
            if (rate >= target)
                return step == 0 ? 0 : limit - ((rate - target) / (rate - before) * LargestThreshold / ValidationSteps);
            before = rate;
        }
        return 0;
    }

    private static double Deviation(double[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }

    /// <summary>The pairs in a fold, and those outside of it.</summary>
    private sealed record Fold(SortedPairs Inside, SortedPairs Outside);
}
