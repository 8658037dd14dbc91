using MLExtensions.Onnx;

namespace MLExtensions.Families.Forecasting;

/// <summary>Writes forecasts as ONNX operators.</summary>
internal sealed class WindowGraph(GraphWriter graph, ForecastArchitecture architecture, SeriesScale scale)
{
    private readonly int _steps = architecture.WindowSize;
    private readonly int _width = architecture.StepWidth;

    /// <summary>Writes the windows that end at each row. The rows of a batch are a series in time order.</summary>
    /// <param name="rows">The value of the series and the extra inputs, <c>[rows, width]</c>.</param>
    /// <returns>For each row, whether there are enough rows before it, and the values: <c>[rows, 1 + steps * width]</c>.</returns>
    public string WriteWindows(string rows)
    {
        var row = graph.Reshape(graph.Range(graph.SizeOf(rows, 0)), -1, 1);
        var places = graph.Add(row, graph.Row(Enumerable.Range(1 - _steps, _steps).Select(step => (long)step).ToArray()));
        var windows = graph.Node("Gather", [rows, graph.Node("Max", [places, graph.Constant(0L)])]); // [rows, steps, width]
        var isWhole = graph.Node("Less", [graph.Constant(_steps - 2L), row]);
        return graph.Concatenate(1, graph.Cast(isWhole, typeof(float)), graph.Node("Flatten", windows));
    }

    /// <summary>Writes the forecasts.</summary>
    /// <param name="rows">What <see cref="WriteWindows"/> returns.</param>
    /// <returns><c>[rows, horizon]</c>; NaN where there is no whole window.</returns>
    public string Write(string rows)
    {
        // Levels can be large and differences small, so that scales are computed in float64, as outside of a graph.
        var windows = graph.Cast(graph.Reshape(graph.Slice(rows, 1, 1, long.MaxValue), -1, _steps, _width), typeof(double));
        var series = graph.Slice(windows, 2, 0, 1);
        var (center, size) = UnitsOf(series);
        var scaled = graph.Node("Div", [graph.Node("Sub", [series, center]), size]);
        if (_width > 1)
            scaled = graph.Concatenate(2, scaled, Extra(graph.Slice(windows, 2, 1, _width)));
        var outputs = architecture.Write(graph, graph.Node("Flatten", graph.Cast(scaled, typeof(float))));
        var forecasts = graph.Add(graph.Multiply(graph.Cast(outputs, typeof(double)), graph.Reshape(size, -1, 1)), graph.Reshape(center, -1, 1));
        var isWhole = graph.Cast(graph.Slice(rows, 1, 0, 1), typeof(bool));
        return graph.Node("Where", [isWhole, graph.Cast(forecasts, typeof(float)), graph.Constant(double.NaN)]);
    }

    private string Extra(string values) => graph.Node("Div", [graph.Node("Sub", [values, Doubles(scale.Means.Skip(1))]), Doubles(scale.Deviations.Skip(1))]);

    /// <summary>The center and the size of the windows, <c>[rows or 1, 1, 1]</c>: see <see cref="SeriesScale"/>.</summary>
    private (string Center, string Size) UnitsOf(string series)
    {
        if (scale.Scaling == SeriesScaling.Global)
            return (Doubles([scale.Means[0]]), Doubles([scale.Deviations[0]]));
        var center = graph.Reduce("ReduceMean", series, keepDimensions: true, 1);
        var deviation = graph.Reduce("ReduceMean", graph.Node("Abs", graph.Node("Sub", [series, center])), keepDimensions: true, 1);
        return (center, graph.Node("Max", [deviation, Doubles([scale.SmallestSize])]));
    }

    private string Doubles(IEnumerable<double> values) => graph.Doubles(values.ToArray(), 1, 1, -1);
}
