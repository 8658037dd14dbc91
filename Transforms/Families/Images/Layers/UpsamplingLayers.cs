using MLExtensions.Networks;
using MLExtensions.Onnx;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A transposed convolution: the opposite of a convolution with the same settings, so that it enlarges images where that one shrinks them. A
/// kernel of 4 with stride 2 and padding 1 doubles height and width. Dumoulin and Visin, "A guide to convolution arithmetic", 2016.
/// </summary>
/// <param name="Filters">The number of output channels.</param>
/// <param name="KernelSize">The side length of the kernel, in pixels; a multiple of the stride avoids checkerboard patterns.</param>
public sealed record TransposedConvolutionLayer(int Filters, int KernelSize) : ImageLayer
{
    /// <summary>The distance in the output between two input pixels, at least 1. Default 1.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>The number of pixels that are cut off on each side of the output. Default 0.</summary>
    public int Padding { get; init; }

    /// <summary>The number of pixels that are added to the bottom and the right of the output, below the stride. Default 0.</summary>
    public int OutputPadding { get; init; }

    /// <summary>Whether a bias is added; not needed before batch normalization. Default true.</summary>
    public bool Bias { get; init; } = true;

    internal override string Title => FormattableString.Invariant($"transposed convolution {KernelSize}x{KernelSize}");

    internal override bool OutputMayBeOverwritten => true;

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        Require(Filters >= 1, site, FormattableString.Invariant($"filters is {Filters}; it must be at least 1."));
        Require(KernelSize >= 1 && Stride >= 1 && Padding >= 0, site, FormattableString.Invariant($"kernel size {KernelSize}, stride {Stride} and padding {Padding}: the first two must be at least 1, the last at least 0."));
        Require(OutputPadding >= 0 && OutputPadding < Stride, site, FormattableString.Invariant($"output padding is {OutputPadding}; it must be at least 0 and below the stride, {Stride}."));
        return LayerShape.OfImage(Filters, Side(input.Height, "height", site), Side(input.Width, "width", site));
    }

    internal override long ParameterCount(LayerShape input, LayerSite site) =>
        checked(Filters * (((long)KernelSize * KernelSize * input.Channels) + (Bias ? 1 : 0)));

    internal override long MultiplyAdds(LayerShape input, LayerSite site) => checked(input.Count * KernelSize * KernelSize * Filters);

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) => new TransposedConvolutionModule(this, input.Channels);

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => graph.Convolution("ConvTranspose", x, site.Path, [input.Channels, Filters, KernelSize, KernelSize], Bias ? Filters : null, node =>
    {
        node.SetWindow(KernelSize, Stride, Padding);
        node.AddAttribute("output_padding", new long[] { OutputPadding, OutputPadding });
    });

    private int Side(int size, string side, LayerSite site)
    {
        var length = ((size - 1L) * Stride) - (2L * Padding) + KernelSize + OutputPadding;
        Require(length is >= 1 and <= int.MaxValue, site, FormattableString.Invariant($"the output {side} would be {length}: ({size} - 1) x {Stride} - 2 x {Padding} padding + {KernelSize} + {OutputPadding}."));
        return (int)length;
    }
}

/// <summary>Enlarges an image by repeating each pixel. With a convolution after it, it has no checkerboard patterns (Odena et al., 2016).</summary>
/// <param name="Factor">How many times higher and wider the image becomes, at least 1. Default 2.</param>
public sealed record UpsamplingLayer(int Factor = 2) : ImageLayer
{
    internal override string Title => FormattableString.Invariant($"upsampling {Factor}x");

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        Require(Factor >= 1 && (long)Factor * Math.Max(input.Height, input.Width) <= int.MaxValue, site, FormattableString.Invariant($"factor is {Factor}; it must be at least 1, and the image must not become too large."));
        return LayerShape.OfImage(input.Channels, input.Height * Factor, input.Width * Factor);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site)
    {
        var (height, width) = ((long)input.Height * Factor, (long)input.Width * Factor);
        return new FunctionModule("Upsampling", x => nn.functional.interpolate(x, [height, width], mode: InterpolationMode.Nearest));
    }

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => graph.Enlarge(x, Factor);
}

/// <summary>Arranges the values of a row as an image: channel after channel, each row by row.</summary>
/// <param name="Channels">The number of channels.</param>
/// <param name="Height">The number of pixel rows.</param>
/// <param name="Width">The number of pixels in a row.</param>
public sealed record ReshapeLayer(int Channels, int Height, int Width) : ImageLayer
{
    internal override string Title => "reshape";

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        Require(Channels >= 1 && Height >= 1 && Width >= 1, site, FormattableString.Invariant($"channels {Channels}, height {Height} and width {Width} must be at least 1."));
        var output = LayerShape.OfImage(Channels, Height, Width);
        Require(output.Count == input.Count, site, FormattableString.Invariant($"its input {input} has {input.Count} values, but {output} has {output.Count}."));
        return output;
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site)
    {
        var (channels, height, width) = ((long)Channels, (long)Height, (long)Width);
        return new FunctionModule("Reshape", x => x.reshape(-1, channels, height, width));
    }

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => graph.Reshape(x, -1, Channels, Height, Width);
}

/// <summary>The module of <see cref="TransposedConvolutionLayer"/>; its parameters have PyTorch's names and shapes.</summary>
internal sealed class TransposedConvolutionModule : nn.Module<Tensor, Tensor>, IWeightedModule
{
    private readonly TorchSharp.Modules.Parameter weight;
    private readonly TorchSharp.Modules.Parameter? bias;
    private readonly long[] _stride;
    private readonly long[] _padding;
    private readonly long[] _outputPadding;
    private readonly bool _leavesGaps;

    public TransposedConvolutionModule(TransposedConvolutionLayer layer, long channels)
        : base(nameof(TransposedConvolutionModule))
    {
        weight = Layers.Weights(channels, layer.Filters, layer.KernelSize, layer.KernelSize);
        bias = layer.Bias ? Layers.Weights(layer.Filters) : null;
        _stride = [layer.Stride, layer.Stride];
        _padding = [layer.Padding, layer.Padding];
        _outputPadding = [layer.OutputPadding, layer.OutputPadding];
        _leavesGaps = layer is { KernelSize: 1, Stride: > 1 };
        RegisterComponents();
    }

    public Tensor Weight => weight;

    public int OutputDimension => 1;

    public override Tensor forward(Tensor x) => Forward(x, weight);

    /// <remarks>
    /// Avoids the two cases of <see cref="ConvolutionModule"/> that oneDNN computes wrongly, as the gradient of a transposed convolution is a
    /// convolution (found by eng/native-search). First, a 1x1 kernel with a stride: it leaves gaps, which are filled with zeros afterwards.
    /// Second, an output narrower than the stride in bfloat16: a column of zeros on the right of the input makes it wide enough.
    /// </remarks>
    public Tensor Forward(Tensor x, Tensor weights)
    {
        var width = Length(x.shape[3], weights.shape[3], 1);
        if (_leavesGaps)
        {
            var spread = Spread(nn.functional.conv_transpose2d(x, weights), Length(x.shape[2], weights.shape[2], 0), width);
            return bias is null ? spread : spread.add(bias.view(1, -1, 1, 1), Number.One);
        }
        return width >= _stride[1] || x.dtype != ScalarType.BFloat16
            ? nn.functional.conv_transpose2d(x, weights, bias, _stride, _padding, _outputPadding)
            : nn.functional.conv_transpose2d(nn.functional.pad(x, [0, 1, 0, 0]), weights, bias, _stride, _padding, _outputPadding).narrow(3, 0, width);
    }

    /// <summary>Puts zeros between the pixels of an image, and cuts off the padding.</summary>
    private Tensor Spread(Tensor x, long height, long width)
    {
        var gaps = nn.functional.pad(x.unsqueeze(4).unsqueeze(3), [0, _stride[1] - 1, 0, 0, 0, _stride[0] - 1]);
        var spread = gaps.reshape(x.shape[0], x.shape[1], x.shape[2] * _stride[0], x.shape[3] * _stride[1]);
        return spread.narrow(2, _padding[0], height).narrow(3, _padding[1], width);
    }

    private long Length(long side, long kernel, int dimension) =>
        ((side - 1) * _stride[dimension]) - (2 * _padding[dimension]) + kernel + _outputPadding[dimension];
}
