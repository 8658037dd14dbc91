namespace MLExtensions.Examples.Infrastructure;

/// <summary>The files of <c>Examples/Data</c>, which the build copies beside the program.</summary>
internal static class ShippedData
{
    public static string PathOf(string fileName) => Path.Combine(AppContext.BaseDirectory, "Data", fileName);
}
