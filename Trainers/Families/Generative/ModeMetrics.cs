using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>How generated rows spread over known modes: the components of a mixture, or classes.</summary>
public sealed class ModeMetrics
{
    internal ModeMetrics()
    {
    }

    /// <summary>The number of modes.</summary>
    public required int NumberOfModes { get; init; }

    /// <summary>The number of modes with at least one high-quality row (Srivastava et al., "VEEGAN", 2017).</summary>
    public required int NumberOfCoveredModes { get; init; }

    /// <summary>
    /// The share of rows that are of high quality, from 0 to 1: within 3 standard deviations of a center; for classes, in a class that is a
    /// mode. Alone it rewards collapse, so look at <see cref="NumberOfCoveredModes"/> too.
    /// </summary>
    public required double HighQualityShare { get; init; }

    /// <summary>
    /// The reverse Kullback-Leibler divergence, in nats: the sum of p log(p / q) with p the mode's share of the high-quality rows and q its
    /// frequency, as the authors of PacGAN compute it (Lin et al., "PacGAN: The power of two samples in generative adversarial networks", 2018).
    /// 0 is best. NaN if no row is of high quality; infinite if there are rows in modes with frequency 0.
    /// </summary>
    public required double ReverseKullbackLeibler { get; init; }

    /// <summary>The same of all rows, each assigned to the nearest center, however far it is; for classes the same number.</summary>
    public required double ReverseKullbackLeiblerOfAllRows { get; init; }

    /// <summary>
    /// What <see cref="ReverseKullbackLeibler"/> of as many perfect rows would be on average, about (modes - 1) / (2 rows), in nats.
    /// </summary>
    public required double ReverseKullbackLeiblerByChance { get; init; }

    /// <summary>Each mode, in the order of the centers or of the keys.</summary>
    public required IReadOnlyList<ModeCount> Modes { get; init; }

    /// <summary>The number of rows; for classes, of those that have one.</summary>
    public required long NumberOfRows { get; init; }

    /// <summary>The number of rows with a missing class. They are skipped. 0 for mixtures.</summary>
    public required long RowsWithoutClass { get; init; }

    /// <summary>Returns the main metrics as text.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{NumberOfCoveredModes} of {NumberOfModes} modes, {100 * HighQualityShare:0.#} % of high quality, reverse KL {ReverseKullbackLeibler:G3} (by chance {ReverseKullbackLeiblerByChance:G2}), {NumberOfRows} rows");
}

/// <summary>The rows of a mode.</summary>
/// <param name="Name">The number of the center from 0, or the name of the class; those of several columns are joined by a slash.</param>
/// <param name="Frequency">The share of rows that it should have, from 0 to 1.</param>
/// <param name="NumberOfHighQualityRows">The rows nearest to this center and within 3 standard deviations of it; for a class, its rows.</param>
/// <param name="NumberOfRows">The rows nearest to this center, however far; for a class, its rows.</param>
public sealed record ModeCount(string Name, double Frequency, long NumberOfHighQualityRows, long NumberOfRows)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(ModeCount), PrintMembers);
}
