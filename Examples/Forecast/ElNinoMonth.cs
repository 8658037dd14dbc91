using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Forecast;

/// <summary>A month of the sea surface temperature off South America.</summary>
internal sealed class ElNinoMonth
{
    public const int MonthsPerYear = 12;

    /// <summary>As yyyy-MM.</summary>
    [LoadColumn(0)]
    public string Month { get; set; } = "";

    /// <summary>In degrees Celsius.</summary>
    [LoadColumn(1)]
    public float Temperature { get; set; }

    /// <summary>Where in the year the month is, as a point on a circle, so that December is next to January.</summary>
    [VectorType(2)]
    public float[] Season { get; set; } = [];

    public int MonthOfYear => int.Parse(Month.AsSpan(5));

    public DateTime Date => new(int.Parse(Month.AsSpan(0, 4)), MonthOfYear, 1);

    /// <summary>All months of the shipped file, the oldest first.</summary>
    public static ElNinoMonth[] Load(MLContext mlContext)
    {
        var columns = new[] { new TextLoader.Column(nameof(Month), DataKind.String, 0), new TextLoader.Column(nameof(Temperature), DataKind.Single, 1) };
        var data = mlContext.Data.LoadFromTextFile(ShippedData.PathOf("elnino.csv"), columns, separatorChar: ',', hasHeader: true);
        var months = mlContext.Data.CreateEnumerable<ElNinoMonth>(data, reuseRowObject: false, ignoreMissingColumns: true).ToArray();
        foreach (var month in months)
        {
            var angle = 2 * Math.PI * month.MonthOfYear / MonthsPerYear;
            month.Season = [(float)Math.Sin(angle), (float)Math.Cos(angle)];
        }
        return months;
    }
}
