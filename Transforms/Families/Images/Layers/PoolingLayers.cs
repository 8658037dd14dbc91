using Microsoft.ML.Model.OnnxConverter;
using MLExtensions.Onnx;
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

    private protected string Write(GraphWriter graph, string x, string operation, Action<OnnxNode>? attributes = null) => graph.Node(operation, x, node =>
    {
        node.SetWindow(KernelSize, Stride ?? KernelSize, Padding);
        node.AddAttribute("ceil_mode", CeilMode);
        attributes?.Invoke(node);
    });
}

/// <summary>Max pooling: the largest value per kernel position and channel.</summary>
/// <param name="KernelSize">The side length of the kernel, in pixels.</param>
public sealed record MaxPoolingLayer(int KernelSize) : WindowPoolingLayer(KernelSize)
{
    internal override string Title => FormattableString.Invariant($"max pooling {KernelSize}x{KernelSize}");

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        nn.MaxPool2d(KernelSize, Stride ?? KernelSize, Padding, ceil_mode: CeilMode);

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => Write(graph, x, "MaxPool");
}

/// <summary>Average pooling: the mean per kernel position and channel.</summary>
/// <param name="KernelSize">The side length of the kernel, in pixels.</param>
public sealed record AveragePoolingLayer(int KernelSize) : WindowPoolingLayer(KernelSize)
{
    internal override string Title => FormattableString.Invariant($"average pooling {KernelSize}x{KernelSize}");

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        nn.AvgPool2d(KernelSize, Stride ?? KernelSize, Padding, ceil_mode: CeilMode);

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) =>
        Write(graph, x, "AveragePool", node => node.AddAttribute("count_include_pad", 1L));
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

    /// <remarks>A pooling if the cells divide the image; otherwise the means of rows and of columns, as two products with matrices.</remarks>
    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site)
    {
        if (input.Height % Height == 0 && input.Width % Width == 0)
        {
            long[] cell = [input.Height / Height, input.Width / Width];
            return graph.Node("AveragePool", x, node =>
            {
                node.AddAttribute("kernel_shape", cell);
                node.AddAttribute("strides", cell);
            });
        }
        var rows = graph.Constant(new GraphTensor(Means(Height, input.Height, (cell, i) => (cell * input.Height) + i), Height, input.Height));
        var columns = graph.Constant(new GraphTensor(Means(Width, input.Width, (cell, i) => (i * Width) + cell), input.Width, Width));
        return graph.Node("MatMul", [graph.Node("MatMul", [rows, x]), columns]);
    }

    private static float[] Means(int cells, int size, Func<int, int, int> place)
    {
        var matrix = new float[cells * size];
        for (var cell = 0; cell < cells; cell++)
        {
            var first = (int)((long)cell * size / cells);
            var end = (int)((((cell + 1L) * size) + cells - 1) / cells);
            for (var i = first; i < end; i++)
                matrix[place(cell, i)] = 1f / (end - first);
        }
        return matrix;
    }
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

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => graph.Node("Flatten", graph.Node("GlobalAveragePool", x));
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

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => graph.Node("Flatten", graph.Node("GlobalMaxPool", x));
}
