using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>How far generated rows are from the training rows nearest to them, beside real rows that were not trained on: is it copied?</summary>
public sealed class NearestRowMetrics
{
    internal NearestRowMetrics()
    {
    }

    /// <summary>The distances of generated rows from the nearest training row.</summary>
    public required NearestDistances Generated { get; init; }

    /// <summary>The distances of held-out real rows from the nearest training row; null without held-out rows.</summary>
    public required NearestDistances? HeldOut { get; init; }

    /// <summary>The number of training rows.</summary>
    public required long NumberOfTrainingRows { get; init; }

    /// <summary>Returns the main metrics as text.</summary>
    public override string ToString() => FormattableString.Invariant($"nearest training row: generated rows {Generated.Mean:G4}, {Generated.NumberOfCopies} copies")
        + (HeldOut is { } heldOut ? FormattableString.Invariant($"; held-out rows {heldOut.Mean:G4}, {heldOut.NumberOfCopies} copies") : "");
}

/// <summary>Euclidean distances of rows from the nearest training row, in units of the features.</summary>
/// <param name="Distances">The distance of each row, in the order of the rows.</param>
/// <param name="NearestRows">The position of the nearest training row of each row, from 0; one of them if several are equally near.</param>
public sealed record NearestDistances(IReadOnlyList<double> Distances, IReadOnlyList<long> NearestRows)
{
    /// <summary>The mean distance. If that of generated rows is well below that of held-out rows, the generator copies.</summary>
    public double Mean { get; } = Distances.Average();

    /// <summary>The smallest distance.</summary>
    public double Minimum { get; } = Distances.Min();

    /// <summary>The number of rows that are exact copies of a training row: their distance is 0.</summary>
    public int NumberOfCopies { get; } = Distances.Count(distance => distance == 0);

    /// <summary>The share of rows that are exact copies, from 0 to 1.</summary>
    public double CopyShare => (double)NumberOfCopies / Distances.Count;

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(NearestDistances), PrintMembers);
}
