using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Scoring;

/// <summary>The same data, read a block of rows ahead wherever the feature column is asked for.</summary>
internal sealed class LookAheadDataView : IDataView
{
    private readonly IDataView _source;
    private readonly DataViewSchema.Column _featureColumn;
    private readonly int _width;

    /// <param name="width">The number of features; null for all that the column has.</param>
    public LookAheadDataView(IDataView source, string featureColumnName, int? width = null)
    {
        _source = source;
        _featureColumn = source.Schema[featureColumnName];
        _width = width ?? FeatureReader.WidthOf(_featureColumn);
    }

    public DataViewSchema Schema => _source.Schema;

    public bool CanShuffle => _source.CanShuffle;

    public long? GetRowCount() => _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        Wrap(_source.GetRowCursor(columnsNeeded, rand));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        // A plain cursor lets the source keep its own worker threads.
        if (n <= 1)
            return [GetRowCursor(columnsNeeded, rand)];
        var cursors = Array.ConvertAll(_source.GetRowCursorSet(columnsNeeded, n, rand), Wrap);
        // ML.NET's scorer splits a lone cursor row by row, and the blocks would be lost: give it an empty companion.
        return cursors is [LookAheadCursor lone] ? [lone, LookAheadCursor.Empty(lone)] : cursors;
    }

    private DataViewRowCursor Wrap(DataViewRowCursor cursor)
    {
        // Columns of types of others may hand out objects that must not be kept: those rows are scored one by one.
        var canKeep = cursor.IsColumnActive(_featureColumn)
            && Schema.All(column => !cursor.IsColumnActive(column) || ColumnBuffer.CanKeep(column.Type));
        return canKeep ? new LookAheadCursor(cursor, _featureColumn, _width) : cursor;
    }
}
