using MLExtensions.Onnx;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Scales rows to length 1.</summary>
internal static class UnitRows
{
    // The square of the length below which a row is left as it is but for a constant factor, so that 0 stays 0 and its gradient finite.
    private const double LeastSquare = 1e-24;

    /// <summary>Rows of length 1, <c>[rows, values]</c>.</summary>
    public static Tensor Of(Tensor rows) => rows.div(Lengths(rows));

    /// <summary>What rows are divided by, <c>[rows, 1]</c>.</summary>
    public static Tensor Lengths(Tensor rows) => rows.pow(Number.Of(2)).sum([1], true).clamp_min(Number.Of(LeastSquare)).sqrt();

    /// <summary>Writes the outputs of a network, scaled to length 1, as ONNX operators.</summary>
    public static string Write(GraphWriter graph, string rows, NetworkArchitecture architecture)
    {
        var outputs = architecture.Write(graph, rows);
        var squares = graph.Reduce("ReduceSum", graph.Multiply(outputs, outputs), keepDimensions: true, 1);
        return graph.Node("Div", [outputs, graph.Node("Sqrt", graph.Node("Max", [squares, graph.Constant(LeastSquare)]))]);
    }
}
