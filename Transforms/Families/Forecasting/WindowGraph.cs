using MLExtensions.Onnx;

namespace MLExtensions.Families.Forecasting;

/// <summary>Writes forecasts as ONNX operators: the rows of a batch are a series in time order.</summary>
internal sealed class WindowGraph(GraphWriter graph, ForecastArchitecture architecture, SeriesScale scale)
{
    private readonly int _steps = architecture.WindowSize;
    private readonly int _width = architecture.StepWidth;

    /// <summary>Writes the forecasts of all rows.</summary>
    /// <param name="rows">The value of the series and the extra inputs, <c>[rows, width]</c>.</param>
    /// <returns><c>[rows, horizon]</c>; NaN for rows with too few rows before them.</returns>
    public string Write(string rows)
    {
        var row = graph.Reshape(graph.Range(graph.SizeOf(rows, 0)), -1, 1);
        var places = graph.Add(row, graph.Row(Enumerable.Range(1 - _steps, _steps).Select(step => (long)step).ToArray()));
        var inside = graph.Node("Max", [places, graph.Constant(0L)]);
        // Levels can be large and differences small, so that scales are computed in float64, as outside of a graph.
        var windows = graph.Cast(graph.Node("Gather", [rows, inside]), typeof(double)); // [rows, steps, width]
        var (center, size) = UnitsOf(graph.Slice(windows, 2, 0, 1));
        var series = graph.Node("Div", [graph.Node("Sub", [graph.Slice(windows, 2, 0, 1), center]), size]);
        var scaled = _width == 1 ? series : graph.Concatenate(2, series, Extra(graph.Slice(windows, 2, 1, _width)));
        var outputs = architecture.Write(graph, graph.Node("Flatten", graph.Cast(scaled, typeof(float))));
        var forecasts = graph.Add(graph.Multiply(graph.Cast(outputs, typeof(double)), graph.Reshape(size, -1, 1)), graph.Reshape(center, -1, 1));
        var isWhole = graph.Node("Less", [graph.Constant(_steps - 2L), row]);
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
