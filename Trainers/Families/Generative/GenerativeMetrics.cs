using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>How close the distribution of generated rows is to that of real rows.</summary>
public sealed class GenerativeMetrics
{
    internal GenerativeMetrics()
    {
    }

    /// <summary>
    /// The Fréchet distance of the features of all real and all generated rows, in squared units of the features: |m1 - m2|² + tr(C1 + C2 -
    /// 2 (C1 C2)^½), of normal distributions with the means m and the covariances C of the rows (Heusel et al., "GANs trained by a two
    /// time-scale update rule converge to a local Nash equilibrium", 2017). 0 is best.
    /// </summary>
    /// <remarks>
    /// It is biased upward, the more the fewer rows there are, so distances are comparable only for the same features and the same numbers
    /// of rows. <see cref="Floor"/> has the distance of real rows from real rows, for as many rows.
    /// </remarks>
    public required double FrechetDistance { get; init; }

    /// <summary>The part of <see cref="FrechetDistance"/> that is the squared distance of the means. The rest is that of the covariances.</summary>
    public required double SquaredDistanceOfMeans { get; init; }

    /// <summary>
    /// The distance that perfect samples would have, from real rows that were set aside; null if there are too few rows: fewer than 4 real
    /// ones without other real data.
    /// </summary>
    public required FrechetFloor? Floor { get; init; }

    /// <summary>The number of real rows.</summary>
    public required long NumberOfRealRows { get; init; }

    /// <summary>The number of generated rows.</summary>
    public required long NumberOfGeneratedRows { get; init; }

    /// <summary>The number of features.</summary>
    public required int NumberOfFeatures { get; init; }

    /// <summary>Returns the main metrics as text.</summary>
    public override string ToString() => FormattableString.Invariant($"Fréchet distance {FrechetDistance:G4} ({NumberOfRealRows} real rows, {NumberOfGeneratedRows} generated rows)")
        + (Floor is { } floor ? FormattableString.Invariant($"; of {floor.NumberOfRows} rows {floor.GeneratedDistance:G4}, of as many real rows {floor.RealDistance:G4}") : "");
}

/// <summary>
/// The Fréchet distance of real rows from other real rows, and that of generated rows from the same rows. All three sets are random, disjoint,
/// and of the same size, so their distances have the same bias and can be compared.
/// </summary>
/// <param name="RealDistance">The distance of real rows from other real rows, in squared units of the features.</param>
/// <param name="GeneratedDistance">The distance of as many generated rows from the same rows.</param>
/// <param name="NumberOfRows">The number of rows of each of the three sets.</param>
public sealed record FrechetFloor(double RealDistance, double GeneratedDistance, long NumberOfRows)
{
    /// <summary><see cref="GeneratedDistance"/> divided by <see cref="RealDistance"/>; about 1 for perfect samples.</summary>
    public double Ratio => GeneratedDistance / RealDistance;

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(FrechetFloor), PrintMembers);
}
