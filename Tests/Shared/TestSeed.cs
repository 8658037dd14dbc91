namespace MLExtensions.Tests;

/// <summary>
/// The seeds of tests that learn, of their data as of their training: shifted by the environment variable MLEXTENSIONS_SEED_OFFSET, so that the
/// suite can be run on other data than the usual. What a test promises must not hang on one seed.
/// </summary>
internal static class TestSeed
{
    private static readonly int Offset = int.Parse(Environment.GetEnvironmentVariable("MLEXTENSIONS_SEED_OFFSET") is { Length: > 0 } value ? value : "0", System.Globalization.CultureInfo.InvariantCulture);

    public static int Of(int seed) => seed + Offset;
}
