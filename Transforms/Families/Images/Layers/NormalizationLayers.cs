using MLExtensions.Networks;
using MLExtensions.Onnx;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// Batch normalization: standardizes each channel over the batch, then scales and shifts it with learned parameters.
/// Ioffe and Szegedy, 2015.
/// </summary>
public sealed record BatchNormalizationLayer : ImageLayer
{
    /// <summary>Added to the variance. Default 1e-5.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>How much a batch changes the running statistics that scoring uses, in (0, 1]. Default 0.1.</summary>
    public double Momentum { get; init; } = 0.1;

    internal override string Title => "batch normalization";

    internal override bool OutputMayBeOverwritten => true;

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        Require(Epsilon is > 0 and <= 1, site, FormattableString.Invariant($"epsilon is {Epsilon}; it must be greater than 0 and at most 1."));
        Require(Momentum is > 0 and <= 1, site, FormattableString.Invariant($"momentum is {Momentum}; it must be greater than 0 and at most 1."));
        return input;
    }

    internal override long ParameterCount(LayerShape input, LayerSite site) => 2L * input.Channels;

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) => Layers.BatchNormalization(input.Channels, Epsilon, Momentum);

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => graph.BatchNormalization(x, site.Path, Epsilon, input.Channels);
}

/// <summary>
/// Local response normalization: divides each value by (k + alpha / size * sum of the squares in neighboring channels)^beta. Krizhevsky,
/// Sutskever and Hinton, 2012.
/// </summary>
/// <param name="Size">The number of neighboring channels, including the channel of the value.</param>
public sealed record LocalResponseNormalizationLayer(int Size = 5) : ImageLayer
{
    /// <summary>Alpha: the factor of the mean of squares. Default 1e-4.</summary>
    public double Alpha { get; init; } = 1e-4;

    /// <summary>Beta: the exponent. Default 0.75.</summary>
    public double Beta { get; init; } = 0.75;

    /// <summary>The constant that is added to the squares. Default 1.</summary>
    public double K { get; init; } = 1;

    internal override string Title => FormattableString.Invariant($"local response normalization over {Size}");

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        Require(Size >= 1, site, FormattableString.Invariant($"size is {Size}; it must be at least 1."));
        Require(double.IsFinite(Alpha) && double.IsFinite(Beta) && K is > 0 and < double.PositiveInfinity, site, FormattableString.Invariant($"alpha {Alpha}, beta {Beta} and k {K} must be finite, k greater than 0."));
        return input;
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) => nn.LocalResponseNorm(Size, Alpha, Beta, K);

    /// <remarks>ONNX has an operator of this name, but of an even number of channels it takes others.</remarks>
    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site)
    {
        var channels = graph.Reshape(graph.Multiply(x, x), -1, 1, input.Channels, (long)input.Height * input.Width);
        var means = graph.Node("AveragePool", channels, node =>
        {
            node.AddAttribute("kernel_shape", new long[] { Size, 1 });
            node.AddAttribute("pads", new long[] { Size / 2, 0, (Size - 1) / 2, 0 });
            node.AddAttribute("count_include_pad", 1L);
        });
        var norm = graph.Node("Pow", [graph.Scale(means, Alpha, K), graph.Constant(Beta)]);
        return graph.Node("Div", [x, graph.Reshape(norm, -1, input.Channels, input.Height, input.Width)]);
    }
}
