using Microsoft.ML.Data;
using MLExtensions.Loading;

namespace MLExtensions;

/// <summary>Loads image files as the loaders of this library do.</summary>
public static class ImageFile
{
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
        return ImageDecoder.Decode(path, upright);
    }
}
