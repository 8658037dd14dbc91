using MLExtensions.Persistence;
using MLExtensions.Plotting;
using MLExtensions.Training;
using SkiaSharp;

namespace MLExtensions;

/// <summary>Draws many small images in one picture, row by row.</summary>
public static class TilePicture
{
    private const int Gap = 2;
    private const int WantedTile = 64;
    private static readonly SKColor Background = new(32, 32, 64);

    /// <summary>Saves images of equal size. Small images are enlarged without smoothing.</summary>
    /// <param name="path">The .png file. It is written completely or not at all, and its folder is created if necessary.</param>
    /// <param name="count">The number of images, at least 1.</param>
    /// <param name="width">The width of each in pixels, at least 1.</param>
    /// <param name="height">The height of each in pixels, at least 1.</param>
    /// <param name="columns">The number of images per row of the picture, at least 1. Null: about as many as there are rows.</param>
    /// <param name="color">Returns the color of a pixel from image, row and column, each counted from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small, or the picture would be too large.</exception>
    public static void SavePng(string path, int count, int width, int height, int? columns, Func<int, int, int, (byte Red, byte Green, byte Blue)> color)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var (png, _, _) = Encode(count, width, height, columns, color);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    /// <summary>Draws images of equal size as a PNG.</summary>
    /// <inheritdoc cref="SavePng(string, int, int, int, int?, Func{int, int, int, ValueTuple{byte, byte, byte}})"/>
    internal static (byte[] Png, int Width, int Height) Encode(int count, int width, int height, int? columns, Func<int, int, int, (byte Red, byte Green, byte Blue)> color)
    {
        ArgumentNullException.ThrowIfNull(color);
        OptionCheck.AtLeast(count, 1, nameof(count));
        OptionCheck.AtLeast(width, 1, nameof(width));
        OptionCheck.AtLeast(height, 1, nameof(height));
        OptionCheck.AtLeast(columns ?? 1, 1, nameof(columns));
        var across = columns ?? (int)Math.Ceiling(Math.Sqrt(count));
        var down = (count + across - 1) / across;
        var zoom = Math.Max(1, WantedTile / Math.Max(width, height));
        var (stepX, stepY) = (((long)width * zoom) + Gap, ((long)height * zoom) + Gap);
        var (pictureWidth, pictureHeight) = ((across * stepX) + Gap, (down * stepY) + Gap);
        if (Math.Max(pictureWidth, pictureHeight) > Picture.LargestSide)
            throw new ArgumentOutOfRangeException(nameof(count), count, FormattableString.Invariant($"{across} x {down} images of {width} x {height} pixels make a picture of {pictureWidth} x {pictureHeight} pixels; a side must have at most {Picture.LargestSide}."));

        using var bitmap = new SKBitmap((int)pictureWidth, (int)pictureHeight);
        bitmap.Erase(Background);
        using (var canvas = new SKCanvas(bitmap))
        using (var paint = new SKPaint())
        {
            for (var tile = 0; tile < count; tile++)
                DrawTile(canvas, paint, tile, Gap + (tile % across * stepX), Gap + (tile / across * stepY));
        }
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return (encoded.ToArray(), (int)pictureWidth, (int)pictureHeight);

        void DrawTile(SKCanvas canvas, SKPaint paint, int tile, long left, long top)
        {
            for (var row = 0; row < height; row++)
            {
                for (var column = 0; column < width; column++)
                {
                    var (red, green, blue) = color(tile, row, column);
                    paint.Color = new SKColor(red, green, blue);
                    canvas.DrawRect(left + (column * zoom), top + (row * zoom), zoom, zoom, paint);
                }
            }
        }
    }

    /// <summary>Saves images of one channel, from black at 0 to white at 1. Values outside [0, 1] are clamped.</summary>
    /// <param name="images">The images, each with its values row by row.</param>
    /// <exception cref="ArgumentException">An image has too few or too many values.</exception>
    /// <inheritdoc cref="SavePng(string, int, int, int, int?, Func{int, int, int, ValueTuple{byte, byte, byte}})"/>
    public static void SavePng(string path, IReadOnlyList<float[]> images, int width, int height, int? columns)
    {
        ArgumentNullException.ThrowIfNull(images);
        for (var i = 0; i < images.Count; i++)
        {
            if (images[i] == null || images[i].Length != (long)width * height)
                throw new ArgumentException(FormattableString.Invariant($"Image {i} has {images[i]?.Length ?? 0} values; {width} x {height} pixels need {(long)width * height}."), nameof(images));
        }
        SavePng(path, images.Count, width, height, columns, (image, row, column) => Gray(images[image][(row * width) + column]));
    }

    /// <param name="brightness">The brightness from 0 (black) to 1 (white).</param>
    internal static (byte Red, byte Green, byte Blue) Gray(float brightness)
    {
        // NaN becomes black.
        var level = (byte)MathF.Round(255 * (brightness > 0 ? Math.Min(1, brightness) : 0));
        return (level, level, level);
    }
}
