using System.Globalization;
using System.Text;

namespace MLExtensions.Networks.Images;

/// <summary>Describes an image network as a table in plain text.</summary>
internal static class NetworkSummary
{
    private static readonly string[] Head = ["layer", "kind", "output", "parameters", "multiply-adds"];

    public static string Create(ImageArchitecture architecture)
    {
        var rows = new List<string[]> { Head };
        rows.AddRange(architecture.Leaves.Select(Row));
        rows.Add(["total", "", $"{architecture.OutputCount}", Number(architecture.ParameterCount), Number((long)architecture.MultiplyAdds)]);
        var widths = Head.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows)
            text.AppendLine(string.Join("  ", row.Select((cell, column) => column < 3 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))).TrimEnd());
        return text.ToString();
    }

    private static string[] Row(PlacedLayer placed) =>
    [
        placed.Site.Path,
        placed.Layer.Title,
        placed.Output.ToString(),
        Number(placed.Layer.ParameterCount(placed.Input, placed.Site)),
        Number(placed.Layer.MultiplyAdds(placed.Input, placed.Site)),
    ];

    private static string Number(long value) => value == 0 ? "" : value.ToString("N0", CultureInfo.InvariantCulture);
}
