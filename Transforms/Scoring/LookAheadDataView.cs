using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Scoring;

/// <summary>The same data, read a block of rows ahead wherever the column that is scored is asked for.</summary>
internal sealed class LookAheadDataView : IDataView
{
    private readonly IDataView _source;
    private readonly DataViewSchema.Column _column;
    private readonly Func<DataViewRowCursor, BlockCursor> _createCursor;

    /// <summary>Reads all the features that the column has.</summary>
    public LookAheadDataView(IDataView source, string featureColumnName)
        : this(source, featureColumnName, new DenseFormat(FeatureReader.WidthOf(source.Schema[featureColumnName])))
    {
    }

    public LookAheadDataView(IDataView source, string featureColumnName, FeatureFormat format)
    {
        _source = source;
        _column = source.Schema[featureColumnName];
        _createCursor = cursor => new LookAheadCursor(cursor, _column, format);
    }

    private LookAheadDataView(IDataView source, DataViewSchema.Column textColumn)
    {
        _source = source;
        _column = textColumn;
        _createCursor = cursor => new TextCursor(cursor, textColumn);
    }

    public DataViewSchema Schema => _source.Schema;

    public bool CanShuffle => _source.CanShuffle;

    public static LookAheadDataView OfText(IDataView source, string textColumnName) => new(source, source.Schema[textColumnName]);

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
        return cursors is [BlockCursor lone] ? [lone, BlockCursor.Empty(lone)] : cursors;
    }

    private DataViewRowCursor Wrap(DataViewRowCursor cursor)
    {
        // Columns of types of others may hand out objects that must not be kept: those rows are scored one by one.
        var canKeep = cursor.IsColumnActive(_column)
            && Schema.All(column => !cursor.IsColumnActive(column) || ColumnBuffer.CanKeep(column.Type));
        return canKeep ? _createCursor(cursor) : cursor;
    }
}
