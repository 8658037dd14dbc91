using Microsoft.ML.Data;
using SkiaSharp;

namespace MLExtensions.Loading;

/// <summary>Decodes image files. Unlike ML.NET's loader, it rejects truncated files, which would be partly gray.</summary>
internal static class ImageDecoder
{
    private const int BytesPerPixel = 4;

    /// <summary>Decodes the image of a file, tagged with its path.</summary>
    /// <exception cref="FormatException">The file is not a valid image or is damaged; the message names it.</exception>
    public static MLImage Decode(string path)
    {
        var image = TryDecode(path, out var problem) ?? throw new FormatException($"'{path}': {problem}.");
        image.Tag = path;
        return image;
    }

    /// <returns>Null if the file is not a valid image or is damaged.</returns>
    public static MLImage? TryDecode(string path, out string problem)
    {
        var bytes = File.ReadAllBytes(path);
        problem = bytes.Length == 0 ? "it is empty" : "it is not a valid image (jpg, png, bmp, gif or webp)";
        using var data = bytes.Length == 0 ? null : SKData.CreateCopy(bytes);
        using var codec = data == null ? null : SKCodec.Create(data);
        if (codec == null)
            return null;
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Bgra8888, SKAlphaType.Premul);
        if (info.BytesSize64 > Array.MaxLength)
        {
            problem = $"an image of {info.Width} x {info.Height} pixels is too large";
            return null;
        }
        return Decode(codec, info, bytes.Length, out problem);
    }

    private static MLImage? Decode(SKCodec codec, SKImageInfo info, int fileSize, out string problem)
    {
        using var bitmap = new SKBitmap();
        if (!bitmap.TryAllocPixels(info))
        {
            problem = $"there is not enough memory for its {info.Width} x {info.Height} pixels";
            return null;
        }
        var result = codec.GetPixels(info, bitmap.GetPixels());
        problem = result == SKCodecResult.IncompleteInput
            ? $"the image of {info.Width} x {info.Height} pixels is truncated after {fileSize} bytes"
            : $"the image of {info.Width} x {info.Height} pixels is damaged ({result})";
        return result == SKCodecResult.Success
            ? MLImage.CreateFromPixels(info.Width, info.Height, MLPixelFormat.Bgra32, bitmap.GetPixelSpan()[..(info.Width * info.Height * BytesPerPixel)])
            : null;
    }
}
