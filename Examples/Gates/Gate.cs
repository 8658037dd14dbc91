using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Examples.Gates;

/// <summary>A row of a truth table.</summary>
internal sealed class GateRow
{
    public float[] Features { get; set; } = [];

    public bool Label { get; set; }
}

/// <summary>A logic gate.</summary>
/// <param name="Name">Its name.</param>
/// <param name="InputCount">How many inputs it has.</param>
/// <param name="Output">What it gives for inputs of 0 and 1.</param>
internal sealed record Gate(string Name, int InputCount, Func<float[], bool> Output)
{
    public static IReadOnlyList<Gate> All { get; } =
    [
        new("AND", 2, inputs => inputs[0] == 1 && inputs[1] == 1),
        new("OR", 2, inputs => inputs[0] == 1 || inputs[1] == 1),
        new("NOT", 1, inputs => inputs[0] == 0),
        new("XOR", 2, inputs => inputs[0] != inputs[1]),
    ];

    /// <summary>One row for every combination of inputs.</summary>
    public IReadOnlyList<GateRow> TruthTable()
    {
        var rows = new List<GateRow>();
        for (var bits = 0; bits < 1 << InputCount; bits++)
        {
            var inputs = Enumerable.Range(0, InputCount).Select(i => (float)(bits >> (InputCount - 1 - i) & 1)).ToArray();
            rows.Add(new GateRow { Features = inputs, Label = Output(inputs) });
        }
        return rows;
    }

    /// <summary>The truth table as ML.NET's data, and the vector's size with it: the class cannot know how many inputs there are.</summary>
    public IDataView LoadTruthTable(MLContext mlContext)
    {
        var schema = SchemaDefinition.Create(typeof(GateRow));
        schema[nameof(GateRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, InputCount);
        return mlContext.Data.LoadFromEnumerable(TruthTable(), schema);
    }
}
