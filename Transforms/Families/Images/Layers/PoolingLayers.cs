using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>A layer that computes one value per kernel position and channel.</summary>
/// <param name="KernelSize">The side length of the kernel, in pixels.</param>
public abstract record WindowPoolingLayer(int KernelSize) : ImageLayer
{
    /// <summary>The distance between two kernel positions in pixels. Default null: the kernel size.</summary>
    public int? Stride { get; init; }

    /// <summary>
    /// The padding on each side in pixels, at most half the kernel size. Padding is ignored in max pooling and counts as zeros in average
    /// pooling. Default 0.
    /// </summary>
    public int Padding { get; init; }

    /// <summary>Ceil mode: whether a last kernel position that extends beyond the image is used. Default false.</summary>
    public bool CeilMode { get; init; }

    internal sealed override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        Require(Padding <= KernelSize / 2, site, FormattableString.Invariant($"padding is {Padding}; it must be at most half the kernel size of {KernelSize}."));
        return new Window(KernelSize, Stride ?? KernelSize, Padding, CeilMode: CeilMode).Slide(input, this, site);
    }
}

/// <summary>Max pooling: the largest value per kernel position and channel.</summary>
/// <param name="KernelSize">The side length of the kernel, in pixels.</param>
public sealed record MaxPoolingLayer(int KernelSize) : WindowPoolingLayer(KernelSize)
{
    internal override string Title => FormattableString.Invariant($"max pooling {KernelSize}x{KernelSize}");

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        nn.MaxPool2d(KernelSize, Stride ?? KernelSize, Padding, ceil_mode: CeilMode);
}

/// <summary>Average pooling: the mean per kernel position and channel.</summary>
/// <param name="KernelSize">The side length of the kernel, in pixels.</param>
public sealed record AveragePoolingLayer(int KernelSize) : WindowPoolingLayer(KernelSize)
{
    internal override string Title => FormattableString.Invariant($"average pooling {KernelSize}x{KernelSize}");

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        nn.AvgPool2d(KernelSize, Stride ?? KernelSize, Padding, ceil_mode: CeilMode);
}

/// <summary>Adaptive average pooling: the means over a grid of cells that divides images of any size.</summary>
/// <param name="Height">The number of rows of the grid.</param>
/// <param name="Width">The number of columns of the grid.</param>
public sealed record AdaptiveAveragePoolingLayer(int Height, int Width) : ImageLayer
{
    internal override string Title => FormattableString.Invariant($"adaptive average pooling to {Height}x{Width}");

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        Require(Height >= 1 && Width >= 1, site, "height and width must be at least 1.");
        return LayerShape.OfImage(input.Channels, Height, Width);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) => nn.AdaptiveAvgPool2d([Height, Width]);
}

/// <summary>Global average pooling: the mean of each channel over the image, as a vector. Lin, Chen and Yan, 2014.</summary>
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

/// <summary>Global max pooling: the largest value of each channel over the image, as a vector.</summary>
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
