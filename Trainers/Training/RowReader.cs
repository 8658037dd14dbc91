using MLExtensions.Messages;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Training;

/// <summary>
/// The columns of a training set, the format of its features, and the number of classes (0 for regression). Without a label column every
/// row is used.
/// </summary>
internal sealed record TrainingColumns(DataViewSchema.Column Features, FeatureFormat Format, DataViewSchema.Column? Label, DataViewSchema.Column? Weight, int ClassCount)
{
    /// <summary>Finds the classes of labels by name; null if their keys are those of the training data.</summary>
    public KeyMap? Classes { get; init; }

    /// <summary>The column whose rows of one value are not divided between training and validation, or null.</summary>
    public DataViewSchema.Column? Group { get; init; }
}

/// <summary>Reads the rows of a training set once; rows without a label are skipped and counted.</summary>
internal sealed class RowReader : IStreamedRow, IDisposable
{
    private readonly TrainingColumns _columns;
    private readonly DataViewRowCursor _cursor;
    private readonly IFeatureReader? _features;
    private readonly ValueGetter<float>? _getLabel;
    private readonly ValueGetter<float>? _getWeight;
    private readonly ValueGetter<StringBuilder>? _getGroup;
    private StringBuilder _group = new();
    private float _label;
    private float _weight = 1;

    /// <param name="data">The data.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="withFeatures">False to read labels and weights only.</param>
    public RowReader(IDataView data, TrainingColumns columns, bool withFeatures = true)
    {
        _columns = columns;
        var needed = new List<DataViewSchema.Column>();
        if (columns.Label is { } label)
            needed.Add(label);
        if (withFeatures)
            needed.Add(columns.Features);
        if (columns.Weight is { } weight)
            needed.Add(weight);
        if (columns.Group is { } group)
            needed.Add(group);
        _cursor = data.GetRowCursor(needed);
        _features = withFeatures ? columns.Format.Open(_cursor, columns.Features) : null;
        _getLabel = columns.Label is { } labels ? RowCursorUtils.GetLabelGetter(_cursor, labels.Index) : null;
        _getWeight = columns.Weight is { } column ? _cursor.GetGetter<float>(column) : null;
        _getGroup = columns.Group is { } groups ? GroupColumn.Open(_cursor, groups) : null;
    }

    /// <summary>
    /// The label of the current row: the class index from 0 for keys, 0 or 1 for Boolean, the value for Single; 0 without a label column.
    /// </summary>
    public float Label => _label;

    /// <summary>The current row's example weight, 1 without a weight column.</summary>
    public float Weight => _weight;

    /// <summary>The current row's group; 0 without a group column.</summary>
    public ulong Group => _getGroup == null ? 0 : GroupColumn.Hash(_group);

    /// <summary>The number of rows without a label so far.</summary>
    public long SkippedRows { get; private set; }

    public bool MoveNext()
    {
        while (_cursor.MoveNext())
        {
            _getLabel?.Invoke(ref _label);
            if (float.IsNaN(_label))
            {
                SkippedRows++;
                continue;
            }
            if (_columns.Classes is { } classes)
                _label = classes.Find((int)_label, _cursor.Position);
            CheckLabel();
            ReadWeight();
            _getGroup?.Invoke(ref _group);
            return true;
        }
        return false;
    }

    /// <summary>Copies the current row's features.</summary>
    public void ReadFeatures(Span<float> destination) => _features!.Read(destination);

    /// <summary>What was cut, skipped or unknown so far.</summary>
    public DataCounts Counts()
    {
        var counts = new DataCounts();
        counts.Add(DataCounts.RowsWithoutLabel, SkippedRows);
        _features?.AddTo(counts);
        return counts;
    }

    public void Dispose() => _cursor.Dispose();

    private void CheckLabel()
    {
        if (float.IsInfinity(_label))
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Label column '{_columns.Label!.Value.Name}', {RowName.Of(_cursor.Position)}: the value is {_label}; labels must be finite."));
        if (_columns.ClassCount > 0 && _label >= _columns.ClassCount)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Label column '{_columns.Label!.Value.Name}', {RowName.Of(_cursor.Position)}: the key is {_label + 1}; the label of the training data has {_columns.ClassCount} classes."));
    }

    private void ReadWeight()
    {
        if (_getWeight == null)
            return;
        _getWeight(ref _weight);
        if (!(_weight >= 0) || float.IsInfinity(_weight))
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Example weight column '{_columns.Weight!.Value.Name}', {RowName.Of(_cursor.Position)}: the value is {_weight}; weights must be finite and not negative."));
    }
}

/// <summary>The running SHA-256 of rows, their kind and their order.</summary>
internal sealed class RowChecksum : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _rows;

    /// <param name="features">The features.</param>
    /// <param name="label">The label, or 0.</param>
    /// <param name="weight">The example weight, or 1.</param>
    /// <param name="group">The group that decides on the part for validation, or 0.</param>
    public void Add(ReadOnlySpan<float> features, float label, float weight, ulong group = 0)
    {
        _hash.AppendData(MemoryMarshal.AsBytes(features));
        _hash.AppendData(MemoryMarshal.AsBytes<float>([label, weight]));
        if (group != 0)
            _hash.AppendData(MemoryMarshal.AsBytes<ulong>([group]));
        _rows++;
    }

    /// <summary>The number of rows and the checksum, in readable form.</summary>
    public string Finish() => string.Create(CultureInfo.InvariantCulture, $"{_rows} rows of SHA-256 {Convert.ToHexStringLower(_hash.GetHashAndReset())}");

    public void Dispose() => _hash.Dispose();
}
