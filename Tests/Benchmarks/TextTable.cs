namespace MLExtensions.Benchmarks;

/// <summary>Prints rows under headings, columns as wide as their widest cell.</summary>
internal static class TextTable
{
    public static void Print(TextWriter output, IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var lines = new List<IReadOnlyList<string>> { headings };
        lines.AddRange(rows);
        var widths = headings.Select((_, column) => lines.Max(line => line[column].Length)).ToArray();
        lines.Insert(1, widths.Select(width => new string('-', width)).ToArray());
        foreach (var line in lines)
            output.WriteLine(string.Join("  ", line.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
