using Microsoft.ML.Data;

namespace MLExtensions.Tests.Loading;

/// <summary>Small images made by the tests.</summary>
internal static class TestImages
{
    /// <summary>An image of one color.</summary>
    public static MLImage Solid(int width, int height, byte red, byte green, byte blue) =>
        Create(width, height, (_, _) => (red, green, blue));

    /// <summary>An opaque image whose pixel at (row, column) is what <paramref name="pixel"/> gives.</summary>
    public static MLImage Create(int width, int height, Func<int, int, (byte Red, byte Green, byte Blue)> pixel, MLPixelFormat format = MLPixelFormat.Bgra32)
    {
        var bytes = new byte[width * height * 4];
        for (var i = 0; i < width * height; i++)
        {
            var (red, green, blue) = pixel(i / width, i % width);
            (bytes[4 * i], bytes[(4 * i) + 2]) = format == MLPixelFormat.Bgra32 ? (blue, red) : (red, blue);
            bytes[(4 * i) + 1] = green;
            bytes[(4 * i) + 3] = 255;
        }
        return MLImage.CreateFromPixels(width, height, format, bytes);
    }
}
