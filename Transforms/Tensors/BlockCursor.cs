using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Native;

namespace MLExtensions.Tensors;

/// <summary>A cursor that reads a block of rows ahead, so that a network can score the block in one pass.</summary>
internal class BlockCursor : DataViewRowCursor
{
    // Small blocks first: Preview and TakeRows read a few rows only.
    private const int FirstBlockRows = 32;

    private readonly DataViewRowCursor? _input;
    private readonly DataViewRowCursor _like;
    private readonly long _maximumBytes;
    private readonly ValueGetter<DataViewRowId>? _getId;
    private readonly long[] _batches = [];
    private readonly DataViewRowId[] _ids = [];
    private readonly FreedMemory? _memory;
    private int _index = -1;
    private int _nextBlockRows = FirstBlockRows;
    private long _bytes;
    private long _read;
    private bool _ended;
    private long _position = -1;

    /// <param name="input">The rows; this cursor disposes it.</param>
    /// <param name="capacity">The maximum number of rows of a block.</param>
    /// <param name="maximumBytes">A block is full after this many bytes of texts and images, however few rows it has.</param>
    /// <param name="except">A column that is stored in another way.</param>
    protected BlockCursor(DataViewRowCursor input, int capacity, long maximumBytes, DataViewSchema.Column? except = null)
    {
        _input = _like = input;
        _maximumBytes = maximumBytes;
        Columns = new ColumnBuffer?[input.Schema.Count];
        foreach (var column in input.Schema)
        {
            if (input.IsColumnActive(column) && column.Index != except?.Index)
                Columns[column.Index] = ColumnBuffer.Create(input, column, capacity);
        }
        _getId = input.GetIdGetter();
        _batches = new long[capacity];
        _ids = new DataViewRowId[capacity];
        _memory = FreedMemory.Keep();
    }

    private BlockCursor(DataViewRowCursor like)
    {
        _like = like;
        _ended = true;
        Columns = [];
    }

    /// <summary>The maximum number of rows of a block.</summary>
    public int Capacity => _ids.Length;

    /// <summary>The number of filled rows of the block.</summary>
    public int Count { get; private set; }

    /// <summary>Changes with each block.</summary>
    public int Version { get; private set; }

    /// <summary>The position of the current row in the block.</summary>
    public int Index => _index;

    public override DataViewSchema Schema => _like.Schema;

    public override long Position => _position;

    public override long Batch => _index < 0 ? 0 : _batches[_index];

    /// <summary>The values of each column in the block; null for inactive columns.</summary>
    protected ColumnBuffer?[] Columns { get; }

    /// <summary>Creates a cursor without rows and with the columns of <paramref name="other"/>.</summary>
    public static BlockCursor Empty(BlockCursor other) => new(other);

    public override bool IsColumnActive(DataViewSchema.Column column) => _like.IsColumnActive(column);

    public override ValueGetter<DataViewRowId> GetIdGetter() =>
        (ref DataViewRowId id) => id = _ids[CurrentIndex()];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new InvalidOperationException($"Column '{column.Name}' is not active in this cursor.");
        if (_input == null)
            return (ref TValue _) => throw new InvalidOperationException("The cursor has no row.");
        return GetterOf(column) as ValueGetter<TValue>
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
        _memory?.Dispose(); // some readers never dispose a cursor
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _memory?.Dispose();
            _input?.Dispose();
        }
        base.Dispose(disposing);
    }

    protected virtual Delegate GetterOf(DataViewSchema.Column column) => Columns[column.Index]!.Getter(CurrentIndex);

    /// <summary>Stores the values of the input's current row that are not in <see cref="Columns"/>.</summary>
    protected virtual void Keep(int position)
    {
    }

    protected int CurrentIndex() => _index >= 0 ? _index : throw new InvalidOperationException("The cursor is not on a row.");

    private bool FillBlock()
    {
        if (_ended)
            return false;
        var limit = ReadAheadLimit.End is { } end ? (int)Math.Min(_ids.Length, end - _read) : Math.Min(_nextBlockRows, _ids.Length);
        _nextBlockRows = Math.Min(_ids.Length, _nextBlockRows * 4);
        Count = 0;
        _bytes = 0;
        _index = -1;
        while (Count < limit && _bytes < _maximumBytes && Advance())
            Count++;
        _read += Count;
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
        Keep(Count);
        foreach (var column in Columns)
            _bytes += column?.Keep(Count) ?? 0;
        _getId!(ref _ids[Count]);
        _batches[Count] = _input.Batch;
        return true;
    }
}
