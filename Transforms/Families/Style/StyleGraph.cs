using MLExtensions.Onnx;
using static MLExtensions.Families.Style.StyleNetwork;

namespace MLExtensions.Families.Style;

/// <summary>Writes what <see cref="StyleNetwork"/> computes as ONNX operators.</summary>
/// <param name="graph">The graph.</param>
/// <param name="architecture">The network.</param>
/// <param name="shares">The shares of the styles, <c>[rows, styles]</c>; null if there is one.</param>
internal sealed class StyleGraph(GraphWriter graph, StyleNetworkArchitecture architecture, string? shares)
{
    /// <summary>Writes pictures.</summary>
    /// <param name="pictures"><c>[rows, 3, height, width]</c> from 0 to 255.</param>
    /// <param name="height">Their height.</param>
    /// <param name="width">Their width.</param>
    /// <returns>As many pictures of the same size; their values leave that range a little.</returns>
    public string Paint(string pictures, int height, int width)
    {
        var (below, right) = (StyleNetworkArchitecture.Whole(height) - height, StyleNetworkArchitecture.Whole(width) - width);
        long channels = architecture.Width;
        var x = graph.Scale(below + right == 0 ? pictures : Reflect(pictures, 0, 0, below, right), 1 / Middle, -1);
        for (var i = 0; i < 3; i++)
            x = graph.Node("Relu", Styled(x, FormattableString.Invariant($"down.{i}"), i == 0 ? 3 : channels << (i - 1), channels << i, i == 0 ? 9 : 3, i == 0 ? 1 : 2));
        for (var i = 0; i < architecture.ResidualBlocks; i++)
        {
            var path = FormattableString.Invariant($"residual.{i}");
            x = graph.Add(Styled(graph.Node("Relu", Styled(x, path + ".first", 4 * channels, 4 * channels, 3, 1)), path + ".second", 4 * channels, 4 * channels, 3, 1), x);
        }
        for (var i = 0; i < 2; i++)
            x = graph.Node("Relu", Styled(graph.Enlarge(x, 2), FormattableString.Invariant($"up.{i}"), (4 * channels) >> i, (2 * channels) >> i, 3, 1));
        x = graph.Scale(graph.Node("Tanh", Convolution(x, "output", channels, 3, 9, 1)), Reach, Middle);
        return below + right == 0 ? x : graph.Slice(graph.Slice(x, 2, 0, height), 3, 0, width);
    }

    private string Styled(string x, string path, long inputs, long channels, int kernel, int stride)
    {
        x = Convolution(x, path + ".convolution", inputs, channels, kernel, stride);
        var (scale, shift) = (path + ".norm.weight", path + ".norm.bias");
        if (shares == null)
            return Normalize(x, graph.Weight(scale, channels), graph.Weight(shift, channels));
        var plain = Normalize(x, graph.Constant(Filled(channels, 1)), graph.Constant(Filled(channels, 0)));
        return graph.Add(graph.Multiply(plain, Mixed(scale, channels)), Mixed(shift, channels));
    }

    private string Normalize(string x, string scale, string shift) =>
        graph.Node("InstanceNormalization", [x, scale, shift], node => node.AddAttribute("epsilon", PictureOperations.Epsilon));

    /// <summary>The numbers of each picture, <c>[rows, channels, 1, 1]</c>.</summary>
    private string Mixed(string numbers, long channels)
    {
        var byStyle = graph.Constant(new GraphTensor(graph.Tensor(numbers, architecture.StyleCount * channels).Values, architecture.StyleCount, channels), numbers);
        return graph.Reshape(graph.Node("MatMul", [shares!, byStyle]), -1, channels, 1, 1);
    }

    private string Convolution(string x, string path, long inputs, long outputs, int kernel, int stride)
    {
        var border = kernel / 2;
        return graph.Convolution("Conv", Reflect(x, border, border, border, border), path, [outputs, inputs, kernel, kernel], outputs, node => node.SetWindow(kernel, stride, 0));
    }

    private string Reflect(string x, long above, long left, long below, long right) =>
        graph.Node("Pad", [x, graph.Numbers(0, 0, above, left, 0, 0, below, right)], node => node.AddAttribute("mode", "reflect"));

    private static GraphTensor Filled(long count, float value) => new(Enumerable.Repeat(value, (int)count).ToArray(), count);
}
