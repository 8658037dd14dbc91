using System.Globalization;
using System.Runtime.CompilerServices;

namespace MLExtensions.Tests;

/// <summary>
/// Assertions about what was learned, whose bounds are measured: where the environment variable MLEXTENSIONS_FLOORS names a file, each of them
/// appends a line with its bound and its value. eng/measure-floors repeats that over seeds and instruction sets; Tests/FLOORS.md has what it found.
/// </summary>
internal static class Floor
{
    private static readonly string? Log = Environment.GetEnvironmentVariable("MLEXTENSIONS_FLOORS");

    /// <param name="of">What was measured, where a test measures more than one thing.</param>
    public static void Above(double floor, double value, string of = "", [CallerFilePath] string file = "", [CallerMemberName] string member = "")
    {
        Record("above", floor, value, of, file, member);
        Assert.IsGreaterThan(floor, value, of);
    }

    /// <inheritdoc cref="Above"/>
    public static void Below(double ceiling, double value, string of = "", [CallerFilePath] string file = "", [CallerMemberName] string member = "")
    {
        Record("below", ceiling, value, of, file, member);
        Assert.IsLessThan(ceiling, value, of);
    }

    /// <inheritdoc cref="Above"/>
    public static void Near(double expected, double value, double tolerance, string of = "", [CallerFilePath] string file = "", [CallerMemberName] string member = "")
    {
        Record("near", tolerance, value - expected, of, file, member);
        Assert.AreEqual(expected, value, tolerance, of);
    }

    /// <summary>Two computations of the same: the largest difference in units of the tolerance.</summary>
    public static void Record(double share, string file, string member, int line) => Record("close", 1, share, line.ToString(CultureInfo.InvariantCulture), file, member);

    private static void Record(string kind, double bound, double value, string of, string file, string member)
    {
        if (!string.IsNullOrEmpty(Log))
            File.AppendAllText(Log, string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(file)}.{member}\t{of}\t{kind}\t{bound:G6}\t{value:G9}\n"));
    }
}
