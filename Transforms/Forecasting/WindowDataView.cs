using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Forecasting;

/// <summary>
/// Data with one more column: 1 and the last steps of the row's series up to the row, or only zeros where there are fewer. It
/// can be read in its own order alone, by one cursor at a time.
/// </summary>
internal sealed class WindowDataView : IDataView
{
    private readonly IDataView _source;
    private readonly SeriesColumns _columns;
    private readonly int _windowSize;

    public WindowDataView(IDataView source, SeriesColumns columns, int windowSize, string columnName)
    {
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
        return new WindowCursor(input, Schema, hasWindows ? new SeriesWindowReader(input, _columns, _windowSize) : null);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded)];
}
