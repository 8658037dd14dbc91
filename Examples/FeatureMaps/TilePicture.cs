using SkiaSharp;

namespace MLExtensions.Examples.FeatureMaps;

/// <summary>Many small images in one picture, row by row.</summary>
internal static class TilePicture
{
    private const int Gap = 2;
    private const int WantedTile = 64;
    private static readonly SKColor Background = new(32, 32, 64);

    /// <summary>Draws images of one size; small ones larger, without smoothing.</summary>
    /// <param name="count">How many images there are.</param>
    /// <param name="width">The width of each.</param>
    /// <param name="height">The height of each.</param>
    /// <param name="color">The colour of an image's pixel: image, row, column.</param>
    /// <param name="path">The PNG file.</param>
    public static void Save(int count, int width, int height, Func<int, int, int, SKColor> color, string path)
    {
        var columns = (int)Math.Ceiling(Math.Sqrt(count));
        var rows = (count + columns - 1) / columns;
        var zoom = Math.Max(1, WantedTile / Math.Max(width, height));
        var (stepX, stepY) = ((width * zoom) + Gap, (height * zoom) + Gap);
        using var bitmap = new SKBitmap((columns * stepX) + Gap, (rows * stepY) + Gap);
        bitmap.Erase(Background);
        for (var tile = 0; tile < count; tile++)
        {
            var (left, top) = (Gap + (tile % columns * stepX), Gap + (tile / columns * stepY));
            for (var y = 0; y < height * zoom; y++)
            {
                for (var x = 0; x < width * zoom; x++)
                    bitmap.SetPixel(left + x, top + y, color(tile, y / zoom, x / zoom));
            }
        }
        using var file = File.Create(path);
        bitmap.Encode(file, SKEncodedImageFormat.Png, quality: 100);
    }

    /// <summary>From black at <paramref name="least"/> to white at <paramref name="most"/>.</summary>
    public static byte Brightness(float value, float least, float most) =>
        most > least ? (byte)Math.Round(255 * (value - least) / (most - least)) : (byte)0;
}
