using MLExtensions.Families.MetricLearning;

namespace MLExtensions;

/// <summary>
/// What distances mean for one network: below which one a pair counts as the same, and how probable that is. It is measured on pairs of
/// examples that were not in the training: known classes are too easy, and a threshold from them accepts too many others.
/// </summary>
public sealed class DistanceCalibration
{
    // .01 * 100 need not be 1.
    private const double RoundingShare = 1e-9;

    private readonly float[] _different;

    internal DistanceCalibration(double falseAcceptRate, float[] different, double slope, double offset, double validationRate, long samePairs, long differentPairs, string? fingerprint)
    {
        (FalseAcceptRate, _different, Slope, Offset) = (falseAcceptRate, different, slope, offset);
        (ValidationRate, NumberOfSamePairs, NumberOfDifferentPairs, Fingerprint) = (validationRate, samePairs, differentPairs, fingerprint);
        Threshold = ThresholdFor(falseAcceptRate);
    }

    /// <summary>The share of pairs of different that may be accepted.</summary>
    public double FalseAcceptRate { get; }

    /// <summary>The squared distance below which a pair is accepted.</summary>
    public double Threshold { get; }

    /// <summary>The share of pairs of the same that were accepted at the threshold, in the data that it was measured on.</summary>
    public double ValidationRate { get; }

    /// <summary>The number of pairs of the same that it was measured on.</summary>
    public long NumberOfSamePairs { get; }

    /// <summary>The number of pairs of different that it was measured on.</summary>
    public long NumberOfDifferentPairs { get; }

    /// <summary>The fingerprint of the network of the embeddings; null if their column did not have it.</summary>
    public string? Fingerprint { get; }

    /// <summary>The distances of pairs of different, ascending, thinned out if there were very many.</summary>
    internal ReadOnlySpan<float> Different => _different;

    internal double Slope { get; }

    internal double Offset { get; }

    /// <summary>The threshold of another false-accept rate.</summary>
    /// <param name="falseAcceptRate">The rate, above 0 and below 1; at least one of the measured pairs must be its share.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of range, or too small for the number of pairs.</exception>
    public double ThresholdFor(double falseAcceptRate)
    {
        CheckRate(falseAcceptRate, _different.Length, nameof(falseAcceptRate));
        return ThresholdOf(Array.ConvertAll(_different, distance => (double)distance), falseAcceptRate);
    }

    /// <summary>
    /// The probability that a pair of a distance is the same, if as many pairs are the same as different: a logistic curve that was fitted
    /// to the pairs (Platt, 1999).
    /// </summary>
    /// <param name="distance">The squared distance.</param>
    public double ProbabilityOfSame(double distance) => 1 / (1 + Math.Exp((Slope * distance) + Offset));

    /// <summary>Returns the threshold and what it was measured on as text.</summary>
    public override string ToString() => FormattableString.Invariant($"threshold {Threshold:G4} for a false-accept rate of {FalseAcceptRate}; {ValidationRate:P1} of {NumberOfSamePairs} pairs of the same accepted; {NumberOfDifferentPairs} pairs of different");

    /// <summary>The largest distance below which at most a share of sorted distances lies.</summary>
    internal static double ThresholdOf(double[] different, double rate)
    {
        var accepted = (int)Math.Floor((rate * different.Length) + RoundingShare);
        return accepted < different.Length ? different[accepted] : double.PositiveInfinity;
    }

    /// <exception cref="ArgumentOutOfRangeException">The rate is out of range, or too small for the number of pairs.</exception>
    internal static void CheckRate(double rate, long pairs, string name)
    {
        if (!(rate > 0 && rate < 1))
            throw new ArgumentOutOfRangeException(name, rate, FormattableString.Invariant($"{name} is {rate}; it must be above 0 and below 1."));
        if (rate * pairs < 1 - RoundingShare)
            throw new ArgumentOutOfRangeException(name, rate, FormattableString.Invariant($"{name} is {rate}, but there are only {pairs} pairs of different; that rate needs at least {Math.Ceiling(1 / rate)}."));
    }
}
