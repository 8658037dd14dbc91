using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Loading;

/// <summary>The position of a column's bytes in each record.</summary>
internal sealed record RecordField(RecordFiles Files, int Offset, int Length);

/// <summary>Images as bytes in records, optionally with a class byte.</summary>
internal sealed class PixelRecordView : FileDataView
{
    private readonly RecordField _pixels;
    private readonly RecordField? _label;

    private PixelRecordView(IHost host, DataViewSchema schema, RecordField pixels, RecordField? label)
        : base(host, schema)
    {
        _pixels = pixels;
        _label = label;
    }

    public override bool CanShuffle => _pixels.Files.CanSeek && (_label == null || _label.Files.CanSeek) && _pixels.Files.Count <= Array.MaxLength;

    /// <param name="dimensions">Channels, height, width.</param>
    /// <param name="pixels">The pixels, planar.</param>
    /// <param name="label">The class byte, or null.</param>
    /// <param name="addLabel">Adds the label column to a schema.</param>
    public static PixelRecordView Create(IHostEnvironment env, int[] dimensions, RecordField pixels, RecordField? label, Action<DataViewSchema.Builder> addLabel)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(DefaultColumnNames.Features, new VectorDataViewType(NumberDataViewType.Single, dimensions));
        if (label != null)
            addLabel(schema);
        return new PixelRecordView(env.Register(nameof(PixelRecordView)), schema.ToSchema(), pixels, label);
    }

    public override long? GetRowCount() => _pixels.Files.Count;

    protected override DataViewRowCursor CreateCursor(bool[] active, Random? random) =>
        new PixelRecordCursor(Host, Schema, active, _pixels, _label, random);
}

/// <summary>Reads the records of the active columns.</summary>
internal sealed class PixelRecordCursor : FileCursor
{
    private const int FeatureColumn = 0;
    private const int LabelColumnIndex = 1;

    private readonly RecordField _pixels;
    private readonly RecordField? _label;
    private readonly ulong _classCount;
    private readonly RecordReader? _pixelReader;
    private readonly RecordReader? _labelReader;
    private readonly RecordReader[] _readers;
    private readonly long? _count;
    private readonly int[]? _order;
    private long _next;

    public PixelRecordCursor(IHost host, DataViewSchema schema, bool[] active, RecordField pixels, RecordField? label, Random? random)
        : base(host, schema, active)
    {
        _pixels = pixels;
        _label = label;
        _count = pixels.Files.Count;
        _classCount = label == null ? 0 : ((KeyDataViewType)schema[LabelColumnIndex].Type).Count;
        // If the count is not known, only reading shows where the rows end.
        if (IsActive(FeatureColumn) || _count == null)
            _pixelReader = new RecordReader(pixels.Files);
        if (label != null && IsActive(LabelColumnIndex))
            _labelReader = label.Files == pixels.Files && _pixelReader != null ? _pixelReader : new RecordReader(label.Files);
        _readers = new[] { _pixelReader, _labelReader }.OfType<RecordReader>().Distinct().ToArray();
        _order = random == null ? null : Shuffle(_count!.Value, random);
    }

    protected override bool MoveNextCore()
    {
        if (!Read())
            return false;
        Row = _order == null ? _next : _order[_next];
        _next++;
        return true;
    }

    protected override Delegate CreateGetter(int column)
    {
        if (column == FeatureColumn)
        {
            ValueGetter<VBuffer<float>> features = GetFeatures;
            return features;
        }
        ValueGetter<uint> label = GetLabel;
        return label;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var reader in _readers)
                reader.Dispose();
        }
        base.Dispose(disposing);
    }

    private bool Read()
    {
        if (_readers.Length == 0 || _order != null)
        {
            if (_next == _count)
                return false;
            foreach (var reader in _readers)
                reader.ReadAt(_order![_next]);
            return true;
        }
        // All readers, because each checks that its file ends with its last record.
        var hasRow = true;
        foreach (var reader in _readers)
            hasRow &= reader.ReadNext();
        return hasRow;
    }

    private void GetFeatures(ref VBuffer<float> destination)
    {
        CheckOnRow();
        var bytes = _pixelReader!.Record.Slice(_pixels.Offset, _pixels.Length);
        var editor = VBufferEditor.Create(ref destination, bytes.Length);
        var values = editor.Values;
        for (var i = 0; i < bytes.Length; i++)
            values[i] = bytes[i];
        destination = editor.Commit();
    }

    private void GetLabel(ref uint destination)
    {
        CheckOnRow();
        var label = _labelReader!.Record[_label!.Offset];
        if (label >= _classCount)
            throw _labelReader.Wrong($"label {label} is not one of the {_classCount} classes 0 to {_classCount - 1}");
        destination = label + 1u; // 0 is a missing key
    }
}
