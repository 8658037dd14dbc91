namespace MLExtensions.Families.MetricLearning;

/// <summary>The distances of pairs of the same and of pairs of different, each ascending: all that a threshold is judged by.</summary>
/// <param name="same">The distances of pairs of the same.</param>
/// <param name="different">The distances of pairs of different.</param>
internal sealed class SortedPairs(IEnumerable<double> same, IEnumerable<double> different)
{
    private const double NormalQuantile = 1.959963984540054;

    public double[] Same { get; } = same.Order().ToArray();

    public double[] Different { get; } = different.Order().ToArray();

    public int Count => Same.Length + Different.Length;

    /// <summary>How many pairs of the same are accepted below a threshold.</summary>
    public int Accepts(double threshold) => SortedValues.Below<double>(Same, threshold);

    /// <summary>How many pairs of different are accepted below a threshold.</summary>
    public int FalseAccepts(double threshold) => SortedValues.Below<double>(Different, threshold);

    /// <summary>How many pairs a threshold judges rightly.</summary>
    public int Right(double threshold) => Accepts(threshold) + Different.Length - FalseAccepts(threshold);

    /// <summary>The share of pairs of the same that are accepted.</summary>
    public double ValidationRate(double threshold) => (double)Accepts(threshold) / Same.Length;

    /// <summary>The share of pairs of different that are accepted.</summary>
    public double FalseAcceptRate(double threshold) => (double)FalseAccepts(threshold) / Different.Length;

    /// <summary>Wilson's 95 % interval of the validation rate.</summary>
    public (double Lower, double Upper) Interval(double threshold)
    {
        var (share, square) = (ValidationRate(threshold), NormalQuantile * NormalQuantile);
        var (count, center) = ((long)Same.Length, (share + (square / (2.0 * Same.Length))) / (1 + (square / Same.Length)));
        var half = NormalQuantile / (1 + (square / count)) * Math.Sqrt((share * (1 - share) / count) + (square / (4.0 * count * count)));
        return (Math.Max(0, center - half), Math.Min(1, center + half));
    }

    /// <summary>The probability that a pair of the same is nearer than a pair of different.</summary>
    public double AreaUnderCurve()
    {
        var wins = 0.0;
        foreach (var distance in Same)
            wins += Different.Length - ((FalseAccepts(distance) + SortedValues.Through<double>(Different, distance)) / 2.0);
        return wins / Same.Length / Different.Length;
    }

    /// <summary>Where the curve of false accepts meets that of false refusals, interpolated between distances.</summary>
    public double EqualErrorRate()
    {
        var (lastAccepts, lastRefusals) = (0.0, 1.0);
        foreach (var limit in Same.Concat(Different).Order())
        {
            var accepts = (double)SortedValues.Through<double>(Different, limit) / Different.Length;
            var refusals = 1 - ((double)SortedValues.Through<double>(Same, limit) / Same.Length);
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
}
