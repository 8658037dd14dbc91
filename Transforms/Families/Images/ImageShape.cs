using System.Text.Json.Serialization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>The order of an image's values in a row of features.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PixelLayout>))]
public enum PixelLayout
{
    /// <summary>Channel after channel, each row by row: <c>[channels, height, width]</c>. The default of ML.NET's ExtractPixels.</summary>
    Planar,

    /// <summary>
    /// Pixel after pixel, each with all its channels: <c>[height, width, channels]</c>. The order of ExtractPixels with
    /// <c>interleavePixelColors</c>.
    /// </summary>
    Interleaved,
}

/// <summary>The size of the images in a feature column.</summary>
/// <param name="Channels">The number of channels: 1 for gray, 3 for color.</param>
/// <param name="Height">The number of pixel rows.</param>
/// <param name="Width">The number of pixels in a row.</param>
public sealed record ImageShape(int Channels, int Height, int Width)
{
    /// <summary>The order of the values. Default <see cref="PixelLayout.Planar"/>.</summary>
    public PixelLayout Layout { get; init; }

    /// <summary>The number of values of an image; <see cref="long.MaxValue"/> if it exceeds 64 bits.</summary>
    [JsonIgnore]
    public long Count => long.CreateSaturating((Int128)Channels * Height * Width);

    /// <summary>Returns the shape with its product, such as <c>3 x 32 x 32 = 3072</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Channels} x {Height} x {Width} = {Count}");

    /// <summary>Returns the shape from the type of a column, or the given shape if it fits.</summary>
    /// <exception cref="ArgumentException">
    /// The type of the column does not determine the shape, or the given shape does not fit.
    /// </exception>
    internal static ImageShape Of(DataViewSchema.Column column, ImageShape? given)
    {
        if (column.Type is ImageDataViewType image)
            return OfImage(column.Name, image, given);
        if (column.Type is not VectorDataViewType { Size: > 0 } vector || vector.ItemType != NumberDataViewType.Single)
            throw new ArgumentException($"Feature column '{column.Name}' has type {column.Type}; it must be an image (MLImage) of known size, or a Vector<Single> of known size.{ColumnAdvice.ForFeatures(column.Name, column.Type)}");
        if (given == null)
            return OfDimensions(column.Name, vector);
        if (given.Count != vector.Size)
            throw new ArgumentException(FormattableString.Invariant($"ImageShape {given} does not fit feature column '{column.Name}', which has {vector.Size} values ({vector})."));
        return given;
    }

    /// <summary>Whether a column that has as many values has them channel after channel, as far as its type tells.</summary>
    internal bool HasSidesOf(DataViewType type) => type switch
    {
        ImageDataViewType image => (image.Height, image.Width) == (Height, Width),
        VectorDataViewType { Dimensions: [var height, var width, 1] } when Channels == 1 => (height, width) == (Height, Width),
        VectorDataViewType { Dimensions: [.., var height, var width] } => (height, width) == (Height, Width),
        _ => true,
    };

    private static ImageShape OfImage(string column, ImageDataViewType type, ImageShape? given)
    {
        if (type.Height == 0 || type.Width == 0)
            throw new ArgumentException($"Feature column '{column}' holds images of different sizes; a network needs a fixed size. Add ResizeImages before this estimator.");
        var shape = new ImageShape(given?.Channels ?? 3, type.Height, type.Width);
        if (given != null && (given != shape || given.Channels is not (1 or 3)))
            throw new ArgumentException(FormattableString.Invariant($"ImageShape {given} ({given.Layout}) does not fit feature column '{column}', an image of {type.Height} x {type.Width}: the channels must be 3 (red, green, blue) or 1 (gray), and the layout planar."));
        return shape;
    }

    private static ImageShape OfDimensions(string column, VectorDataViewType vector)
    {
        if (vector.Dimensions is [var height, var width])
            return new ImageShape(1, height, width);
        if (vector.Dimensions is not [var first, var middle, var last])
            throw new ArgumentException(FormattableString.Invariant($"Feature column '{column}' is {vector}, which does not determine channels, height and width of the images; set ImageShape so that their product is {vector.Size}."));
        var (planar, interleaved) = (IsChannels(first), IsChannels(last));
        if (planar == interleaved)
            throw new ArgumentException(FormattableString.Invariant($"Feature column '{column}' is {vector}: {first} x {middle} x {last} = {vector.Size} may be channels x height x width or height x width x channels; set ImageShape to decide."));
        return planar
            ? new ImageShape(first, middle, last)
            : new ImageShape(last, first, middle) { Layout = PixelLayout.Interleaved };
    }

    private static bool IsChannels(int size) => size is 1 or 3 or 4;

    internal void Check(string name)
    {
        if (Channels < 1 || Height < 1 || Width < 1 || Count > int.MaxValue)
            throw new FormatException(FormattableString.Invariant($"{name} is {this}; channels, height and width must be at least 1 and their product at most {int.MaxValue}."));
        if (!Enum.IsDefined(Layout))
            throw new FormatException($"{name}.layout is {Layout}, which is not a valid layout.");
    }
}
