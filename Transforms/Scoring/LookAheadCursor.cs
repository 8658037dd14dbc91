using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Scoring;

/// <summary>
/// A cursor that reads a block of rows ahead, their features into one tensor, so that a network can score the block in one pass.
/// While a full block is scored, the next is read: the pool's threads do the one, the caller's the other.
/// </summary>
internal sealed class LookAheadCursor : DataViewRowCursor
{
    // Small blocks first: Preview and TakeRows read a few rows only.
    private const int FirstBlockRows = 32;
    private const int MaximumBlockRows = 1024;
    private const int MaximumBlockValues = 1 << 22;

    private readonly DataViewRowCursor? _input;
    private readonly DataViewRowCursor _like;
    private readonly DataViewSchema.Column _featureColumn;
    private readonly FeatureReader? _features;
    private readonly ColumnBuffer?[] _columns = [];
    private readonly ValueGetter<DataViewRowId>? _getId;
    private readonly long[] _batches = [];
    private readonly DataViewRowId[] _ids = [];
    private readonly List<Action<int, int>> _preparations = [];
    private readonly int _capacity;
    private RowsAhead? _ahead;
    private int _start;
    private int _count;
    private int _index = -1;
    private int _nextBlockRows = FirstBlockRows;
    private bool _ended;
    private long _position = -1;

    public LookAheadCursor(DataViewRowCursor input, DataViewSchema.Column featureColumn, int width)
    {
        _input = _like = input;
        _featureColumn = featureColumn;
        _capacity = Math.Clamp(MaximumBlockValues / width, 1, MaximumBlockRows);
        // Room for two blocks, which take turns.
        var capacity = 2 * _capacity;
        _columns = new ColumnBuffer?[input.Schema.Count];
        foreach (var column in input.Schema)
        {
            if (input.IsColumnActive(column) && column.Index != featureColumn.Index)
                _columns[column.Index] = ColumnBuffer.Create(input, column, capacity);
        }
        _features = new FeatureReader(input, featureColumn, width);
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

    /// <summary>The features of the rows read ahead, room for two blocks of them; null in a cursor without rows.</summary>
    public FeatureBlock? Block { get; }

    /// <summary>The current row's place in <see cref="Block"/>.</summary>
    public int Place => _index >= 0 ? _start + _index : throw new InvalidOperationException("The cursor is not on a row.");

    public override DataViewSchema Schema => _like.Schema;

    public override long Position => _position;

    public override long Batch => _index < 0 ? 0 : _batches[Place];

    /// <summary>A cursor without rows that looks like <paramref name="other"/>.</summary>
    public static LookAheadCursor Empty(LookAheadCursor other) => new(other);

    /// <summary>Adds work on each block, from its first place and its number of rows; it is done before the block's first row is reached.</summary>
    public void Prepare(Action<int, int> work) => _preparations.Add(work);

    public override bool IsColumnActive(DataViewSchema.Column column) => _like.IsColumnActive(column);

    public override ValueGetter<DataViewRowId> GetIdGetter() =>
        (ref DataViewRowId id) => id = _ids[Place];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new InvalidOperationException($"Column '{column.Name}' is not active in this cursor.");
        if (_input == null)
            return (ref TValue _) => throw new InvalidOperationException("The cursor has no row.");
        var getter = column.Index == _featureColumn.Index ? FeatureGetter() : _columns[column.Index]!.Getter(() => Place);
        return getter as ValueGetter<TValue>
            ?? throw new InvalidOperationException($"Column '{column.Name}' has type {column.Type}, not {typeof(TValue)}.");
    }

    public override bool MoveNext()
    {
        if (_index + 1 < _count || FillBlock())
        {
            _index++;
            _position++;
            return true;
        }
        _index = -1;
        _count = 0;
        _position = -1;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // The result is of no interest any more, but the work must have let go of the block.
            ((IAsyncResult?)_ahead?.Prepared)?.AsyncWaitHandle.WaitOne();
            _input?.Dispose();
            Block?.Dispose();
        }
        base.Dispose(disposing);
    }

    private Delegate FeatureGetter()
    {
        if (_featureColumn.Type is not VectorDataViewType)
        {
            ValueGetter<float> scalar = (ref float destination) => destination = Block!.Row(Place)[0];
            return scalar;
        }
        ValueGetter<VBuffer<float>> vector = (ref VBuffer<float> destination) =>
        {
            var editor = VBufferEditor.Create(ref destination, Block!.Width);
            Block.Row(Place).CopyTo(editor.Values);
            destination = editor.Commit();
        };
        return vector;
    }

    private bool FillBlock()
    {
        _index = -1;
        var current = _ahead ?? ReadBlock(_start, Math.Min(_nextBlockRows, _capacity));
        _nextBlockRows = Math.Min(_capacity, _nextBlockRows * 4);
        _ahead = current.Count == _capacity ? ReadBlock(_capacity - current.Start, _capacity) : null;
        current.Prepared.GetAwaiter().GetResult();
        (_start, _count) = (current.Start, current.Count);
        return _count > 0;
    }

    private RowsAhead ReadBlock(int start, int limit)
    {
        var count = 0;
        while (count < limit && Advance(start + count))
            count++;
        if (count == _capacity && _preparations.Count > 0)
        {
            var threads = TorchThreads.Half;
            return new RowsAhead(start, count, Task.Run(() => RunPreparations(start, count, threads)));
        }
        if (count > 0)
            RunPreparations(start, count, TorchThreads.Current);
        return new RowsAhead(start, count, Task.CompletedTask);
    }

    private void RunPreparations(int start, int count, int threads)
    {
        using var scope = TorchThreads.Use(threads);
        foreach (var work in _preparations)
            work(start, count);
    }

    private bool Advance(int position)
    {
        if (_ended || !_input!.MoveNext())
        {
            _ended = true;
            return false;
        }
        _features!.Read(Block!.Row(position));
        foreach (var column in _columns)
            column?.Keep(position);
        _getId!(ref _ids[position]);
        _batches[position] = _input.Batch;
        return true;
    }

    /// <summary>A block that was read: where it begins, its number of rows, and the work on it.</summary>
    private sealed record RowsAhead(int Start, int Count, Task Prepared);
}
