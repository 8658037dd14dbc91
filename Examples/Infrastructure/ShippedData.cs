namespace MLExtensions.Examples.Infrastructure;

/// <summary>The files of <c>Examples/Data</c>, which the build copies beside the program.</summary>
internal static class ShippedData
{
    /// <summary>For <see cref="ExampleHelp.Data"/>.</summary>
    public static string Describe(params IReadOnlyList<string> fileNames) => $"in the repository: {string.Join(" and ", fileNames.Select(name => $"Examples/Data/{name}"))}";

    public static string PathOf(string fileName) => Path.Combine(AppContext.BaseDirectory, "Data", fileName);
}
