namespace MLExtensions.Families.MetricLearning;

/// <summary>The distances of pairs, and which of them are pairs of the same.</summary>
internal sealed class PairDistances
{
    private static readonly double[] Targets = [0.1, 0.01, 0.001];

    // Facenet's: thresholds from 0 to 4 for the accuracy, and finer ones for validation rates.
    private const int AccuracySteps = 400;
    private const int ValidationSteps = 4000;
    private const double LargestThreshold = 4;

    private const double NormalQuantile = 1.959963984540054;

    private readonly double[] _distances;
    private readonly bool[] _same;
    private readonly double[] _sortedSame;
    private readonly double[] _sortedDifferent;

    public PairDistances(double[] distances, bool[] same)
    {
        (_distances, _same) = (distances, same);
        _sortedSame = distances.Where((_, i) => same[i]).Order().ToArray();
        _sortedDifferent = distances.Where((_, i) => !same[i]).Order().ToArray();
    }

    /// <summary>The distances of pairs of the same, ascending.</summary>
    public double[] Same => _sortedSame;

    /// <summary>The distances of pairs of different, ascending.</summary>
    public double[] Different => _sortedDifferent;

    public int SameCount => _sortedSame.Length;

    public int DifferentCount => _sortedDifferent.Length;

    /// <param name="foldCount">The number of folds.</param>
    /// <exception cref="ArgumentException">A fold has only pairs of one kind, or there are too few pairs.</exception>
    public VerificationMetrics Measure(int foldCount)
    {
        var folds = Divide(foldCount);
        var accuracies = folds.Select(fold => AccuracyOf(fold)).ToArray();
        return new VerificationMetrics
        {
            Accuracy = accuracies.Average(found => found.Accuracy),
            AccuracyStandardDeviation = Deviation(accuracies.Select(found => found.Accuracy).ToArray()),
            Threshold = accuracies.Average(found => found.Threshold),
            AreaUnderRocCurve = AreaUnderCurve(),
            EqualErrorRate = EqualErrorRate(),
            ValidationRates = Targets.Select(target => RateAt(target, folds)).ToArray(),
            NumberOfSamePairs = SameCount,
            NumberOfDifferentPairs = DifferentCount,
        };
    }

    /// <summary>Consecutive rows, the first folds one longer if the rows cannot be divided.</summary>
    private Fold[] Divide(int count)
    {
        if (_distances.Length < count)
            throw new ArgumentException(FormattableString.Invariant($"There are {_distances.Length} pairs; {count} folds need at least as many."));
        var folds = new Fold[count];
        var first = 0;
        for (var i = 0; i < count; i++)
        {
            var size = (_distances.Length / count) + (i < _distances.Length % count ? 1 : 0);
            folds[i] = new Fold(this, first, first + size);
            if (folds[i].SameInside.Length == 0 || folds[i].DifferentInside.Length == 0)
                throw new ArgumentException(FormattableString.Invariant($"Fold {i + 1} of {count}, rows {first} to {first + size - 1}, has only pairs of {(folds[i].SameInside.Length == 0 ? "different" : "the same")}: folds are taken in the order of the rows, so each must have both kinds. Mix the rows (ml.Data.ShuffleRows), or use fewer folds."));
            first += size;
        }
        return folds;
    }

    private static (double Accuracy, double Threshold) AccuracyOf(Fold fold)
    {
        var (best, threshold) = (-1L, 0.0);
        for (var step = 0; step < AccuracySteps; step++)
        {
            var limit = step * LargestThreshold / AccuracySteps;
            var right = Below(fold.SameOutside, limit) + fold.DifferentOutside.Length - Below(fold.DifferentOutside, limit);
            if (right > best)
                (best, threshold) = (right, limit);
        }
        var inside = Below(fold.SameInside, threshold) + fold.DifferentInside.Length - Below(fold.DifferentInside, threshold);
        return ((double)inside / (fold.SameInside.Length + fold.DifferentInside.Length), threshold);
    }

    private ValidationRate RateAt(double target, Fold[] folds)
    {
        var found = folds.Select(fold =>
        {
            var threshold = ThresholdOf(fold.DifferentOutside, target);
            return (Rate: (double)Below(fold.SameInside, threshold) / fold.SameInside.Length, Accepted: (double)Below(fold.DifferentInside, threshold) / fold.DifferentInside.Length);
        }).ToArray();
        var limit = DistanceCalibration.ThresholdOf(_sortedDifferent, target);
        var accepted = Below(_sortedSame, limit);
        var (lower, upper) = Wilson(accepted, SameCount);
        return new ValidationRate
        {
            FalseAcceptRate = target,
            Rate = (double)accepted / SameCount,
            LowerBound = lower,
            UpperBound = upper,
            Threshold = limit,
            FalseAccepts = Below(_sortedDifferent, limit),
            FoldRate = found.Average(fold => fold.Rate),
            FoldStandardDeviation = Deviation(found.Select(fold => fold.Rate).ToArray()),
            FoldFalseAcceptRate = found.Average(fold => fold.Accepted),
        };
    }

    /// <summary>Facenet's: the threshold at which the false-accept rate is the target, interpolated between steps; 0 if it is never reached.</summary>
    private static double ThresholdOf(double[] different, double target)
    {
        var before = 0.0;
        for (var step = 0; step < ValidationSteps; step++)
        {
            var limit = step * LargestThreshold / ValidationSteps;
            var rate = (double)Below(different, limit) / different.Length;
            if (rate >= target)
                return step == 0 ? 0 : limit - ((rate - target) / (rate - before) * LargestThreshold / ValidationSteps);
            before = rate;
        }
        return 0;
    }

    private double AreaUnderCurve()
    {
        var wins = 0.0;
        foreach (var distance in _sortedSame)
            wins += DifferentCount - ((Below(_sortedDifferent, distance) + Through(_sortedDifferent, distance)) / 2.0);
        return wins / SameCount / DifferentCount;
    }

    /// <summary>Where the curve of false accepts meets that of false refusals, interpolated between distances.</summary>
    private double EqualErrorRate()
    {
        var (lastAccepts, lastRefusals) = (0.0, 1.0);
        foreach (var limit in _sortedSame.Concat(_sortedDifferent).Order())
        {
            var accepts = (double)Through(_sortedDifferent, limit) / DifferentCount;
            var refusals = 1 - ((double)Through(_sortedSame, limit) / SameCount);
            if (accepts >= refusals)
            {
                var gap = lastRefusals - lastAccepts;
                var share = gap / (gap + accepts - refusals);
                return lastAccepts + (share * (accepts - lastAccepts));
            }
            (lastAccepts, lastRefusals) = (accepts, refusals);
        }
        return lastAccepts;
    }

    private static (double Lower, double Upper) Wilson(long hits, long count)
    {
        var (share, square) = ((double)hits / count, NormalQuantile * NormalQuantile);
        var center = (share + (square / (2 * count))) / (1 + (square / count));
        var half = NormalQuantile / (1 + (square / count)) * Math.Sqrt((share * (1 - share) / count) + (square / (4.0 * count * count)));
        return (Math.Max(0, center - half), Math.Min(1, center + half));
    }

    private static double Deviation(double[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }

    /// <summary>How many sorted values are below a limit.</summary>
    private static int Below(double[] sorted, double limit) => SortedValues.Below<double>(sorted, limit);

    /// <summary>How many sorted values are not above a limit.</summary>
    private static int Through(double[] sorted, double limit) => SortedValues.Through<double>(sorted, limit);

    /// <summary>The sorted distances of the pairs in a fold, and of those outside of it.</summary>
    private sealed class Fold
    {
        public Fold(PairDistances pairs, int first, int end)
        {
            SameInside = Select(isInside: true, isSame: true);
            DifferentInside = Select(isInside: true, isSame: false);
            SameOutside = Select(isInside: false, isSame: true);
            DifferentOutside = Select(isInside: false, isSame: false);

            double[] Select(bool isInside, bool isSame) =>
                pairs._distances.Where((_, i) => (i >= first && i < end) == isInside && pairs._same[i] == isSame).Order().ToArray();
        }

        public double[] SameInside { get; }

        public double[] DifferentInside { get; }

        public double[] SameOutside { get; }

        public double[] DifferentOutside { get; }
    }
}
