using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Tensors;

namespace MLExtensions.Scoring;

/// <summary>
/// A cursor that reads a block of rows ahead, their features into one tensor, so that a network can score the block in one pass.
/// </summary>
internal sealed class LookAheadCursor : DataViewRowCursor
{
    // Small blocks first: Preview and TakeRows read a few rows only.
    private const int FirstBlockRows = 32;
    private const int MaximumBlockRows = 1024;
    private const int MaximumBlockValues = 1 << 22;
    private const long MaximumImageBytes = 1 << 26; // of the images beside the features, which can be of any size

    private readonly DataViewRowCursor? _input;
    private readonly DataViewRowCursor _like;
    private readonly DataViewSchema.Column _featureColumn;
    private readonly FeatureReader? _features;
    private readonly ColumnBuffer?[] _columns = [];
    private readonly ValueGetter<DataViewRowId>? _getId;
    private readonly long[] _batches = [];
    private readonly DataViewRowId[] _ids = [];
    private int _index = -1;
    private int _nextBlockRows = FirstBlockRows;
    private long _imageBytes;
    private bool _ended;
    private long _position = -1;

    public LookAheadCursor(DataViewRowCursor input, DataViewSchema.Column featureColumn, int width)
    {
        _input = _like = input;
        _featureColumn = featureColumn;
        var capacity = Math.Clamp(MaximumBlockValues / width, 1, MaximumBlockRows);
        _columns = new ColumnBuffer?[input.Schema.Count];
        foreach (var column in input.Schema)
        {
            if (input.IsColumnActive(column) && column.Index != featureColumn.Index)
                _columns[column.Index] = ColumnBuffer.Create(input, column, capacity);
        }
        _features = new FeatureReader(input, featureColumn, width);
        if (featureColumn.Type is ImageDataViewType)
            _columns[featureColumn.Index] = new ImageColumnBuffer(() => _features.Image, capacity);
        _getId = input.GetIdGetter();
        _batches = new long[capacity];
        _ids = new DataViewRowId[capacity];
        Block = new FeatureBlock(capacity, width);
    }

    private LookAheadCursor(DataViewRowCursor like)
    {
        _like = like;
        _ended = true;
    }

    /// <summary>The features of the rows read ahead; null in a cursor without rows.</summary>
    public FeatureBlock? Block { get; }

    /// <summary>How many rows of the block are filled.</summary>
    public int Count { get; private set; }

    /// <summary>Changes with each block.</summary>
    public int Version { get; private set; }

    /// <summary>The current row's position in the block.</summary>
    public int Index => _index;

    public override DataViewSchema Schema => _like.Schema;

    public override long Position => _position;

    public override long Batch => _index < 0 ? 0 : _batches[_index];

    /// <summary>A cursor without rows that looks like <paramref name="other"/>.</summary>
    public static LookAheadCursor Empty(LookAheadCursor other) => new(other);

    public override bool IsColumnActive(DataViewSchema.Column column) => _like.IsColumnActive(column);

    public override ValueGetter<DataViewRowId> GetIdGetter() =>
        (ref DataViewRowId id) => id = _ids[CurrentIndex()];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new InvalidOperationException($"Column '{column.Name}' is not active in this cursor.");
        if (_input == null)
            return (ref TValue _) => throw new InvalidOperationException("The cursor has no row.");
        var getter = _columns[column.Index]?.Getter(CurrentIndex) ?? FeatureGetter();
        return getter as ValueGetter<TValue>
            ?? throw new InvalidOperationException($"Column '{column.Name}' has type {column.Type}, not {typeof(TValue)}.");
    }

    public override bool MoveNext()
    {
        if (_index + 1 < Count || FillBlock())
        {
            _index++;
            _position++;
            return true;
        }
        _index = -1;
        Count = 0;
        _position = -1;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _input?.Dispose();
            Block?.Dispose();
        }
        base.Dispose(disposing);
    }

    private int CurrentIndex() => _index >= 0 ? _index : throw new InvalidOperationException("The cursor is not on a row.");

    private Delegate FeatureGetter()
    {
        if (_featureColumn.Type is not VectorDataViewType)
        {
            ValueGetter<float> scalar = (ref float destination) => destination = Block!.Row(CurrentIndex())[0];
            return scalar;
        }
        ValueGetter<VBuffer<float>> vector = (ref VBuffer<float> destination) =>
        {
            var editor = VBufferEditor.Create(ref destination, Block!.Width);
            Block.Row(CurrentIndex()).CopyTo(editor.Values);
            destination = editor.Commit();
        };
        return vector;
    }

    private bool FillBlock()
    {
        if (_ended)
            return false;
        var limit = Math.Min(_nextBlockRows, Block!.Capacity);
        _nextBlockRows = Math.Min(Block.Capacity, _nextBlockRows * 4);
        Count = 0;
        _imageBytes = 0;
        _index = -1;
        while (Count < limit && _imageBytes < MaximumImageBytes && Advance())
            Count++;
        Version++;
        return Count > 0;
    }

    private bool Advance()
    {
        if (!_input!.MoveNext())
        {
            _ended = true;
            return false;
        }
        _features!.Read(Block!.Row(Count));
        foreach (var column in _columns)
            _imageBytes += column?.Keep(Count) ?? 0;
        _getId!(ref _ids[Count]);
        _batches[Count] = _input.Batch;
        return true;
    }
}
