using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Scoring;

/// <summary>A scorer's view, read by one thread unless a cursor set is asked for: the batches already use every core.</summary>
internal sealed class BatchScoredDataView(RowToRowScorerBase scorer) : IDataView
{
    public DataViewSchema Schema => scorer.OutputSchema;

    public bool CanShuffle => scorer.CanShuffle;

    public long? GetRowCount() => scorer.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        scorer.GetRowCursorSet(columnsNeeded, 1, CanShuffle ? rand : null)[0];

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        scorer.GetRowCursorSet(columnsNeeded, n, rand);
}
