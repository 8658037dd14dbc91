namespace MLExtensions.Benchmarks;

/// <summary>One claim about speed or memory that this program checks.</summary>
internal interface IBenchmark
{
    /// <summary>What selects it on the command line.</summary>
    string Name { get; }

    /// <summary>Whether it only runs if it is named, as it takes too much time or disk.</summary>
    bool IsRare => false;

    IEnumerable<ResultRow> Run(BenchmarkSettings settings);
}

/// <summary>One line of the table.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Asked">The floor or ceiling; empty where a figure is only stated.</param>
/// <param name="Measured">The figure.</param>
/// <param name="Details">What it was made of.</param>
internal sealed record ResultRow(string What, string Asked, string Measured, string Details);

/// <summary>A bound on a figure, and how both are written.</summary>
internal static class Bound
{
    /// <summary>Speed against something else, at least <paramref name="floor"/>; null only states it.</summary>
    public static ResultRow Row(string what, double? floor, Comparison comparison, string unit, double units)
    {
        var measured = FormattableString.Invariant($"{comparison.RatioOfMedians:F2}x (bests {comparison.RatioOfBests:F2}x)");
        var missed = comparison.RatioOfMedians < floor ? " MISSED" : "";
        var asked = floor == null ? "" : FormattableString.Invariant($">= {floor:F1}x");
        return new ResultRow(what, asked, measured + missed, $"{comparison.Ours.Rate(units, unit)}; {comparison.Theirs.Rate(units, unit)}");
    }

    /// <summary>A figure that must not be above <paramref name="ceiling"/>.</summary>
    public static ResultRow AtMost(string what, double ceiling, double figure, string format, string details)
    {
        var missed = figure > ceiling ? " MISSED" : "";
        var culture = System.Globalization.CultureInfo.InvariantCulture;
        return new ResultRow(what, $"<= {ceiling.ToString(format, culture)}", figure.ToString(format, culture) + missed, details);
    }
}

/// <summary>A number of threads in words.</summary>
internal static class Threads
{
    public static string Text(int count) => count == 1 ? "1 thread" : $"{count} threads";
}
