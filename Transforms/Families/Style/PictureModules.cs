using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>
/// A convolution of pictures of any size whose borders are continued by reflection: zeros would become a frame. An odd kernel with stride 1
/// keeps the size.
/// </summary>
internal sealed class ReflectedConvolution : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly long _padding;
    private readonly long _stride;

    public ReflectedConvolution(long inputs, long outputs, long kernel, long stride = 1)
        : base(nameof(ReflectedConvolution))
    {
        weight = Layers.Weights(outputs, inputs, kernel, kernel);
        bias = Layers.Weights(outputs);
        (_padding, _stride) = (kernel / 2, stride);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => Enlarged(x, 1);

    /// <summary>
    /// The convolution of pictures that are made some times as high and wide by repeating pixels: unlike a transposed convolution it leaves no checkerboard
    /// patterns.
    /// </summary>
    public Tensor Enlarged(Tensor x, long scale) => TensorMemory.WithoutIntermediates(() =>
    {
        var padded = TensorMemory.WithoutIntermediates(() => Images.ChannelsLast.Arrange(Padded(scale == 1
            ? x
            : nn.functional.interpolate(x, [scale * x.shape[2], scale * x.shape[3]], mode: InterpolationMode.Nearest))));
        return nn.functional.conv2d(padded, weight, bias, [_stride, _stride]);
    });

    private Tensor Padded(Tensor x) => _padding == 0 ? x : nn.functional.pad(x, [_padding, _padding, _padding, _padding], PaddingModes.Reflect);
}

/// <summary>What networks of pictures do between convolutions.</summary>
internal static class PictureOperations
{
    /// <summary>What normalization adds to the variance.</summary>
    public const double Epsilon = 1e-5;

    /// <summary>
    /// Brings each channel of each picture to mean 0 and variance 1 (Ulyanov, Vedaldi and Lempitsky, 2016), then multiplies and shifts it, in as few
    /// passes as it takes: pictures are larger than caches.
    /// </summary>
    /// <param name="x">The pictures. They are overwritten, unless a gradient needs them.</param>
    /// <param name="scale">The factor of each channel, of all pictures or of each, <c>[rows or 1, channels, 1, 1]</c>.</param>
    /// <param name="shift">What is added to it, likewise.</param>
    public static Tensor Normalize(Tensor x, Tensor scale, Tensor shift)
    {
        var mean = x.mean([2, 3], keepdim: true);
        var centered = x.requires_grad ? x.sub(mean) : x.sub_(mean);
        var variance = TensorMemory.WithoutIntermediates(() => centered.pow(Number.Of(2)).mean([2, 3], keepdim: true));
        return addcmul(shift, centered, variance.add(Number.Of(Epsilon), Number.One).rsqrt().mul(scale), Number.One);
    }
}
