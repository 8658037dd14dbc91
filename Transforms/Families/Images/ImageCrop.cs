using System.Drawing;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Families.Style;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using SkiaSharp;

namespace MLExtensions.Families.Images;

/// <summary>How images are cropped.</summary>
/// <param name="OutputColumnName">The column to add.</param>
/// <param name="InputColumnName">The column of the images.</param>
/// <param name="BoxColumnName">The column of the boxes.</param>
/// <param name="Unit">What the numbers of a box are.</param>
/// <param name="Margin">What is added on each side, in widths and heights of the box.</param>
/// <param name="Border">What becomes of a part outside of the image.</param>
/// <param name="OutputHeight">The height of the result; null for that of the box.</param>
/// <param name="OutputWidth">The width of the result; null for that of the box.</param>
internal sealed record BoxSettings(string OutputColumnName, string InputColumnName, string BoxColumnName, BoxUnit Unit, double Margin, BoxBorder Border, int? OutputHeight, int? OutputWidth)
{
    /// <summary>Left, top, width and height.</summary>
    public const int Values = 4;

    public const int LargestSide = 1 << 14;

    public ImageDataViewType CreateOutputType() => OutputHeight is { } height && OutputWidth is { } width ? new ImageDataViewType(height, width) : new ImageDataViewType();

    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public static void CheckColumns(SchemaShape schema, string image, string box)
    {
        PictureReader.Check(schema, image);
        if (!schema.TryFindColumn(box, out var column))
            throw FeatureRows.Missing(box, schema.Select(other => other.Name));
        if (column.ItemType != NumberDataViewType.Single || column.Kind != SchemaShape.Column.VectorKind.Vector || column.IsKey)
            throw new ArgumentException(FormattableString.Invariant($"Box column '{box}' has type {column.GetTypeString()}; it must be Vector<Single> with {Values} values: left, top, width, height.{ColumnAdvice.ForFeatures(column)}"), nameof(schema));
    }

    /// <exception cref="FormatException">Something is out of range.</exception>
    public void Check()
    {
        if (string.IsNullOrEmpty(OutputColumnName) || string.IsNullOrEmpty(InputColumnName) || string.IsNullOrEmpty(BoxColumnName) || !Enum.IsDefined(Unit) || !Enum.IsDefined(Border) || Margin is not (>= 0 and <= 10)
            || OutputHeight is < 1 or > LargestSide || OutputWidth is < 1 or > LargestSide || (OutputHeight == null) != (OutputWidth == null))
            throw new FormatException("something is missing or out of range.");
    }
}

/// <summary>Cuts a box out of an image.</summary>
internal static class ImageCrop
{
    private const int BytesPerPixel = 4;

    // Filling needs memory for what is not there.
    private const int MostImageSides = 10;

    /// <summary>Where a box lies in an image, in whole pixels.</summary>
    /// <returns>Why it cannot be used; null if it can.</returns>
    public static string? Place(BoxSettings settings, ReadOnlySpan<float> box, int imageWidth, int imageHeight, out Rectangle place)
    {
        place = default;
        foreach (var value in box)
        {
            if (!float.IsFinite(value))
                return "has a value that is not finite.";
        }
        var (scaleX, scaleY) = settings.Unit == BoxUnit.Pixels ? (1, 1) : (imageWidth, imageHeight);
        double left = box[0] * (double)scaleX, top = box[1] * (double)scaleY, width = box[2] * (double)scaleX, height = box[3] * (double)scaleY;
        if (width <= 0 || height <= 0)
            return "has no area; width and height must be positive.";
        if (left >= imageWidth || top >= imageHeight || left + width <= 0 || top + height <= 0)
            return FormattableString.Invariant($"lies outside of the image, which has {imageWidth} x {imageHeight} pixels (width x height).");
        (left, top, width, height) = (left - (settings.Margin * width), top - (settings.Margin * height), width * (1 + (2 * settings.Margin)), height * (1 + (2 * settings.Margin)));
        double right = left + width, bottom = top + height;
        if (settings.Border == BoxBorder.Clip)
            (left, top, right, bottom) = (Math.Max(0, left), Math.Max(0, top), Math.Min(imageWidth, right), Math.Min(imageHeight, bottom));
        else if (width > MostImageSides * (double)imageWidth || height > MostImageSides * (double)imageHeight)
            return FormattableString.Invariant($"is, with its margin, more than {MostImageSides} times as large as the image, which has {imageWidth} x {imageHeight} pixels (width x height); with BoxBorder.Clip it would be cut off.");
        int x = Nearest(left), y = Nearest(top);
        place = new Rectangle(x, y, Nearest(right) - x, Nearest(bottom) - y);
        return place.Width < 1 || place.Height < 1 ? "has less than half a pixel of the image." : null;
    }

    /// <summary>Cuts a place out of an image. What is outside of the image is black.</summary>
    public static FinishedPicture Cut(MLImage image, Rectangle place, int? outputHeight, int? outputWidth)
    {
        var pixels = new byte[checked(place.Width * place.Height * BytesPerPixel)];
        var inside = Rectangle.Intersect(place, new Rectangle(0, 0, image.Width, image.Height));
        if (inside != place)
        {
            for (var alpha = BytesPerPixel - 1; alpha < pixels.Length; alpha += BytesPerPixel)
                pixels[alpha] = byte.MaxValue;
        }
        for (var row = inside.Top; row < inside.Bottom; row++)
        {
            var from = image.Pixels.Slice(((row * image.Width) + inside.Left) * BytesPerPixel, inside.Width * BytesPerPixel);
            from.CopyTo(pixels.AsSpan((((row - place.Top) * place.Width) + inside.Left - place.Left) * BytesPerPixel));
        }
        var (height, width) = (outputHeight ?? place.Height, outputWidth ?? place.Width);
        if ((height, width) != (place.Height, place.Width))
            pixels = Resize(pixels, place.Width, place.Height, width, height);
        if (image.PixelFormat == MLPixelFormat.Bgra32)
        {
            for (var i = 0; i < pixels.Length; i += BytesPerPixel)
                (pixels[i], pixels[i + 2]) = (pixels[i + 2], pixels[i]);
        }
        return new FinishedPicture(pixels, height, width);
    }

    /// <summary>Halves always go up, so that boxes of the same size stay so wherever they are.</summary>
    private static int Nearest(double position) => (int)Math.Floor(position + 0.5);

    /// <summary>Smaller pictures are means of the pixels, by mipmaps; larger ones are interpolated.</summary>
    private static unsafe byte[] Resize(byte[] pixels, int width, int height, int newWidth, int newHeight)
    {
        var resized = new byte[newWidth * newHeight * BytesPerPixel];
        fixed (byte* from = pixels, to = resized)
        {
            using var source = new SKPixmap(new SKImageInfo(width, height, SKColorType.Bgra8888, SKAlphaType.Premul), (nint)from);
            using var target = new SKPixmap(new SKImageInfo(newWidth, newHeight, SKColorType.Bgra8888, SKAlphaType.Premul), (nint)to);
            if (!source.ScalePixels(target, new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear)))
                throw new InvalidOperationException(FormattableString.Invariant($"An image of {width} x {height} pixels could not be resized to {newWidth} x {newHeight}."));
        }
        return resized;
    }
}
