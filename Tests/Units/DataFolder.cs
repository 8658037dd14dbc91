namespace MLExtensions.Tests;

/// <summary>Data that is not part of the project.</summary>
internal static class DataFolder
{
    private const string Variable = "MLEXTENSIONS_DATA";

    /// <summary>The path of a file of the data; skips the test where there is none.</summary>
    public static string PathOf(string file)
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(folder) || !Directory.Exists(folder))
            Assert.Inconclusive($"The environment variable {Variable} names no folder; the test needs {file} in it.");
        return Path.Combine(folder, file);
    }
}
