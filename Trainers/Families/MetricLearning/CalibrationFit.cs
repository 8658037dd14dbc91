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
    public static DistanceCalibration Fit(SortedPairs pairs, double falseAcceptRate, string? fingerprint)
    {
        DistanceCalibration.CheckRate(falseAcceptRate, pairs.Different.Length, nameof(VerificationEstimator.Options.FalseAcceptRate));
        var threshold = DistanceCalibration.ThresholdOf(pairs.Different, falseAcceptRate);
        var (slope, offset) = FitCurve(pairs.Same, pairs.Different);
        return new DistanceCalibration(falseAcceptRate, Thin(pairs.Different), slope, offset, pairs.ValidationRate(threshold), pairs.Same.Length, pairs.Different.Length, fingerprint);
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
