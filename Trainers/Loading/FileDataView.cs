using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Loading;

/// <summary>What the views over files share: nothing is read before a cursor asks, and each cursor begins at the first row.</summary>
internal abstract class FileDataView(IHost host, DataViewSchema schema) : IDataView
{
    public DataViewSchema Schema => schema;

    public abstract bool CanShuffle { get; }

    protected IHost Host => host;

    public abstract long? GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        CreateCursor(Active(columnsNeeded), CanShuffle ? rand : null);

    public virtual DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    protected abstract DataViewRowCursor CreateCursor(bool[] active, Random? random);

    protected bool[] Active(IEnumerable<DataViewSchema.Column> columnsNeeded)
    {
        var active = new bool[schema.Count];
        foreach (var column in columnsNeeded)
            active[column.Index] = true;
        return active;
    }
}
