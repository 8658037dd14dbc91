using MLExtensions.Families.Images;
using MLExtensions.Networks;
using MLExtensions.Onnx;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A fully connected layer whose units each take the largest of several linear functions. An image is flattened first. Goodfellow et al.,
/// "Maxout Networks", 2013.
/// </summary>
/// <param name="Units">The number of output units.</param>
/// <param name="Pieces">The number of linear functions per unit, at least 1. Default 5.</param>
public sealed record MaxoutLayer(int Units, int Pieces = 5) : ImageLayer
{
    internal override string Title => FormattableString.Invariant($"maxout of {Pieces}");

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        Require(Units >= 1 && Pieces >= 1 && (long)Units * Pieces <= int.MaxValue, site, FormattableString.Invariant($"units {Units} and pieces {Pieces} must be at least 1, and their product at most {int.MaxValue}."));
        Require(input.Count <= int.MaxValue, site, FormattableString.Invariant($"its input has {input.Count} values; there can be at most {int.MaxValue}."));
        return LayerShape.OfVector(Units);
    }

    internal override long ParameterCount(LayerShape input, LayerSite site) => checked((long)Units * Pieces * (input.Count + 1));

    internal override long MultiplyAdds(LayerShape input, LayerSite site) => checked((long)Units * Pieces * input.Count);

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) => new MaxoutModule(input.Count, Units, Pieces);

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site)
    {
        var pieces = graph.Dense(input.IsVector ? x : graph.Node("Flatten", x), site.Path, input.Count, (long)Units * Pieces);
        return graph.Reduce("ReduceMax", graph.Reshape(pieces, -1, Pieces, Units), keepDimensions: false, 1);
    }
}

/// <summary>
/// The module of <see cref="MaxoutLayer"/>. The pieces are the outer dimension of the weights, so that the maximum runs over rows of memory.
/// </summary>
internal sealed class MaxoutModule : nn.Module<Tensor, Tensor>, IWeightedModule
{
    private readonly TorchSharp.Modules.Parameter weight;
    private readonly TorchSharp.Modules.Parameter bias;
    private readonly long _units;
    private readonly long _pieces;

    public MaxoutModule(long inputs, long units, long pieces)
        : base(nameof(MaxoutModule))
    {
        weight = Layers.Weights(units * pieces, inputs);
        bias = Layers.Weights(units * pieces);
        (_units, _pieces) = (units, pieces);
        RegisterComponents();
    }

    public Tensor Weight => weight;

    public int OutputDimension => 0;

    public override Tensor forward(Tensor x) => Forward(x, weight);

    public Tensor Forward(Tensor x, Tensor weights) =>
        nn.functional.linear(x.dim() > 2 ? ChannelsLast.Flatten(x) : x, weights, bias).view(-1, _pieces, _units).amax([1]);
}
