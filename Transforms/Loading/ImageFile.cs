using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using SkiaSharp;

namespace MLExtensions;

/// <summary>
/// Loads image files as the loaders of this library do. Unlike ML.NET's loader, they reject truncated files, which would be partly gray, and
/// turn photos upright.
/// </summary>
public static class ImageFile
{
    /// <summary>The endings of the files that can be decoded.</summary>
    internal static readonly string[] Extensions = [".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".png", ".bmp", ".dib", ".gif", ".webp"];

    /// <summary>
    /// Loads an image. Photos are turned upright: cameras store them as the sensor was held and note the orientation (EXIF), which
    /// <see cref="MLImage.CreateFromFile"/> and ML.NET's <c>LoadImages</c> ignore. Truncated files are refused.
    /// </summary>
    /// <param name="path">The file: jpg, png, bmp, gif or webp.</param>
    /// <param name="upright">Whether to turn the image as its EXIF orientation says. Default true.</param>
    /// <returns>The image, with the path as its <see cref="MLImage.Tag"/>. The caller disposes it.</returns>
    /// <exception cref="FormatException">The file is not a valid image, is damaged or cannot be read; the message names it.</exception>
    public static MLImage Load(string path, bool upright = true)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return Decode(path, upright);
    }

    /// <summary>Decodes the image of a file, tagged with its path.</summary>
    /// <param name="path">The file.</param>
    /// <param name="upright">Whether to turn the image as its EXIF orientation says.</param>
    /// <exception cref="FormatException">The file is not a valid image or is damaged; the message names it.</exception>
    internal static MLImage Decode(string path, bool upright)
    {
        var image = TryDecode(path, upright, out var problem) ?? throw new FormatException($"'{path}': {problem}.");
        image.Tag = path;
        return image;
    }

    /// <returns>Null if the file is not a valid image or is damaged.</returns>
    internal static MLImage? TryDecode(string path, bool upright, out string problem)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"it cannot be read ({e.Message.TrimEnd('.')})";
            return null;
        }
        return TryDecode(bytes, upright, out problem);
    }

    /// <summary>Decodes an image.</summary>
    /// <param name="bytes">The content of an image file.</param>
    /// <param name="upright">Whether it is turned upright, as <see cref="Load"/> says.</param>
    /// <param name="problem">What is wrong if there is no image.</param>
    /// <param name="maximumPixels">The most pixels: a small file can be a picture that takes all memory. Default: as many as an array of bytes can hold.</param>
    internal static MLImage? TryDecode(byte[] bytes, bool upright, out string problem, long maximumPixels = 0x7FFFFFC7 / 4)
    {
        problem = bytes.Length == 0 ? "it is empty" : "it is not a valid image (jpg, png, bmp, gif or webp)";
        using var data = bytes.Length == 0 ? null : SKData.CreateCopy(bytes);
        using var codec = data == null ? null : SKCodec.Create(data);
        if (codec == null)
            return null;
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Bgra8888, SKAlphaType.Premul);
        if (info.BytesSize64 / 4 > maximumPixels)
        {
            problem = FormattableString.Invariant($"an image of {info.Width} x {info.Height} pixels is too large");
            return null;
        }
        return Decode(codec, info, bytes.Length, upright ? codec.EncodedOrigin : SKEncodedOrigin.Default, out problem);
    }

    /// <summary>Returns an image as the content of a png file.</summary>
    internal static byte[] EncodePng(MLImage image)
    {
        var colors = image.PixelFormat == MLPixelFormat.Rgba32 ? SKColorType.Rgba8888 : SKColorType.Bgra8888;
        using var copy = SKImage.FromPixelCopy(new SKImageInfo(image.Width, image.Height, colors, SKAlphaType.Premul), image.Pixels);
        using var data = copy.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private static MLImage? Decode(SKCodec codec, SKImageInfo info, int fileSize, SKEncodedOrigin origin, out string problem)
    {
        using var bitmap = new SKBitmap();
        if (!bitmap.TryAllocPixels(info))
        {
            problem = FormattableString.Invariant($"there is not enough memory for its {info.Width} x {info.Height} pixels");
            return null;
        }
        var result = codec.GetPixels(info, bitmap.GetPixels());
        problem = result == SKCodecResult.IncompleteInput
            ? FormattableString.Invariant($"the image of {info.Width} x {info.Height} pixels is truncated after {fileSize} bytes")
            : FormattableString.Invariant($"the image of {info.Width} x {info.Height} pixels is damaged ({result})");
        return result == SKCodecResult.Success ? Create(MemoryMarshal.Cast<byte, int>(bitmap.GetPixelSpan()), info.Width, info.Height, origin) : null;
    }

    private static MLImage Create(ReadOnlySpan<int> pixels, int width, int height, SKEncodedOrigin origin)
    {
        pixels = pixels[..(width * height)];
        if (origin == SKEncodedOrigin.TopLeft)
            return MLImage.CreateFromPixels(width, height, MLPixelFormat.Bgra32, MemoryMarshal.AsBytes(pixels));
        // From the fifth on, the rows of the file are columns of the picture.
        var isTransposed = origin >= SKEncodedOrigin.LeftTop;
        var (newWidth, newHeight) = isTransposed ? (height, width) : (width, height);
        var fromRight = origin is SKEncodedOrigin.TopRight or SKEncodedOrigin.BottomRight or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        var fromBottom = origin is SKEncodedOrigin.BottomRight or SKEncodedOrigin.BottomLeft or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom;
        var turned = new int[pixels.Length];
        for (var row = 0; row < newHeight; row++)
        {
            for (var column = 0; column < newWidth; column++)
            {
                var (x, y) = isTransposed ? (row, column) : (column, row);
                x = fromRight ? width - 1 - x : x;
                y = fromBottom ? height - 1 - y : y;
                turned[(row * newWidth) + column] = pixels[(y * width) + x];
            }
        }
        return MLImage.CreateFromPixels(newWidth, newHeight, MLPixelFormat.Bgra32, MemoryMarshal.AsBytes<int>(turned));
    }
}
