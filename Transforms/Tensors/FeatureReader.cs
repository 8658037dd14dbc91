using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML;
using MLExtensions.Messages;

namespace MLExtensions.Tensors;

/// <summary>Copies the feature column of a row (a dense or sparse vector, a scalar or an image) into a dense span.</summary>
internal sealed class FeatureReader : IFeatureReader
{
    private readonly DataViewRow _row;
    private readonly string _column;
    private readonly ValueGetter<VBuffer<float>>? _vector;
    private readonly ValueGetter<float>? _scalar;
    private readonly ImageReader? _image;
    private VBuffer<float> _buffer;

    public FeatureReader(DataViewRow row, DataViewSchema.Column column, int width)
    {
        _row = row;
        _column = column.Name;
        Width = width;
        if (column.Type is ImageDataViewType)
            _image = new ImageReader(row, column);
        else if (column.Type is VectorDataViewType)
            _vector = row.GetGetter<VBuffer<float>>(column);
        else
            _scalar = row.GetGetter<float>(column);
    }

    /// <summary>The number of features per row.</summary>
    public int Width { get; }

    /// <summary>The last image read, for an image column.</summary>
    public MLImage? Image => _image?.Image;

    /// <summary>
    /// The width of a feature column: the size of a <c>Vector&lt;Single&gt;</c>, 1 for a <c>Single</c>, 3 values per pixel for images.
    /// </summary>
    /// <exception cref="ArgumentException">The column has another type, or its size is unknown.</exception>
    public static int WidthOf(DataViewSchema.Column column)
    {
        if (column.Type == NumberDataViewType.Single)
            return 1;
        if (column.Type is ImageDataViewType)
            return ImageReader.ColorChannels * ImageReader.PixelCount(column);
        if (column.Type is VectorDataViewType vector && vector.ItemType == NumberDataViewType.Single)
        {
            return vector.Size > 0
                ? vector.Size
                : throw new ArgumentException($"Feature column '{column.Name}' is a vector of unknown size ({column.Type}); a network needs a known size.{ColumnAdvice.ForFeatures(column.Name, column.Type)}");
        }
        throw new ArgumentException($"Feature column '{column.Name}' has type {column.Type}; it must be Vector<Single> of known size, Single, or an image of known size.{ColumnAdvice.ForFeatures(column.Name, column.Type)}");
    }

    /// <summary>Whether a column can be read as a given number of features. Images can be read as 1 or 3 channels.</summary>
    /// <exception cref="ArgumentException">The column cannot be read as features at all.</exception>
    public static bool Fits(DataViewSchema.Column column, int width) =>
        width == WidthOf(column) || (column.Type is ImageDataViewType && width == ImageReader.PixelCount(column));

    /// <summary>Reads the current row's features.</summary>
    /// <param name="destination">Receives <see cref="Width"/> values.</param>
    /// <exception cref="FormatException">
    /// A value is NaN or infinite, the row has another number of values, or the image is missing or has another size.
    /// </exception>
    public void Read(Span<float> destination)
    {
        if (_image != null)
        {
            _image.Read(destination);
            return;
        }
        if (_scalar != null)
            _scalar(ref destination[0]);
        else
            ReadVector(destination);
        var bad = FiniteCheck.FirstNonFinite(destination);
        if (bad >= 0)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Feature column '{_column}', {RowName.Of(_row.Position)}, slot {bad}: the value is {destination[bad]}; features must be finite. Add ReplaceMissingValues or FilterRowsByMissingValues before this estimator."));
    }

    private void ReadVector(Span<float> destination)
    {
        _vector!(ref _buffer);
        if (_buffer.Length != Width)
            throw new FormatException(FormattableString.Invariant($"Feature column '{_column}', {RowName.Of(_row.Position)}: there are {_buffer.Length} values; there must be {Width}."));
        var values = _buffer.GetValues();
        if (_buffer.IsDense)
        {
            values.CopyTo(destination);
            return;
        }
        destination.Clear();
        var indices = _buffer.GetIndices();
        for (var i = 0; i < indices.Length; i++)
            destination[indices[i]] = values[i];
    }
}

/// <summary>Finds NaN and infinite values at memory speed.</summary>
internal static class FiniteCheck
{
    /// <summary>The position of the first value that is NaN or infinite, or -1.</summary>
    public static int FirstNonFinite(ReadOnlySpan<float> values)
    {
        // x * 0 is 0 for every finite x and NaN for the others, and a sum keeps a NaN.
        var sum = Vector<float>.Zero;
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        foreach (var vector in vectors)
            sum += vector * Vector<float>.Zero;
        var tail = 0f;
        foreach (var value in values[(vectors.Length * Vector<float>.Count)..])
            tail += value * 0f;
        return Vector.Sum(sum) + tail == 0 ? -1 : Find(values);
    }

    private static int Find(ReadOnlySpan<float> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                return i;
        }
        return -1;
    }
}
