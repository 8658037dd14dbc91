using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Tensors;

/// <summary>Returns the length of a row from its features.</summary>
internal delegate int RowLength(ReadOnlySpan<float> features);

/// <summary>How a feature column is converted to rows of floats of equal width for a network.</summary>
internal abstract record FeatureFormat
{
    /// <summary>The number of floats per row.</summary>
    public abstract int Width { get; }

    /// <summary>The vector type that ML.NET's older interfaces pass to a model.</summary>
    public abstract DataViewType InputType { get; }

    /// <summary>Returns the length of a row if rows have different lengths; otherwise null.</summary>
    public virtual RowLength? LengthOf => null;

    /// <summary>Whether the value of the column can be recovered from the floats.</summary>
    public abstract bool HoldsColumn(DataViewSchema.Column column);

    /// <summary>Opens a column of a row or cursor.</summary>
    public abstract IFeatureReader Open(DataViewRow row, DataViewSchema.Column column);

    /// <exception cref="ArgumentException">A trained network cannot use the column; the message says why.</exception>
    public abstract void Check(DataViewSchema.Column column);

    /// <summary>Converts a vector of <see cref="InputType"/> to a row.</summary>
    public abstract void Arrange(in VBuffer<float> features, Span<float> row);
}

/// <summary>Reads the feature column of the current row.</summary>
internal interface IFeatureReader
{
    /// <summary>The last image read, for an image column.</summary>
    MLImage? Image => null;

    /// <param name="destination">Receives as many values as the width of the format.</param>
    /// <exception cref="FormatException">The value cannot be used; the message names column and row.</exception>
    void Read(Span<float> destination);
}

/// <summary>Unchanged values: vectors of equal size, numbers, images.</summary>
internal sealed record DenseFormat(int Count) : FeatureFormat
{
    public override int Width => Count;

    public override DataViewType InputType => new VectorDataViewType(NumberDataViewType.Single, Count);

    public override bool HoldsColumn(DataViewSchema.Column column) => column.Type is not ImageDataViewType;

    public override IFeatureReader Open(DataViewRow row, DataViewSchema.Column column) => new FeatureReader(row, column, Count);

    public override void Check(DataViewSchema.Column column)
    {
        if (!FeatureReader.Fits(column, Count))
            throw new ArgumentException($"Feature column '{column.Name}' has {FeatureReader.WidthOf(column)} values ({column.Type}); the model was trained on {Count} values.");
    }

    public override void Arrange(in VBuffer<float> features, Span<float> row)
    {
        if (features.Length != Count)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The row has {features.Length} features; the model was trained on {Count}."), nameof(features));
        features.CopyTo(row);
    }
}
