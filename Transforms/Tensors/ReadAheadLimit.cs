using Microsoft.ML;

namespace MLExtensions.Tensors;

/// <summary>
/// How far cursors read ahead on this thread. A server keeps its cursors open, so that nothing is built or allocated for a request: the rows of a block are there, and
/// those of the next one are not yet.
/// </summary>
internal readonly struct ReadAheadLimit : IDisposable
{
    [ThreadStatic]
    private static long? _end;

    /// <summary>The number of rows, counted from where the cursors were opened, that can be read; null for all.</summary>
    public static long? End => _end;

    /// <summary>Begins a scope; scopes do not nest.</summary>
    public static ReadAheadLimit Set(long end)
    {
        _end = end;
        return default;
    }

    /// <summary>Opens a cursor. With a limit it has no worker threads of its own, which would know nothing of it.</summary>
    public static DataViewRowCursor Open(IDataView source, IEnumerable<DataViewSchema.Column> columns, Random? rand = null) =>
        _end == null ? source.GetRowCursor(columns, rand) : source.GetRowCursorSet(columns, 1, rand)[0];

    public void Dispose() => _end = null;
}
