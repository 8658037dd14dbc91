using Microsoft.ML.Data;
using SkiaSharp;

namespace MLExtensions.Examples.Infrastructure;

/// <summary>Reads a picture and brings it to a size.</summary>
internal static class PictureFile
{
    private const int BytesPerPixel = 4;

    /// <summary>Reads a picture of any size. Photos are turned upright, as the library's loaders do it.</summary>
    /// <exception cref="UsageException">There is no such file.</exception>
    /// <exception cref="FormatException">It is not a picture.</exception>
    public static SKBitmap Read(string path)
    {
        if (!File.Exists(path))
            throw new UsageException($"There is no picture '{path}'.");
        using var image = ImageFile.Load(path);
        var bitmap = new SKBitmap(image.Width, image.Height, SKColorType.Bgra8888, SKAlphaType.Premul);
        image.Pixels[..(image.Width * image.Height * BytesPerPixel)].CopyTo(bitmap.GetPixelSpan());
        return bitmap;
    }

    /// <summary>The whole picture at a new size. Its proportions may change.</summary>
    public static MLImage Resize(SKBitmap picture, int width, int height)
    {
        var pixels = AntialiasedResizing.Resize(picture, width, height);
        return MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, pixels);
    }

    /// <summary>The pixels channel after channel, 0 to 255: red, green and blue, or their mean as the one channel.</summary>
    public static float[] PlanarPixels(MLImage picture, int channels)
    {
        var size = picture.Width * picture.Height;
        var values = new float[channels * size];
        for (var i = 0; i < size; i++)
        {
            var pixel = picture.Pixels.Slice(i * BytesPerPixel, BytesPerPixel);
            if (channels == 1)
                values[i] = (pixel[0] + pixel[1] + pixel[2]) / 3f;
            else
                (values[i], values[size + i], values[(2 * size) + i]) = (pixel[0], pixel[1], pixel[2]);
        }
        return values;
    }

    /// <summary>The square in the middle of the picture, once its shorter side has that many pixels.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="shorterSide">The shorter side of the whole picture.</param>
    /// <param name="side">The side of the square.</param>
    public static MLImage ResizeAndCrop(SKBitmap picture, int shorterSide, int side)
    {
        var scale = (double)shorterSide / Math.Min(picture.Width, picture.Height);
        var (width, height) = ((int)Math.Round(picture.Width * scale), (int)Math.Round(picture.Height * scale));
        var whole = AntialiasedResizing.Resize(picture, width, height);
        var (left, top) = ((int)Math.Round((width - side) / 2.0), (int)Math.Round((height - side) / 2.0));
        var square = new byte[side * side * BytesPerPixel];
        for (var row = 0; row < side; row++)
            whole.AsSpan((((top + row) * width) + left) * BytesPerPixel, side * BytesPerPixel).CopyTo(square.AsSpan(row * side * BytesPerPixel));
        return MLImage.CreateFromPixels(side, side, MLPixelFormat.Rgba32, square);
    }
}
