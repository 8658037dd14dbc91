using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>A two-dimensional convolution: each filter looks at a square window of all channels of its group. LeCun et al., 1998.</summary>
/// <param name="Filters">The number of output channels; null for the number of the network's outputs.</param>
/// <param name="KernelSize">The side of the window, in pixels.</param>
public sealed record ConvolutionLayer(int? Filters, int KernelSize) : NetworkLayer
{
    /// <summary>The pixels between two windows, at least 1. Default 1.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>The pixels of zeros added on each side. Default 0; (kernel size - 1) / 2 keeps the image's size.</summary>
    public int Padding { get; init; }

    /// <summary>The distance between the window's pixels, at least 1 (Yu and Koltun, 2016). Default 1.</summary>
    public int Dilation { get; init; } = 1;

    /// <summary>The number of groups into which channels and filters are divided, at least 1. Default 1.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether a bias is added; batch normalisation makes it superfluous. Default true.</summary>
    public bool Bias { get; init; } = true;

    internal override string Title => $"convolution {KernelSize}x{KernelSize}";

    internal override bool OutputMayBeOverwritten => true;

    internal override NetworkLayer WithOutputCount(int outputCount) => this with { Filters = Filters ?? outputCount };

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        var filters = Filters ?? site.OutputCount;
        Require(filters >= 1, site, $"filters is {filters}; it must be at least 1.");
        Require(Groups >= 1 && input.Channels % Groups == 0 && filters % Groups == 0, site, $"groups is {Groups}; it must divide the {input.Channels} channels and the {filters} filters.");
        return new Window(KernelSize, Stride, Padding, Dilation).Slide(input, this, site).WithChannels(filters);
    }

    internal override long ParameterCount(LayerShape input, LayerSite site) =>
        checked((Filters ?? site.OutputCount) * ((long)KernelSize * KernelSize * (input.Channels / Groups) + (Bias ? 1 : 0)));

    internal override long MultiplyAdds(LayerShape input, LayerSite site) =>
        checked(OutputShape(input, site).Count * KernelSize * KernelSize * (input.Channels / Groups));

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        nn.Conv2d(input.Channels, Filters ?? site.OutputCount, KernelSize, Stride, Padding, Dilation, groups: Groups, bias: Bias);
}
