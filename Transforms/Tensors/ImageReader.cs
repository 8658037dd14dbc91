using MLExtensions.Messages;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Tensors;

/// <summary>
/// Reads the images of a column without ever returning one to its source. By ML.NET's convention the caller passes the previous image back
/// to be disposed. ResizeImages passes an image that already has the right size through as it is, so what would be disposed is the image in
/// the memory of the user, who needs it in the next pass. Therefore the collector frees the images that the source has made.
/// </summary>
/// <param name="getter">The getter of the column.</param>
/// <param name="place">Names the column and the current row, for messages.</param>
internal sealed class ImageGetter(ValueGetter<MLImage> getter, Func<string> place)
{
    // The collector does not see the memory of the pixels.
    private const long MaximumPendingBytes = 64 << 20;

    private long _pendingBytes;

    public static ImageGetter Of(DataViewRow row, DataViewSchema.Column column) =>
        new(row.GetGetter<MLImage>(column), () => $"Image column '{column.Name}', {RowName.Of(row.Position)}");

    /// <exception cref="FormatException">The image is disposed; the message names column and row.</exception>
    public MLImage? Read()
    {
        MLImage? image = null;
        getter(ref image!);
        if (image == null)
            return null;
        try
        {
            _pendingBytes += image.Pixels.Length;
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException($"{place()}: the image is disposed; images must live as long as rows are read.", e);
        }
        if (_pendingBytes > MaximumPendingBytes)
        {
            _pendingBytes = 0;
            GC.Collect(0);
        }
        return image;
    }
}

/// <summary>
/// Reads a row's image as planar values from 0 to 255: red, green and blue, or their luma (ITU-R BT.601) as a single channel.
/// </summary>
internal sealed class ImageReader
{
    public const int ColorChannels = 3;
    private const int BytesPerPixel = 4;

    private readonly DataViewRow _row;
    private readonly string _column;
    private readonly ImageDataViewType _type;
    private readonly ImageGetter _getter;
    private MLImage? _image;

    public ImageReader(DataViewRow row, DataViewSchema.Column column)
    {
        _row = row;
        _column = column.Name;
        _type = (ImageDataViewType)column.Type;
        _getter = ImageGetter.Of(row, column);
    }

    /// <summary>The last image read. It may belong to the source: it must not be changed or disposed.</summary>
    public MLImage? Image => _image;

    /// <summary>Returns the number of pixels of the images of a column.</summary>
    /// <exception cref="ArgumentException">The size of the images is unknown.</exception>
    public static int PixelCount(DataViewSchema.Column column)
    {
        var type = (ImageDataViewType)column.Type;
        return type.Height > 0 && type.Width > 0
            ? type.Height * type.Width
            : throw new ArgumentException($"Feature column '{column.Name}' has images of unknown size; a network needs a fixed size. Add ResizeImages before this estimator.");
    }

    /// <param name="destination">Receives one or three values per pixel.</param>
    /// <exception cref="FormatException">The image is missing, or its size differs from the column type.</exception>
    public void Read(Span<float> destination)
    {
        _image = _getter.Read();
        if (_image == null)
            throw new FormatException(FormattableString.Invariant($"Feature column '{_column}', {RowName.Of(_row.Position)}: the image is missing."));
        if (_image.Height != _type.Height || _image.Width != _type.Width)
            throw new FormatException(FormattableString.Invariant($"Feature column '{_column}', {RowName.Of(_row.Position)}: the image has {_image.Height} x {_image.Width} pixels (height x width); it must have {_type.Height} x {_type.Width}. Add ResizeImages."));
        Copy(_image, destination, _column, _row.Position);
    }

    /// <summary>Copies the pixels of an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="destination">Receives one or three values per pixel.</param>
    /// <param name="column">The column of the image, for messages.</param>
    /// <param name="position">The position of its row, for messages.</param>
    /// <exception cref="FormatException">The pixel format is not known.</exception>
    public static void Copy(MLImage image, Span<float> destination, string column, long position)
    {
        var pixelCount = image.Height * image.Width;
        var pixels = image.Pixels[..(pixelCount * BytesPerPixel)];
        var (red, blue) = image.PixelFormat switch
        {
            MLPixelFormat.Bgra32 => (2, 0),
            MLPixelFormat.Rgba32 => (0, 2),
            var format => throw new FormatException(FormattableString.Invariant($"Feature column '{column}', {RowName.Of(position)}: the image has the pixel format {format}; it must be Bgra32 or Rgba32.")),
        };
        if (destination.Length == pixelCount)
            ReadLuma(pixels, red, blue, destination);
        else
            ReadColors(pixels, red, blue, destination);
    }

    private static void ReadColors(ReadOnlySpan<byte> pixels, int red, int blue, Span<float> destination)
    {
        var size = destination.Length / ColorChannels;
        var reds = destination[..size];
        var greens = destination.Slice(size, size);
        var blues = destination.Slice(2 * size, size);
        for (var i = 0; i < size; i++)
        {
            var pixel = pixels.Slice(i * BytesPerPixel, BytesPerPixel);
            reds[i] = pixel[red];
            greens[i] = pixel[1];
            blues[i] = pixel[blue];
        }
    }

    private static void ReadLuma(ReadOnlySpan<byte> pixels, int red, int blue, Span<float> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            var pixel = pixels.Slice(i * BytesPerPixel, BytesPerPixel);
            // Integer arithmetic up to the division keeps gray values exact.
            destination[i] = ((299 * pixel[red]) + (587 * pixel[1]) + (114 * pixel[blue])) / 1000f;
        }
    }
}
