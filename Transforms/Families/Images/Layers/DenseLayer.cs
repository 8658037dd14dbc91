using MLExtensions.Families.Images;
using MLExtensions.Networks;
using MLExtensions.Onnx;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>A fully connected layer. An image is flattened first, channel after channel.</summary>
/// <param name="Units">The number of output units; null for the number of network outputs.</param>
public sealed record DenseLayer(int? Units = null) : ImageLayer
{
    /// <summary>Whether a bias is added. Default true.</summary>
    public bool Bias { get; init; } = true;

    internal override string Title => "dense";

    internal override bool OutputMayBeOverwritten => true;

    internal override ImageLayer WithOutputCount(int outputCount) => this with { Units = Units ?? outputCount };

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        var units = Units ?? site.OutputCount;
        Require(units >= 1, site, FormattableString.Invariant($"units is {units}; it must be at least 1."));
        Require(input.Count <= int.MaxValue, site, FormattableString.Invariant($"its input has {input.Count} values; there can be at most {int.MaxValue}."));
        return LayerShape.OfVector(units);
    }

    internal override long ParameterCount(LayerShape input, LayerSite site) =>
        checked((Units ?? site.OutputCount) * (input.Count + (Bias ? 1 : 0)));

    internal override long MultiplyAdds(LayerShape input, LayerSite site) => checked((Units ?? site.OutputCount) * input.Count);

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        new DenseModule(input.Count, Units ?? site.OutputCount, Bias);

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) =>
        graph.Dense(input.IsVector ? x : graph.Node("Flatten", x), site.Path, input.Count, Units ?? site.OutputCount, Bias);
}

/// <summary>Flattens an image to a vector, channel after channel.</summary>
public sealed record FlattenLayer : ImageLayer
{
    internal override string Title => "flatten";

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        Require(input.Count <= int.MaxValue, site, FormattableString.Invariant($"its input has {input.Count} values; there can be at most {int.MaxValue}."));
        return LayerShape.OfVector((int)input.Count);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        new FunctionModule("Flatten", ChannelsLast.Flatten);

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => graph.Node("Flatten", x);
}

/// <summary>The module of <see cref="DenseLayer"/>; its parameters have PyTorch's names.</summary>
internal sealed class DenseModule : nn.Module<Tensor, Tensor>, IWeightedModule
{
    private readonly TorchSharp.Modules.Parameter weight;
    private readonly TorchSharp.Modules.Parameter? bias;

    public DenseModule(long inputs, long units, bool hasBias)
        : base(nameof(DenseModule))
    {
        weight = Layers.Weights(units, inputs);
        bias = hasBias ? Layers.Weights(units) : null;
        RegisterComponents();
    }

    public Tensor Weight => weight;

    public int OutputDimension => 0;

    public override Tensor forward(Tensor x) => Forward(x, weight);

    public Tensor Forward(Tensor x, Tensor weights) => nn.functional.linear(x.dim() > 2 ? ChannelsLast.Flatten(x) : x, weights, bias);
}
