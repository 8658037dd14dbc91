using SkiaSharp;

namespace MLExtensions.Examples.Infrastructure;

/// <summary>
/// Resizing with a triangle filter that widens as the picture shrinks, as torchvision and Pillow do it. Filters that always
/// use only two pixels ignore most pixels of a large picture, and the jagged edges change the scores of networks.
/// </summary>
internal static class AntialiasedResizing
{
    private const int Channels = 4;

    /// <summary>The pixels of the resized picture: red, green, blue and opacity, row by row.</summary>
    public static byte[] Resize(SKBitmap picture, int width, int height)
    {
        using var rgba = picture.Copy(SKColorType.Rgba8888);
        var (columns, rows) = (Windows(rgba.Width, width), Windows(rgba.Height, height));
        var source = rgba.GetPixelSpan();
        var narrow = new byte[rgba.Height * width * Channels];
        for (var y = 0; y < rgba.Height; y++)
        {
            for (var x = 0; x < width; x++)
                Sum(source[(y * rgba.RowBytes)..], Channels, columns[x], narrow.AsSpan(((y * width) + x) * Channels));
        }
        var pixels = new byte[height * width * Channels];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
                Sum(narrow.AsSpan(x * Channels), width * Channels, rows[y], pixels.AsSpan(((y * width) + x) * Channels));
        }
        return pixels;
    }

    private static void Sum(ReadOnlySpan<byte> source, int step, (int First, double[] Weights) window, Span<byte> pixel)
    {
        for (var channel = 0; channel < Channels; channel++)
        {
            var sum = 0.0;
            for (var i = 0; i < window.Weights.Length; i++)
                sum += window.Weights[i] * source[((window.First + i) * step) + channel];
            pixel[channel] = (byte)Math.Clamp(Math.Round(sum), 0, 255);
        }
    }

    /// <summary>For each new position the old ones that it is made of, and their weights, which sum to 1.</summary>
    private static (int First, double[] Weights)[] Windows(int oldSize, int newSize)
    {
        var scale = (double)oldSize / newSize;
        var reach = Math.Max(1, scale);
        return Enumerable.Range(0, newSize).Select(position =>
        {
            var center = (position + 0.5) * scale;
            var first = Math.Max(0, (int)Math.Round(center - reach, MidpointRounding.AwayFromZero));
            var last = Math.Min(oldSize, (int)Math.Round(center + reach, MidpointRounding.AwayFromZero));
            var weights = Enumerable.Range(first, last - first).Select(old => Math.Max(0, 1 - Math.Abs((old + 0.5 - center) / reach))).ToArray();
            var sum = weights.Sum();
            return (first, weights.Select(weight => weight / sum).ToArray());
        }).ToArray();
    }
}
