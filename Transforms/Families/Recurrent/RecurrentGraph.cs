using MLExtensions.Onnx;

namespace MLExtensions.Families.Recurrent;

/// <summary>Writes recurrent layers as ONNX operators.</summary>
internal static class RecurrentGraph
{
    /// <summary>Writes what <see cref="RecurrentModule"/> computes.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="layers">The layers.</param>
    /// <param name="path">The name of the module.</param>
    /// <param name="x"><c>[steps, rows, values]</c>.</param>
    /// <param name="inputs">The number of values of a time step.</param>
    /// <param name="lengths">The number of time steps of each row, <c>[rows]</c>, at least 1; null for all.</param>
    /// <returns>The outputs <c>[steps, rows, outputs]</c>, and those at the end of each direction, <c>[rows, outputs]</c>.</returns>
    public static (string Outputs, string Last) Write(GraphWriter graph, RecurrentLayers layers, string path, string x, long inputs, string? lengths)
    {
        var last = "";
        for (var layer = 0; layer < layers.NumberOfLayers; layer++)
        {
            var paths = new[] { "", "_reverse" }.Take(layers.Directions).Select(suffix => FormattableString.Invariant($"{path}.{layer}{suffix}")).ToArray();
            (x, last) = WriteLayer(graph, layers, paths, x, inputs, lengths);
            inputs = layers.OutputCount;
        }
        return (x, last);
    }

    private static (string Outputs, string Last) WriteLayer(GraphWriter graph, RecurrentLayers layers, string[] paths, string x, long inputs, string? lengths)
    {
        var (operation, gates, units) = (layers.Cell.ToString().ToUpperInvariant(), (long)layers.Gates * layers.HiddenUnits, (long)layers.HiddenUnits);
        var outputs = graph.Nodes(
            operation,
            [x, Stack(graph, layers.Cell, paths, ["weight_ih_l0"], gates, inputs), Stack(graph, layers.Cell, paths, ["weight_hh_l0"], gates, units), Stack(graph, layers.Cell, paths, ["bias_ih_l0", "bias_hh_l0"], gates), lengths ?? ""],
            2,
            node =>
            {
                node.AddAttribute("hidden_size", units);
                node.AddAttribute("direction", layers.Bidirectional ? "bidirectional" : "forward");
                if (layers.Cell == RecurrentCell.Gru)
                    node.AddAttribute("linear_before_reset", 1L); // as in torch
            });
        // [steps, directions, rows, units] and [directions, rows, units]
        return (
            graph.Reshape(graph.Transpose(outputs[0], 0, 2, 1, 3), 0, 0, layers.OutputCount),
            graph.Reshape(graph.Transpose(outputs[1], 1, 0, 2), -1, layers.OutputCount));
    }

    /// <summary>The weights of all directions, and of each one part after the other, with the gates in ONNX's order.</summary>
    private static string Stack(GraphWriter graph, RecurrentCell cell, string[] paths, string[] parts, params long[] shape)
    {
        var values = paths.SelectMany(path => parts.SelectMany(part => Reorder(graph.Tensor($"{path}.{part}", shape).Values, cell))).ToArray();
        return graph.Constant(new GraphTensor(values, [paths.Length, parts.Length * shape[0], .. shape[1..]]), parts[0]);
    }

    /// <summary>torch has input, forget, cell and output gate, and reset, update and new; ONNX i, o, f, c and z, r, h.</summary>
    private static IEnumerable<float> Reorder(float[] values, RecurrentCell cell)
    {
        int[] order = cell switch
        {
            RecurrentCell.Lstm => [0, 3, 1, 2],
            RecurrentCell.Gru => [1, 0, 2],
            _ => [0],
        };
        var size = values.Length / order.Length;
        return order.SelectMany(gate => values.Skip(gate * size).Take(size));
    }

    /// <summary>Writes what <see cref="SequencePool"/> computes.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="pooling">The pooling.</param>
    /// <param name="path">The name of the module.</param>
    /// <param name="width">The number of outputs.</param>
    /// <param name="outputs">The outputs <c>[steps, rows, outputs]</c>.</param>
    /// <param name="last">Those at the end of each direction.</param>
    /// <param name="isStep">Whether a row has a time step, <c>[steps, rows, 1]</c>.</param>
    /// <param name="lengths">The number of time steps of each row, <c>[rows, 1]</c>, at least 1.</param>
    public static string Pool(GraphWriter graph, SequencePooling pooling, string path, long width, string outputs, string last, string isStep, string lengths) => pooling switch
    {
        SequencePooling.Mean => graph.Node("Div", [Sum(graph, graph.Node("Where", [isStep, outputs, graph.Constant(0.0)])), graph.Cast(lengths, typeof(float))]),
        SequencePooling.Max => graph.Reduce("ReduceMax", graph.Node("Where", [isStep, outputs, graph.Constant(double.NegativeInfinity)]), keepDimensions: false, 0),
        SequencePooling.Attention => Attend(graph, path, width, outputs, isStep),
        _ => last,
    };

    private static string Attend(GraphWriter graph, string path, long width, string outputs, string isStep)
    {
        var hidden = graph.Node("Tanh", graph.Add(Product(graph, outputs, graph.Weight(path + ".attention.weight", width, width)), graph.Weight(path + ".attention.bias", width)));
        var scores = graph.Node("Where", [isStep, Product(graph, hidden, graph.Weight(path + ".context.weight", 1, width)), graph.Constant(-1e9)]);
        // Softmax of this operator set takes all axes from the given one together: time steps must be the last.
        var shares = graph.Node("Softmax", graph.Transpose(scores, 1, 2, 0), node => node.AddAttribute("axis", 2L));
        return Sum(graph, graph.Multiply(outputs, graph.Transpose(shares, 2, 0, 1)));
    }

    private static string Product(GraphWriter graph, string x, string weight) => graph.Node("MatMul", [x, graph.Transpose(weight, 1, 0)]);

    /// <summary>NaN for rows in which a value is, and 0 for others: what is added to the outputs, because cells make numbers of NaN.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="values"><c>[steps, rows, values]</c>.</param>
    /// <returns><c>[rows, 1]</c>.</returns>
    public static string NotANumber(GraphWriter graph, string values) =>
        graph.Reshape(graph.Reduce("ReduceSum", graph.Multiply(values, graph.Constant(0.0)), keepDimensions: false, 0, 2), -1, 1);

    private static string Sum(GraphWriter graph, string x) => graph.Reduce("ReduceSum", x, keepDimensions: false, 0);
}
