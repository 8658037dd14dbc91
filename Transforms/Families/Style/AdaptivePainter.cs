using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>Adaptive instance normalization: gives each channel of one picture's features the mean and the deviation that it has in another's.</summary>
internal static class AdaptiveNormalization
{
    // Of a channel that is the same everywhere, noise would become a pattern.
    private const double LeastDeviation = 1e-5;

    /// <param name="content">Features <c>[rows, channels, height, width]</c>.</param>
    /// <param name="style">The mean and the deviation of each channel, <c>[rows or 1, channels]</c>; see <see cref="StyleStatistics.MeanAndDeviation"/>.</param>
    public static Tensor Apply(Tensor content, IReadOnlyList<Tensor> style)
    {
        var own = StyleStatistics.MeanAndDeviation(content);
        var factor = style[1].div(own[1].clamp_min(Number.Of(LeastDeviation)));
        return TensorMemory.WithoutIntermediates(() => content.sub(Spread(own[0])).mul(Spread(factor)).add(Spread(style[0]), Number.One));
    }

    private static Tensor Spread(Tensor values) => values.unsqueeze(2).unsqueeze(3);
}

/// <summary>Paints one picture in the style of another, in one pass.</summary>
internal sealed class AdaptivePainter
{
    private readonly StyleEncoder _encoder;
    private readonly NetworkModelParameters _decoder;

    /// <param name="encoder">The encoder. The caller keeps a lease on it.</param>
    /// <param name="decoder">The decoder. The caller keeps a lease on it.</param>
    public AdaptivePainter(StyleEncoder encoder, NetworkModelParameters decoder) => (_encoder, _decoder) = (encoder, decoder);

    private DecoderArchitecture Architecture => (DecoderArchitecture)_decoder.Architecture;

    /// <summary>Returns the picture, not cut off to 0 to 255.</summary>
    /// <remarks>
    /// What is decoded lies between the content's features and those with the style's statistics. What a decoder loses of the content, the difference
    /// of the content and what is decoded from its own features, is added by 1 - strength: with 0 there remains the content, with 1 the decoder.
    /// </remarks>
    /// <param name="content">The content picture <c>[1, 3, height, width]</c> from 0 to 255.</param>
    /// <param name="style">The style picture, of any size.</param>
    /// <param name="strength">From 0 to 1.</param>
    public Tensor Paint(Tensor content, Tensor style, double strength)
    {
        var statistics = TensorMemory.WithoutIntermediates(() => cat(StyleStatistics.MeanAndDeviation(_encoder.Encode(style)), 0));
        var features = _encoder.Encode(content);
        var styled = AdaptiveNormalization.Apply(features, [statistics.narrow(0, 0, 1), statistics.narrow(0, 1, 1)]);
        if (strength >= 1)
        {
            features.Dispose();
            return Decode(styled);
        }
        var lost = content.sub(Decode(features));
        return Decode(features.add(styled.sub(features), Number.Of(strength))).add(lost, Number.Of(1 - strength));

        Tensor Decode(Tensor input) => TensorMemory.WithoutIntermediates(() => _encoder.Cut(_decoder.Network.call(input), content.shape[2], content.shape[3]));
    }

    /// <summary>The multiply-adds for a content picture.</summary>
    public double MultiplyAdds(int height, int width) => (2 * _encoder.MultiplyAdds(height, width)) + (Positions(height, width) * Architecture.MultiplyAdds);

    /// <summary>The bytes that painting takes.</summary>
    public double BytesOf(Picture content, Picture style) => PictureMemory.BytesOf(
        (PictureMemory.ValuesPerPixel * content.Height * content.Width) +
        Math.Max(
            Math.Max(_encoder.PassingValues(content.Height, content.Width), _encoder.PassingValues(style.Height, style.Width)),
            Positions(content.Height, content.Width) * Architecture.PassingValues));

    private double Positions(int height, int width)
    {
        var (rows, columns) = _encoder.PositionsOf(height, width);
        return (double)rows * columns;
    }
}
