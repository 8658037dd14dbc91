using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Training;

namespace MLExtensions.Families.MetricLearning;

/// <summary>
/// Measures what distances of a model mean on classes that were left out of other trainings, each class once: all classes say it, and none is
/// lost to the model.
/// </summary>
/// <remarks>
/// Two things would make the threshold wrong. The pairs within a part are of few classes: with four classes in a part, six different pairs of
/// classes decide. So each left-out class is compared with all classes. And a network of fewer classes puts unknown ones nearer to each other: so
/// the trainings are repeated with halves of the classes, and the growth of the threshold from there is continued to all classes.
/// </remarks>
internal sealed class CrossCalibration(MLContext context, IDataView data, IEstimator<ITransformer> estimator, (string Label, string Embedding) columns, int seed)
{
    private const int Halves = 2;
    private const int LeastTrainingClasses = 2;

    // A pair of the same and one of different have most to say up to here; the rest is drawn.
    private const int MaximumPairs = PairMaker.DefaultMaximum;

    private readonly string?[] _names = EmbeddingReader.ReadNames(data, columns.Label);

    /// <param name="falseAcceptRate">The share of pairs of different that may be accepted.</param>
    /// <param name="folds">The number of parts.</param>
    /// <param name="fingerprint">The fingerprint of the model's network.</param>
    /// <exception cref="ArgumentException">There are too few classes or pairs.</exception>
    public DistanceCalibration Run(double falseAcceptRate, int folds, string fingerprint)
    {
        var (parts, halves) = (Divide(folds), Divide(Halves));
        var pairs = parts.Sum(part => part.Different.Count);
        // Said before the trainings.
        DistanceCalibration.CheckRate(falseAcceptRate, Math.Min(pairs, halves.Sum(part => part.Different.Count)), nameof(falseAcceptRate));
        if (parts.Sum(part => part.Same.Count) == 0)
            throw new ArgumentException($"Each class in column '{columns.Label}' has only one row; pairs of the same are needed.");
        var (most, half) = (Measure(parts), Measure(halves));
        var factor = Growth(DistanceCalibration.ThresholdOf(half.Different, falseAcceptRate), DistanceCalibration.ThresholdOf(most.Different, falseAcceptRate), folds);
        using (var channel = ((IHostEnvironment)context).Register(nameof(CrossCalibration)).Start("Calibration"))
            channel.Info(FormattableString.Invariant($"{folds} trainings without one part of the classes each, {Halves} with halves; the threshold grows with the number of classes, to {factor:F3} times that of the {folds}."));
        return CalibrationFit.Fit(new SortedPairs(most.Same.Select(distance => distance * factor), most.Different.Select(distance => distance * factor)), falseAcceptRate, fingerprint);
    }

    /// <summary>
    /// How much larger a threshold is for a network of all classes than for those without a part: a power of the share of classes, by two such
    /// shares. It does not fall, and does not grow faster than the number of classes.
    /// </summary>
    internal static double Growth(double half, double most, int folds)
    {
        var share = 1 - (1.0 / folds);
        var power = Math.Log(most / half) / Math.Log(share * Halves);
        return Math.Pow(1 / share, double.IsNaN(power) ? 0 : Math.Clamp(power, 0, 1));
    }

    /// <summary>Divides the classes into parts of equal size, up to one class, and draws pairs of each part.</summary>
    private Part[] Divide(int count)
    {
        var names = _names.OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        if (names.Length - ((names.Length + count - 1) / count) < LeastTrainingClasses)
            throw new ArgumentException(FormattableString.Invariant($"Column '{columns.Label}' has {names.Length} {(names.Length == 1 ? "class" : "classes")}; without one of {count} parts at least {LeastTrainingClasses} must be left to train on. Cross calibration needs at least 4 classes."));
        var random = new SplitMix64(SeedSequence.Derive(seed, SeedSequence.Folds));
        var order = Enumerable.Range(0, names.Length).ToArray();
        random.Shuffle(order);
        return Enumerable.Range(0, count).Select(part =>
        {
            var left = Enumerable.Range(0, names.Length).Where(place => place % count == part).Select(place => names[order[place]]).ToHashSet(StringComparer.Ordinal);
            var isLeftOut = Array.ConvertAll(_names, name => name != null && left.Contains(name));
            var (same, different) = PairMaker.Draw(_names.Length, (i, j) => _names[i] == null || _names[j] == null || !(isLeftOut[i] || isLeftOut[j]) ? null : _names[i] == _names[j], MaximumPairs, ref random);
            return new Part(isLeftOut, same, different);
        }).ToArray();
    }

    /// <summary>Trains without each part, and measures its pairs.</summary>
    private SortedPairs Measure(Part[] parts)
    {
        var (same, different) = (new List<double>(), new List<double>());
        foreach (var part in parts)
        {
            var trained = estimator.Fit(LeaveOut(part.IsLeftOut));
            using var owned = trained as IDisposable;
            var rows = EmbeddingReader.ReadEmbeddings(trained.Transform(data), columns.Embedding);
            if (rows.Count != _names.Length)
                throw new ArgumentException(FormattableString.Invariant($"The data has {_names.Length} rows, and {rows.Count} behind the estimator: a step leaves out rows. Leave them out of the data before."));
            same.AddRange(part.Same.Select(pair => (double)EmbeddingDistance.Squared(rows[pair.First], rows[pair.Second])));
            different.AddRange(part.Different.Select(pair => (double)EmbeddingDistance.Squared(rows[pair.First], rows[pair.Second])));
        }
        return new SortedPairs(same, different);
    }

    private IDataView LeaveOut(bool[] rows) =>
        context.Data.FilterByStatefulCustomPredicate<NoColumns, Place>(data, (_, place) => rows[place.Row++], place => place.Row = 0);

    private sealed class NoColumns;

    private sealed class Place
    {
        public int Row { get; set; }
    }

    /// <summary>A part of the classes, and pairs of which at least one row is of it.</summary>
    private sealed record Part(bool[] IsLeftOut, IReadOnlyList<(int First, int Second)> Same, IReadOnlyList<(int First, int Second)> Different);
}
