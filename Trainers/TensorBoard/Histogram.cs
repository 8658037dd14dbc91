namespace MLExtensions.TensorBoard;

/// <summary>
/// Counts values in TensorFlow's exponential buckets: ten percent wide, from 1e-12 to the largest float, on both sides of 0.
/// </summary>
internal sealed class Histogram
{
    private const double Smallest = 1e-12;
    private const double Growth = 1.1;

    private static readonly double[] UpperLimits = MakeLimits();

    public Histogram(ReadOnlySpan<float> values)
    {
        var counts = new double[UpperLimits.Length];
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
            {
                NonFinite++;
                continue;
            }
            Minimum = Count == 0 ? value : Math.Min(Minimum, value);
            Maximum = Count == 0 ? value : Math.Max(Maximum, value);
            Count++;
            Sum += value;
            SumOfSquares += (double)value * value;
            counts[BucketOf(value)]++;
        }
        (Limits, Counts) = Compress(counts);
    }

    public double Minimum { get; }

    public double Maximum { get; }

    /// <summary>The finite values.</summary>
    public long Count { get; }

    public double Sum { get; }

    public double SumOfSquares { get; }

    /// <summary>The number of NaN and infinite values, which are in no bucket.</summary>
    public long NonFinite { get; }

    /// <summary>The upper limit of each bucket; a bucket begins where the previous one ends.</summary>
    public IReadOnlyList<double> Limits { get; }

    public IReadOnlyList<double> Counts { get; }

    private static double[] MakeLimits()
    {
        var positive = new List<double>();
        for (var limit = Smallest; positive.Count == 0 || positive[^1] <= float.MaxValue; limit *= Growth)
            positive.Add(limit);
        return [.. positive.AsEnumerable().Reverse().Select(l => -l), 0, .. positive];
    }

    /// <summary>The first bucket whose upper limit is above the value.</summary>
    private static int BucketOf(double value)
    {
        var index = Array.BinarySearch(UpperLimits, value);
        return index < 0 ? ~index : index + 1;
    }

    /// <summary>Removes empty buckets at both ends and merges runs of empty buckets in between.</summary>
    private static (List<double> Limits, List<double> Counts) Compress(double[] counts)
    {
        var limits = new List<double>();
        var kept = new List<double>();
        var first = Array.FindIndex(counts, c => c > 0);
        var last = Array.FindLastIndex(counts, c => c > 0);
        for (var i = first; i >= 0 && i <= last; i++)
        {
            if (counts[i] == 0 && kept[^1] == 0)
            {
                limits[^1] = UpperLimits[i];
                continue;
            }
            limits.Add(UpperLimits[i]);
            kept.Add(counts[i]);
        }
        if (kept.Count == 0)
        {
            limits.Add(0);
            kept.Add(0);
        }
        return (limits, kept);
    }
}
