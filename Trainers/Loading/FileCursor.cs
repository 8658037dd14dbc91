using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Loading;

/// <summary>What the cursors over files share: the active columns, and rows that keep their numbers when they are shuffled.</summary>
internal abstract class FileCursor(IHost host, DataViewSchema schema, bool[] active) : RootCursorBase(host)
{
    public override DataViewSchema Schema => schema;

    public override long Batch => 0;

    /// <summary>The current row's number in the files.</summary>
    protected long Row { get; set; } = -1;

    public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) =>
    {
        CheckOnRow();
        id = new DataViewRowId((ulong)Row, 0);
    };

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new InvalidOperationException($"Column '{column.Name}' is not active in this cursor.");
        return CreateGetter(column.Index) as ValueGetter<TValue>
            ?? throw new InvalidOperationException($"Column '{column.Name}' has type {column.Type}, not {typeof(TValue)}.");
    }

    protected bool IsActive(int column) => active[column];

    protected void CheckOnRow()
    {
        if (!IsGood)
            throw new InvalidOperationException("The cursor is not on a row.");
    }

    protected abstract Delegate CreateGetter(int column);

    /// <summary>The numbers of all rows in a random order.</summary>
    public static int[] Shuffle(long count, Random random)
    {
        var order = new int[checked((int)count)];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        random.Shuffle(order);
        return order;
    }
}
