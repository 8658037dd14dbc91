using MLExtensions.Families.Images;
using MLExtensions.Onnx;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// The fire block of SqueezeNet: a 1x1 convolution that squeezes the channels, then parallel 1x1 and 3x3 convolutions.
/// Iandola et al., 2016.
/// </summary>
/// <param name="Squeeze">The number of filters of the first convolution.</param>
/// <param name="Expand1x1">The number of filters of the 1x1 convolution after it.</param>
/// <param name="Expand3x3">The number of filters of the 3x3 convolution after it.</param>
public sealed record FireLayer(int Squeeze, int Expand1x1, int Expand3x3) : ImageLayer
{
    private ConvolutionLayer SqueezeLayer => new(Squeeze, 1) { Name = "squeeze" };

    private ConvolutionLayer Expand1x1Layer => new(Expand1x1, 1) { Name = "expand1x1" };

    private ConvolutionLayer Expand3x3Layer => new(Expand3x3, 3) { Name = "expand3x3", Padding = 1 };

    internal override string Title => "fire block";

    internal override IEnumerable<PlacedLayer> Inside(LayerShape input, LayerSite site)
    {
        var squeezed = LayerChain.Place([SqueezeLayer], input, site)[0];
        yield return squeezed;
        foreach (var expanded in LayerChain.PlaceBeside([Expand1x1Layer, Expand3x3Layer], squeezed.Output, site))
            yield return expanded;
    }

    internal override LayerShape OutputShape(LayerShape input, LayerSite site) =>
        Inside(input, site).First().Output.WithChannels(checked(Inside(input, site).Skip(1).Sum(expanded => expanded.Output.Channels)));

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) => new FireModule(Inside(input, site));

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site)
    {
        var convolutions = Inside(input, site).ToArray();
        var squeezed = graph.Node("Relu", LayerChain.Write(graph, convolutions[..1], x));
        return graph.Node("Relu", graph.Concatenate(1, convolutions[1..].Select(convolution => LayerChain.Write(graph, [convolution], squeezed)).ToArray()));
    }
}

/// <summary>
/// The inception block of GoogLeNet with four parallel branches: a 1x1 convolution; 1x1 and 3x3; 1x1 and a larger kernel; max pooling and
/// 1x1. Szegedy et al., 2015; with batch normalization and 3x3 kernels in the third branch, as in torchvision.
/// </summary>
/// <param name="Filters1x1">The number of filters of the first branch.</param>
/// <param name="Reduce3x3">The number of filters of the 1x1 convolution of the second branch.</param>
/// <param name="Filters3x3">The number of filters of its 3x3 convolution.</param>
/// <param name="Reduce5x5">The number of filters of the 1x1 convolution of the third branch.</param>
/// <param name="Filters5x5">The number of filters of its second convolution (3x3 here, 5x5 in the paper).</param>
/// <param name="PoolFilters">The number of filters of the fourth branch, after the pooling.</param>
public sealed record InceptionLayer(int Filters1x1, int Reduce3x3, int Filters3x3, int Reduce5x5, int Filters5x5, int PoolFilters) : ImageLayer
{
    private ConcatenationLayer Branches => new([
        NormalizedConvolution("branch1", Filters1x1, 1),
        new SequenceLayer([NormalizedConvolution(null, Reduce3x3, 1), NormalizedConvolution(null, Filters3x3, 3, padding: 1)]) { Name = "branch2" },
        new SequenceLayer([NormalizedConvolution(null, Reduce5x5, 1), NormalizedConvolution(null, Filters5x5, 3, padding: 1)]) { Name = "branch3" },
        new SequenceLayer([new MaxPoolingLayer(3) { Stride = 1, Padding = 1, CeilMode = true }, NormalizedConvolution(null, PoolFilters, 1)]) { Name = "branch4" },
    ]);

    internal override string Title => "inception block";

    internal override IEnumerable<PlacedLayer> Inside(LayerShape input, LayerSite site) => Branches.Inside(input, site);

    internal override LayerShape OutputShape(LayerShape input, LayerSite site) => Branches.OutputShape(input, site);

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) => Branches.CreateModule(input, site);

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => Branches.Write(graph, x, input, site);

    /// <summary>A convolution without bias, batch normalization and ReLU, with torchvision's names.</summary>
    internal static SequenceLayer NormalizedConvolution(string? name, int filters, int kernelSize, int stride = 1, int padding = 0) => new([
        new ConvolutionLayer(filters, kernelSize) { Name = "conv", Stride = stride, Padding = padding, Bias = false },
        new BatchNormalizationLayer { Name = "bn", Epsilon = 0.001 },
        new ActivationLayer(),
    ]) { Name = name };
}

/// <summary>The module of <see cref="FireLayer"/>.</summary>
internal sealed class FireModule : nn.Module<Tensor, Tensor>
{
    // An array, because torch would also register module fields under their field names.
    private readonly nn.Module<Tensor, Tensor>[] _convolutions;

    public FireModule(IEnumerable<PlacedLayer> convolutions)
        : base(nameof(FireModule)) =>
        _convolutions = LayerChain.Register(this, convolutions);

    public override Tensor forward(Tensor x)
    {
        var squeezed = _convolutions[0].call(x).relu_();
        return cat([_convolutions[1].call(squeezed), _convolutions[2].call(squeezed)], 1).relu_();
    }
}
