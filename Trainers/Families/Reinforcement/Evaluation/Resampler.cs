using MLExtensions.Networks;

namespace MLExtensions.Families.Reinforcement;

/// <summary>Says how sure estimates are: units, rows or episodes, are drawn again with replacement (Efron, 1979).</summary>
/// <param name="units">The number of units.</param>
/// <param name="resamples">The number of times that all are drawn.</param>
/// <param name="confidenceLevel">The level of the intervals.</param>
/// <param name="seed">The seed of what is drawn.</param>
/// <param name="cancellation">Cancels it.</param>
internal sealed class Resampler(int units, int resamples, double confidenceLevel, int seed, CancellationToken cancellation)
{
    /// <summary>Computes estimates, and their intervals between percentiles.</summary>
    /// <param name="estimate">Writes all estimates, given how often each unit counts.</param>
    /// <param name="count">The number of estimates.</param>
    public PolicyValueEstimate[] Run(Action<int[], Span<double>> estimate, int count)
    {
        var counts = new int[units];
        Array.Fill(counts, 1);
        var values = new double[count];
        estimate(counts, values);
        var random = new SeededRandom(SeedSequence.Derive(seed, SeedSequence.Resampling));
        var (drawn, all) = (new double[count], Enumerable.Range(0, count).Select(_ => new double[resamples]).ToArray());
        for (var resample = 0; resample < resamples; resample++)
        {
            cancellation.ThrowIfCancellationRequested();
            Array.Clear(counts);
            for (var i = 0; i < units; i++)
                counts[random.Next(units)]++;
            estimate(counts, drawn);
            for (var i = 0; i < count; i++)
                all[i][resample] = drawn[i];
        }
        return values.Select((value, i) => Describe(value, all[i])).ToArray();
    }

    private PolicyValueEstimate Describe(double value, double[] drawn)
    {
        // A resample in which all weights are 0 has no self-normalized estimate.
        var known = drawn.Where(double.IsFinite).Order().ToArray();
        if (known.Length < 2)
            return new PolicyValueEstimate(value, double.NaN, double.NaN, double.NaN);
        var mean = known.Average();
        var error = Math.Sqrt(known.Sum(each => (each - mean) * (each - mean)) / (known.Length - 1));
        return new PolicyValueEstimate(value, error, Percentile(known, (1 - confidenceLevel) / 2), Percentile(known, (1 + confidenceLevel) / 2));
    }

    private static double Percentile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((sorted[above] - sorted[below]) * (place - below));
    }
}
