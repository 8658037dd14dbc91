using MLExtensions.Onnx;
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

    /// <summary>Whether rows have different lengths.</summary>
    public bool HasLengths => LengthOf != null;

    /// <summary>The number of values of a row up to its end; what follows fills it up.</summary>
    public virtual int UsedWidth(ReadOnlySpan<float> row) => Width;

    /// <summary>Whether the value of the column can be recovered from the floats.</summary>
    public abstract bool HoldsColumn(DataViewSchema.Column column);

    /// <summary>Whether readers count what they cut, skip or do not know.</summary>
    public virtual bool HasCounts => false;

    /// <summary>Opens a column of a row or cursor.</summary>
    public abstract IFeatureReader Open(DataViewRow row, DataViewSchema.Column column);

    /// <exception cref="ArgumentException">A trained network cannot use the column; the message says why.</exception>
    public abstract void Check(DataViewSchema.Column column);

    /// <summary>Remarks on what a reader counted, for the log.</summary>
    /// <param name="counts">The counts.</param>
    /// <param name="column">The name of the column.</param>
    /// <param name="data">What the data is, such as "training data".</param>
    public virtual IEnumerable<DataNote> Review(DataCounts counts, string column, string data) => [];

    /// <summary>Refuses data with nothing in it.</summary>
    /// <param name="counts">The counts.</param>
    /// <param name="column">The name of the column.</param>
    /// <param name="data">What the data is, such as "training data".</param>
    /// <exception cref="ArgumentException">There is nothing in the column to learn from.</exception>
    public virtual void CheckContent(DataCounts counts, string column, string data)
    {
    }

    /// <summary>Converts a vector of <see cref="InputType"/> to a row.</summary>
    public abstract void Arrange(in VBuffer<float> features, Span<float> row);

    /// <summary>Writes how the column becomes rows as ONNX operators.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="column">The column.</param>
    /// <returns>The rows, <c>[rows, Width]</c>, or narrower ones if their length differs.</returns>
    /// <exception cref="NotSupportedException">The column is more than a graph can read; the message names it.</exception>
    public virtual string Write(GraphWriter graph, OnnxColumns columns, DataViewSchema.Column column) =>
        throw columns.NotExportable($"ONNX has no way to read column '{column.Name}' as the step does");
}

/// <summary>Reads the feature column of the current row.</summary>
internal interface IFeatureReader
{
    /// <summary>The last image read, for an image column.</summary>
    MLImage? Image => null;

    /// <param name="destination">Receives as many values as the width of the format.</param>
    /// <exception cref="FormatException">The value cannot be used; the message names column and row.</exception>
    void Read(Span<float> destination);

    /// <summary>Adds what was cut, skipped or unknown in the rows that were read.</summary>
    void AddTo(DataCounts counts)
    {
    }
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
            throw new ArgumentException(FormattableString.Invariant($"Feature column '{column.Name}' has {FeatureReader.WidthOf(column)} values ({column.Type}); the model was trained on {Count} values."));
    }

    public override void Arrange(in VBuffer<float> features, Span<float> row)
    {
        if (features.Length != Count)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The row has {features.Length} features; the model was trained on {Count}."), nameof(features));
        features.CopyTo(row);
    }

    public override string Write(GraphWriter graph, OnnxColumns columns, DataViewSchema.Column column) => columns.Floats(graph, column, Count);
}
