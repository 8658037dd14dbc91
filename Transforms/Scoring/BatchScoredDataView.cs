using Microsoft.ML;

namespace MLExtensions.Scoring;

/// <summary>A view of scores, read by one thread unless a cursor set is asked for: the batches already use every core.</summary>
internal sealed class BatchScoredDataView(IDataView scores) : IDataView
{
    public DataViewSchema Schema => scores.Schema;

    public bool CanShuffle => scores.CanShuffle;

    public long? GetRowCount() => scores.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        scores.GetRowCursorSet(columnsNeeded, 1, CanShuffle ? rand : null)[0];

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        scores.GetRowCursorSet(columnsNeeded, n, rand);
}
