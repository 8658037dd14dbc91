using Microsoft.ML;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Finds out what distances mean from pairs that are known to be the same or different.</summary>
internal static class CalibrationFit
{
    /// <summary>More distances say no more of a threshold.</summary>
    private const int MostKept = 20_000;

    private const int MostSteps = 100;
    private const double Converged = 1e-10;

    // Keeps the curve from a step where the distances of the two kinds do not overlap.
    private const double Ridge = 1e-6;

    /// <param name="pairs">The pairs.</param>
    /// <param name="falseAcceptRate">The share of pairs of different that may be accepted.</param>
    /// <param name="fingerprint">The fingerprint of the network, or null.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are too few pairs of different for that rate.</exception>
    public static DistanceCalibration Fit(PairDistances pairs, double falseAcceptRate, string? fingerprint)
    {
        DistanceCalibration.CheckRate(falseAcceptRate, pairs.DifferentCount, nameof(VerificationEstimator.Options.FalseAcceptRate));
        var threshold = DistanceCalibration.ThresholdOf(pairs.Different, falseAcceptRate);
        var (slope, offset) = FitCurve(pairs.Same, pairs.Different);
        return new DistanceCalibration(falseAcceptRate, Thin(pairs.Different), slope, offset, (double)SortedValues.Below<double>(pairs.Same, threshold) / pairs.SameCount, pairs.SameCount, pairs.DifferentCount, fingerprint);
    }

    /// <summary>
    /// Measures distances on classes that were left out of trainings, each class once: all classes say what distances mean, and none is lost
    /// to the model that is used.
    /// </summary>
    /// <param name="context">The ML.NET context.</param>
    /// <param name="data">The training data of the model.</param>
    /// <param name="estimator">What trained it; a chain that adds the embeddings.</param>
    /// <param name="model">The model.</param>
    /// <param name="columns">The columns of the classes and of the embeddings.</param>
    /// <param name="falseAcceptRate">The share of pairs of different that may be accepted.</param>
    /// <param name="folds">The number of trainings.</param>
    /// <param name="seed">The seed of the division.</param>
    /// <exception cref="ArgumentException">A part has nothing to compare, or there are too few pairs.</exception>
    public static DistanceCalibration Cross(MLContext context, IDataView data, IEstimator<ITransformer> estimator, EmbeddingTransformer model, (string Label, string Embedding) columns, double falseAcceptRate, int folds, int seed)
    {
        var (distances, same) = (new List<double>(), new List<bool>());
        foreach (var split in context.Data.CrossValidationSplit(data, folds, columns.Label, seed))
        {
            var trained = estimator.Fit(split.TrainSet);
            using var owned = trained as IDisposable;
            // The training knows no keys of the classes that it was not given, so their names are those of the data.
            var rows = EmbeddingReader.ReadClasses(split.TestSet, columns.Label, trained.Transform(split.TestSet), columns.Embedding);
            for (var i = 0; i < rows.Count; i++)
            {
                for (var j = i + 1; j < rows.Count; j++)
                {
                    distances.Add(EmbeddingDistance.Squared(rows[i], rows[j]));
                    same.Add(rows.ClassOf(i) == rows.ClassOf(j));
                }
            }
        }
        var pairs = new PairDistances(distances.ToArray(), same.ToArray());
        if (pairs.SameCount == 0 || pairs.DifferentCount == 0)
            throw new ArgumentException(FormattableString.Invariant($"The parts of the data that were left out have {pairs.SameCount} pairs of the same and {pairs.DifferentCount} of different; both kinds are needed. Use fewer folds or more classes."));
        return Fit(pairs, falseAcceptRate, model.Fingerprint);
    }

    /// <summary>Keeps distances at even ranks.</summary>
    private static float[] Thin(double[] sorted) => sorted.Length <= MostKept
        ? Array.ConvertAll(sorted, distance => (float)distance)
        : Enumerable.Range(0, MostKept).Select(place => (float)sorted[(long)place * sorted.Length / MostKept]).ToArray();

    /// <summary>
    /// The logistic curve of the probability of the same, 1 / (1 + exp(slope * distance + offset)), with both kinds of pairs weighing the
    /// same: Newton's method, and Platt's targets, which leave room for pairs that were not seen.
    /// </summary>
    internal static (double Slope, double Offset) FitCurve(double[] same, double[] different)
    {
        var (ofSame, ofDifferent) = ((same.Length + 1.0) / (same.Length + 2), 1.0 / (different.Length + 2));
        var (slope, offset) = (0.0, 0.0);
        var loss = Loss(slope, offset);
        for (var step = 0; step < MostSteps; step++)
        {
            var (g0, g1, h00, h01, h11) = (Ridge * slope, Ridge * offset, Ridge, 0.0, Ridge);
            Add(same, ofSame);
            Add(different, ofDifferent);
            var determinant = (h00 * h11) - (h01 * h01);
            var (moveSlope, moveOffset) = (((h11 * g0) - (h01 * g1)) / determinant, ((h00 * g1) - (h01 * g0)) / determinant);
            var share = 1.0;
            while (share > Converged && Loss(slope - (share * moveSlope), offset - (share * moveOffset)) > loss)
                share /= 2;
            (slope, offset) = (slope - (share * moveSlope), offset - (share * moveOffset));
            var next = Loss(slope, offset);
            if (loss - next < Converged)
                break;
            loss = next;

            void Add(double[] distances, double target)
            {
                foreach (var distance in distances)
                {
                    var probability = 1 / (1 + Math.Exp((slope * distance) + offset));
                    var (gap, curvature) = ((target - probability) / distances.Length, probability * (1 - probability) / distances.Length);
                    g0 += gap * distance;
                    g1 += gap;
                    h00 += curvature * distance * distance;
                    h01 += curvature * distance;
                    h11 += curvature;
                }
            }
        }
        return (slope, offset);

        double Loss(double a, double b) => Mean(same, ofSame, a, b) + Mean(different, ofDifferent, a, b) + (Ridge / 2 * ((a * a) + (b * b)));

        // log(1 + e^x) - (1 - target) x, which does not overflow.
        static double Mean(double[] distances, double target, double a, double b) => distances.Average(distance =>
        {
            var x = (a * distance) + b;
            return Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x))) - ((1 - target) * x);
        });
    }
}
