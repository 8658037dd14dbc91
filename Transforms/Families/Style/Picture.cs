using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>A picture of any size: its colors and, apart from them, its transparency.</summary>
/// <param name="height">The number of pixel rows.</param>
/// <param name="width">The number of pixels in a row.</param>
/// <param name="colors">Planar red, green and blue from 0 to 255.</param>
/// <param name="alpha">The opacity of each pixel; null if all are opaque.</param>
internal sealed class Picture(int height, int width, float[] colors, byte[]? alpha)
{
    private const int BytesPerPixel = 4;
    private const int AlphaByte = 3;

    public int Height => height;

    public int Width => width;

    /// <summary>The colors as <c>[1, 3, height, width]</c>; transparent pixels lie on white.</summary>
    public Tensor ToTensor() => tensor(colors, [1, ImageReader.ColorChannels, height, width], ScalarType.Float32, CPU);

    /// <summary>Reads an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="column">Its column, for messages.</param>
    /// <param name="position">The position of its row, for messages.</param>
    public static Picture Of(MLImage image, string column, long position)
    {
        var count = image.Height * image.Width;
        var colors = new float[ImageReader.ColorChannels * count];
        ImageReader.Copy(image, colors, column, position);
        return new Picture(image.Height, image.Width, colors, OnWhite(image, colors));
    }

    /// <summary>Returns new colors with the transparency of this picture as an image.</summary>
    /// <param name="values"><c>[1, 3, height, width]</c> from 0 to 255, rounded and cut off there.</param>
    public MLImage WithColors(Tensor values) => ToImage(values, alpha);

    private static MLImage ToImage(Tensor values, byte[]? opacity)
    {
        var (rows, columns) = ((int)values.shape[2], (int)values.shape[3]);
        using var scope = NewDisposeScope();
        var planes = TensorMemory.Floats(values.detach().contiguous());
        var count = rows * columns;
        var pixels = new byte[count * BytesPerPixel];
        for (var i = 0; i < count; i++)
        {
            var opaque = opacity?[i] ?? byte.MaxValue;
            for (var channel = 0; channel < ImageReader.ColorChannels; channel++)
                pixels[(i * BytesPerPixel) + channel] = (byte)Math.Clamp(MathF.Round(planes[(channel * count) + i]) - (byte.MaxValue - opaque), 0, opaque);
            pixels[(i * BytesPerPixel) + AlphaByte] = opaque;
        }
        return MLImage.CreateFromPixels(columns, rows, MLPixelFormat.Rgba32, pixels);
    }

    /// <summary>
    /// Lays transparent pixels on white and returns their opacity. Their colors are multiplied by the opacity already, as in every
    /// <see cref="MLImage"/>, so that what is missing to 255 is white.
    /// </summary>
    public static byte[]? OnWhite(MLImage image, Span<float> colors)
    {
        var pixels = image.Pixels;
        var opacity = new byte[image.Height * image.Width];
        var isTransparent = false;
        for (var i = 0; i < opacity.Length; i++)
        {
            opacity[i] = pixels[(i * BytesPerPixel) + AlphaByte];
            if (opacity[i] == byte.MaxValue)
                continue;
            isTransparent = true;
            for (var channel = 0; channel < ImageReader.ColorChannels; channel++)
            {
                ref var value = ref colors[(channel * opacity.Length) + i];
                value = Math.Min(value, opacity[i]) + byte.MaxValue - opacity[i];
            }
        }
        return isTransparent ? opacity : null;
    }
}

/// <summary>Reads the pictures of an image column, each of its own size.</summary>
internal sealed class PictureReader(DataViewRow row, DataViewSchema.Column column)
{
    private readonly ImageGetter _getter = ImageGetter.Of(row, column);

    /// <exception cref="FormatException">The picture is missing; the message names column and row.</exception>
    public Picture Read() => Picture.Of(ReadImage(), column.Name, row.Position);

    /// <summary>Reads the picture as it is. It may belong to the source: it must not be changed or disposed.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public MLImage ReadImage() =>
        _getter.Read() ?? throw new FormatException(FormattableString.Invariant($"Image column '{column.Name}', {RowName.Of(row.Position)}: the image is missing."));

    /// <summary>Finds an image column.</summary>
    /// <exception cref="ArgumentException">It is missing or has another type.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        var column = FeatureRows.Find(schema, name);
        return column.Type is ImageDataViewType ? column : throw NoImage(name, column.Type.ToString()!);
    }

    /// <summary>Checks that a schema has an image column.</summary>
    /// <exception cref="ArgumentException">It is missing or has another type.</exception>
    public static void Check(SchemaShape schema, string name)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw FeatureRows.Missing(name, schema.Select(other => other.Name));
        if (column.ItemType is not ImageDataViewType)
            throw NoImage(name, column.GetTypeString());
    }

    private static ArgumentException NoImage(string name, string type) =>
        new($"Column '{name}' has type {type}; it must be an image (MLImage), as LoadImages and ConvertToImage make it.", "schema");
}

/// <summary>A finished picture in red, green, blue and opacity, of which a getter gives copies: what it gives belongs to the caller.</summary>
internal sealed record FinishedPicture(byte[] Pixels, int Height, int Width)
{
    public static FinishedPicture Of(MLImage image)
    {
        var pixels = image.Pixels.ToArray();
        if (image.PixelFormat == MLPixelFormat.Bgra32)
        {
            for (var i = 0; i + 2 < pixels.Length; i += 4)
                (pixels[i], pixels[i + 2]) = (pixels[i + 2], pixels[i]);
        }
        return new FinishedPicture(pixels, image.Height, image.Width);
    }

    /// <summary>The getter of a column of pictures that take long to compute.</summary>
    public static ValueGetter<MLImage> Getter(OncePerRow<FinishedPicture> picture) => Getter(() => picture.Value);

    /// <inheritdoc cref="Getter(OncePerRow{FinishedPicture})"/>
    public static ValueGetter<MLImage> Getter(Func<FinishedPicture> picture) => (ref MLImage destination) =>
    {
        var finished = picture();
        destination?.Dispose();
        destination = MLImage.CreateFromPixels(finished.Width, finished.Height, MLPixelFormat.Rgba32, finished.Pixels);
    };
}
