using System.Globalization;
using System.Text;

namespace MLExtensions.Networks;

/// <summary>A layer in the table of a network.</summary>
/// <param name="Name">Its name: the beginning of the names of its weights, if it has some.</param>
/// <param name="Kind">What it is, with what follows it directly and has no weights.</param>
/// <param name="Output">The shape of its output for one row.</param>
/// <param name="Parameters">The number of its weights and biases.</param>
/// <param name="MultiplyAdds">The multiply-adds per row.</param>
internal sealed record LayerDescription(string Name, string Kind, string Output, long Parameters = 0, long MultiplyAdds = 0)
{
    /// <summary>A fully connected layer with a bias.</summary>
    public static LayerDescription Dense(string name, long inputs, long units, Activation activation = Activation.Identity) =>
        new(name, "dense" + Suffix(activation), Size(units), checked((inputs + 1) * units), checked(inputs * units));

    public static LayerDescription Dropout(string name, double rate, string output) =>
        new(name, FormattableString.Invariant($"dropout {rate:0.##}"), output);

    /// <summary>What an activation function without weights adds to the kind of the layer before it.</summary>
    public static string Suffix(Activation activation) => activation is Activation.Identity or Activation.PReLU ? "" : $", {activation}";

    public static string Size(long count) => count.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Describes a network as a table in plain text.</summary>
internal static class NetworkSummary
{
    private static readonly string[] Head = ["layer", "kind", "output", "parameters", "multiply-adds"];

    public static string Create(IEnumerable<LayerDescription> layers, int outputCount)
    {
        var described = layers.ToArray();
        var rows = new List<string[]> { Head };
        rows.AddRange(described.Select(layer => new[] { layer.Name, layer.Kind, layer.Output, Number(layer.Parameters), Number(layer.MultiplyAdds) }));
        rows.Add(["total", "", LayerDescription.Size(outputCount), Number(Sum(layer => layer.Parameters)), Number(Sum(layer => layer.MultiplyAdds))]);
        var widths = Head.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows)
            text.AppendLine(string.Join("  ", row.Select((cell, column) => column < 3 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))).TrimEnd());
        return text.ToString();

        long Sum(Func<LayerDescription, long> count) => described.Aggregate(0L, (sum, layer) => checked(sum + count(layer)));
    }

    private static string Number(long value) => value == 0 ? "" : value.ToString("N0", CultureInfo.InvariantCulture);
}
