using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>A layer that makes one value of each window, channel by channel.</summary>
/// <param name="KernelSize">The side of the window, in pixels.</param>
public abstract record WindowPoolingLayer(int KernelSize) : ImageLayer
{
    /// <summary>The pixels between two windows. Default null: the kernel size.</summary>
    public int? Stride { get; init; }

    /// <summary>
    /// The pixels added on each side, at most half the kernel size: they never win in max pooling, and count as zeros in average
    /// pooling. Default 0.
    /// </summary>
    public int Padding { get; init; }

    /// <summary>Whether a last window that reaches beyond the image counts. Default false.</summary>
    public bool CeilMode { get; init; }

    internal sealed override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        Require(Padding <= KernelSize / 2, site, $"padding is {Padding}; it must be at most half the kernel size of {KernelSize}.");
        return new Window(KernelSize, Stride ?? KernelSize, Padding, CeilMode: CeilMode).Slide(input, this, site);
    }
}

/// <summary>The largest value of each window, channel by channel.</summary>
/// <param name="KernelSize">The side of the window, in pixels.</param>
public sealed record MaxPoolingLayer(int KernelSize) : WindowPoolingLayer(KernelSize)
{
    internal override string Title => $"max pooling {KernelSize}x{KernelSize}";

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        nn.MaxPool2d(KernelSize, Stride ?? KernelSize, Padding, ceil_mode: CeilMode);
}

/// <summary>The mean of each window, channel by channel.</summary>
/// <param name="KernelSize">The side of the window, in pixels.</param>
public sealed record AveragePoolingLayer(int KernelSize) : WindowPoolingLayer(KernelSize)
{
    internal override string Title => $"average pooling {KernelSize}x{KernelSize}";

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        nn.AvgPool2d(KernelSize, Stride ?? KernelSize, Padding, ceil_mode: CeilMode);
}

/// <summary>The means of a grid of windows that divides the image, whatever its size.</summary>
/// <param name="Height">The rows of the grid.</param>
/// <param name="Width">The columns of the grid.</param>
public sealed record AdaptiveAveragePoolingLayer(int Height, int Width) : ImageLayer
{
    internal override string Title => $"adaptive average pooling to {Height}x{Width}";

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        Require(Height >= 1 && Width >= 1, site, "height and width must be at least 1.");
        return LayerShape.OfImage(input.Channels, Height, Width);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) => nn.AdaptiveAvgPool2d([Height, Width]);
}

/// <summary>The mean of each channel over the whole image, as a vector. Lin, Chen and Yan, 2014.</summary>
public sealed record GlobalAveragePoolingLayer : ImageLayer
{
    internal override string Title => "global average pooling";

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        return LayerShape.OfVector(input.Channels);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        new FunctionModule("GlobalAveragePooling", x => x.mean([2, 3]));
}

/// <summary>The largest value of each channel over the whole image, as a vector.</summary>
public sealed record GlobalMaxPoolingLayer : ImageLayer
{
    internal override string Title => "global max pooling";

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        return LayerShape.OfVector(input.Channels);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        new FunctionModule("GlobalMaxPooling", x => x.amax([2, 3]));
}
