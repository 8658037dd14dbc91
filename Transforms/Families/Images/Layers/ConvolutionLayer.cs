using MLExtensions.Networks;
using MLExtensions.Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>A two-dimensional convolution: each filter has a square kernel over all channels of its group. LeCun et al., 1998.</summary>
/// <param name="Filters">The number of output channels; null for the number of network outputs.</param>
/// <param name="KernelSize">The side length of the kernel, in pixels.</param>
public sealed record ConvolutionLayer(int? Filters, int KernelSize) : ImageLayer
{
    /// <summary>The distance between two kernel positions in pixels, at least 1. Default 1.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>The padding with zeros on each side, in pixels; (kernel size - 1) / 2 keeps the image size. Default 0.</summary>
    public int Padding { get; init; }

    /// <summary>The distance between the pixels of a kernel, at least 1 (Yu and Koltun, 2016). Default 1.</summary>
    public int Dilation { get; init; } = 1;

    /// <summary>The number of groups into which channels and filters are divided, at least 1. Default 1.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether a bias is added; not needed before batch normalization. Default true.</summary>
    public bool Bias { get; init; } = true;

    internal override string Title => FormattableString.Invariant($"convolution {KernelSize}x{KernelSize}");

    internal override bool OutputMayBeOverwritten => true;

    internal override ImageLayer WithOutputCount(int outputCount) => this with { Filters = Filters ?? outputCount };

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        var filters = Filters ?? site.OutputCount;
        Require(filters >= 1, site, FormattableString.Invariant($"filters is {filters}; it must be at least 1."));
        Require(Groups >= 1 && input.Channels % Groups == 0 && filters % Groups == 0, site, FormattableString.Invariant($"groups is {Groups}; it must divide the {input.Channels} channels and the {filters} filters."));
        return new Window(KernelSize, Stride, Padding, Dilation).Slide(input, this, site).WithChannels(filters);
    }

    internal override long ParameterCount(LayerShape input, LayerSite site) =>
        checked((Filters ?? site.OutputCount) * ((long)KernelSize * KernelSize * (input.Channels / Groups) + (Bias ? 1 : 0)));

    internal override long MultiplyAdds(LayerShape input, LayerSite site) =>
        checked(OutputShape(input, site).Count * KernelSize * KernelSize * (input.Channels / Groups));

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        new ConvolutionModule(this, input.Channels, Filters ?? site.OutputCount);

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => graph.Convolution("Conv", x, site.Path, [Filters ?? site.OutputCount, input.Channels / Groups, KernelSize, KernelSize], Bias ? Filters ?? site.OutputCount : null, node =>
    {
        node.SetWindow(KernelSize, Stride, Padding);
        node.AddAttribute("dilations", new long[] { Dilation, Dilation });
        node.AddAttribute("group", (long)Groups);
    });
}

/// <summary>A module with one weight that can also compute with another, made from it.</summary>
internal interface IWeightedModule
{
    Tensor Weight { get; }

    /// <summary>The dimension of the weight that stands for the outputs.</summary>
    int OutputDimension { get; }

    Tensor Forward(Tensor x, Tensor weights);
}

/// <summary>
/// The module of <see cref="ConvolutionLayer"/>, used for every convolution of the library. Its parameters have PyTorch's names.
/// </summary>
internal sealed class ConvolutionModule : nn.Module<Tensor, Tensor>, IWeightedModule
{
    private readonly TorchSharp.Modules.Parameter weight;
    private readonly TorchSharp.Modules.Parameter? bias;
    private readonly long[] _padding;
    private readonly long[] _stride;
    private readonly long[] _dilation;
    private readonly int _groups;
    private readonly bool _skipsPixels;

    public ConvolutionModule(ConvolutionLayer layer, long channels, long filters)
        : base(nameof(ConvolutionModule))
    {
        weight = Layers.Weights(filters, channels / layer.Groups, layer.KernelSize, layer.KernelSize);
        bias = layer.Bias ? Layers.Weights(filters) : null;
        _padding = [layer.Padding, layer.Padding];
        _stride = [layer.Stride, layer.Stride];
        _dilation = [layer.Dilation, layer.Dilation];
        _groups = layer.Groups;
        _skipsPixels = layer is { KernelSize: 1, Stride: > 1 };
        RegisterComponents();
    }

    public Tensor Weight => weight;

    public int OutputDimension => 0;

    public override Tensor forward(Tensor x) => Forward(x, weight);

    /// <remarks>
    /// Avoids two cases that oneDNN computes wrongly (found by eng/native-search). First, a 1x1 kernel with a stride: the weight
    /// gradient writes beyond its buffer on processors without AVX-512. Such a kernel uses only every n-th pixel, so the other pixels are
    /// removed first. Second, an image narrower than the stride in bfloat16: the weight gradient reads uninitialized memory. Zeros on the
    /// right, where the padding has zeros anyway, make the image as wide as the stride.
    /// </remarks>
    public Tensor Forward(Tensor x, Tensor weights)
    {
        if (_skipsPixels)
            return nn.functional.conv2d(PixelsUnderWindows(x), weights, bias, groups: _groups);
        var missing = _stride[1] - x.shape[3];
        if (missing <= 0 || x.dtype != ScalarType.BFloat16)
            return nn.functional.conv2d(x, weights, bias, _stride, _padding, _dilation, _groups);
        var positions = ((x.shape[3] + (2 * _padding[1]) - (_dilation[1] * (weights.shape[3] - 1)) - 1) / _stride[1]) + 1;
        return nn.functional.conv2d(nn.functional.pad(x, [0, missing, 0, 0]), weights, bias, _stride, _padding, _dilation, _groups).narrow(3, 0, positions);
    }

    /// <summary>Pooling over one pixel copies it. Unlike a slice, it keeps the memory format of the image and of its gradient.</summary>
    private Tensor PixelsUnderWindows(Tensor x)
    {
        if (_padding[0] > 0)
            x = nn.functional.pad(x, [_padding[1], _padding[1], _padding[0], _padding[0]]);
        return nn.functional.avg_pool2d(x, 1, _stride[0]);
    }
}
