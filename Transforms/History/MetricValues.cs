using System.Collections.Immutable;

namespace MLExtensions.History;

/// <summary>Metric values by name, as the history's records keep them: copied, sorted by name, compared by value.</summary>
internal static class MetricValues
{
    public const string Loss = "loss";

    public static readonly IReadOnlyDictionary<string, double> None = ImmutableSortedDictionary.Create<string, double>(StringComparer.Ordinal);

    public static IReadOnlyDictionary<string, double> Copy(IReadOnlyDictionary<string, double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return values.ToImmutableSortedDictionary(StringComparer.Ordinal);
    }

    // Copies are sorted, so equal content has equal order; NaN equals NaN here.
    public static bool Same(IReadOnlyDictionary<string, double> a, IReadOnlyDictionary<string, double> b) => a.SequenceEqual(b);

    public static string Format(string prefix, IReadOnlyDictionary<string, double> values) =>
        string.Concat(values.Select(v => FormattableString.Invariant($", {prefix}{v.Key} {v.Value:G6}")));
}
