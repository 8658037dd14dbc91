using Microsoft.ML.Data;
using Microsoft.ML;

namespace MLExtensions.Families.Forecasting;

/// <summary>
/// Data with an added column: 1 and the last time steps of the row's series up to the row, or only zeros if there are too few. It can only
/// be read in order, by one cursor at a time.
/// </summary>
internal sealed class WindowDataView : IDataView
{
    private readonly IDataView _source;
    private readonly SeriesColumns _columns;
    private readonly int _windowSize;
    private readonly IReadOnlySet<long>? _rows;

    /// <param name="source">The data.</param>
    /// <param name="columns">The columns of the series.</param>
    /// <param name="windowSize">The number of time steps.</param>
    /// <param name="columnName">The name of the added column.</param>
    /// <param name="rows">The numbers of the rows that get a window, so that only their values must be finite; null for all.</param>
    public WindowDataView(IDataView source, SeriesColumns columns, int windowSize, string columnName, IReadOnlySet<long>? rows = null)
    {
        _rows = rows;
        _source = source;
        _columns = columns;
        _windowSize = windowSize;
        var builder = new DataViewSchema.Builder();
        foreach (var column in source.Schema)
            builder.AddColumn(column.Name, column.Type, column.Annotations);
        builder.AddColumn(columnName, new VectorDataViewType(NumberDataViewType.Single, WidthOf(windowSize, columns.Width)));
        Schema = builder.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => false;

    /// <summary>The number of values of the column.</summary>
    public static int WidthOf(int windowSize, int stepWidth) => checked(1 + (windowSize * stepWidth));

    public long? GetRowCount() => _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var needed = columnsNeeded.Select(column => column.Index).ToHashSet();
        var hasWindows = needed.Remove(_source.Schema.Count);
        if (hasWindows)
            needed.UnionWith(_columns.All.Select(column => column.Index));
        var input = _source.GetRowCursor(needed.Select(index => _source.Schema[index]));
        return new WindowCursor(input, Schema, hasWindows ? new SeriesWindowReader(input, _columns, _windowSize, _rows) : null);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded)];
}

/// <summary>Reads rows in order and gathers the window of each.</summary>
/// <param name="input">The rows.</param>
/// <param name="schema">Their schema with the column of windows at its end.</param>
/// <param name="windows">Gathers the windows; null if they are not needed.</param>
internal sealed class WindowCursor(DataViewRowCursor input, DataViewSchema schema, SeriesWindowReader? windows) : DataViewRowCursor
{
    public override DataViewSchema Schema => schema;

    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) =>
        IsWindow(column) ? windows != null : input.IsColumnActive(input.Schema[column.Index]);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsWindow(column))
            return input.GetGetter<TValue>(input.Schema[column.Index]);
        if (windows == null)
            throw new InvalidOperationException($"Column '{column.Name}' is not active in this cursor.");
        ValueGetter<VBuffer<float>> getter = (ref VBuffer<float> destination) =>
        {
            var editor = VBufferEditor.Create(ref destination, windows.Width);
            windows.CopyTo(editor.Values);
            destination = editor.Commit();
        };
        return getter as ValueGetter<TValue>
            ?? throw new InvalidOperationException($"Column '{column.Name}' has type {column.Type}, not {typeof(TValue)}.");
    }

    public override bool MoveNext()
    {
        if (!input.MoveNext())
            return false;
        windows?.Read();
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            input.Dispose();
        base.Dispose(disposing);
    }

    private bool IsWindow(DataViewSchema.Column column) => column.Index == input.Schema.Count;
}

/// <summary>Keeps the last time steps of every series while rows are read.</summary>
/// <param name="row">The rows.</param>
/// <param name="columns">The columns of the series.</param>
/// <param name="windowSize">The number of time steps.</param>
/// <param name="rows">The numbers of the rows that get a window; null for all.</param>
internal sealed class SeriesWindowReader(DataViewRow row, SeriesColumns columns, int windowSize, IReadOnlySet<long>? rows)
{
    private readonly SeriesRowReader _reader = new(row, columns);
    private readonly Dictionary<string, SeriesHistory> _histories = [];
    private SeriesHistory? _current;

    /// <summary>The number of values of a window: a 1, and the time steps.</summary>
    public int Width { get; } = WindowDataView.WidthOf(windowSize, columns.Width);

    private bool IsNeeded => rows?.Contains(row.Position) ?? true;

    /// <summary>Adds the current row of the cursor.</summary>
    /// <exception cref="FormatException">A value in a window that is needed is NaN or infinite, or the group is missing.</exception>
    public void Read()
    {
        FormatException? fault = null;
        if (rows == null)
            _reader.Read();
        else
            fault = _reader.TryRead();
        if (!_histories.TryGetValue(_reader.Group, out _current))
            _histories.Add(_reader.Group, _current = new SeriesHistory(windowSize, columns.Width));
        _current.Add(_reader.Values, fault);
        if (IsNeeded && _current.Fault is { } why)
            throw why;
    }

    /// <summary>The window that ends with the row: 1 and the time steps, the oldest first, or zeros if there are too few.</summary>
    public void CopyTo(Span<float> window)
    {
        if (_current is not { IsFull: true } || !IsNeeded)
        {
            window.Clear();
            return;
        }
        window[0] = 1;
        _current.CopyTo(window[1..]);
    }
}

/// <summary>The last time steps of a series, as many as a window has.</summary>
internal sealed class SeriesHistory(int windowSize, int width)
{
    private readonly float[] _values = new float[windowSize * width];
    private FormatException? _fault;
    private int _sinceFault;
    private int _next;
    private int _count;

    public bool IsFull => _count == windowSize;

    /// <summary>Why a time step of the window cannot be used, the latest one; null if all can.</summary>
    public FormatException? Fault => _sinceFault < windowSize ? _fault : null;

    public void Add(ReadOnlySpan<float> step, FormatException? fault = null)
    {
        (_fault, _sinceFault) = fault == null ? (_fault, _sinceFault + 1) : (fault, 0);
        step.CopyTo(_values.AsSpan(_next * width));
        _next = (_next + 1) % windowSize;
        _count = Math.Min(windowSize, _count + 1);
    }

    /// <summary>Copies a full window, the oldest time step first.</summary>
    public void CopyTo(Span<float> window)
    {
        var older = _values.AsSpan(_next * width);
        older.CopyTo(window);
        _values.AsSpan(0, _next * width).CopyTo(window[older.Length..]);
    }
}
