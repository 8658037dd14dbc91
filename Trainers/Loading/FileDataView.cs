using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Loading;

/// <summary>Base class of the file views. Nothing is read until a cursor asks for it, and each cursor begins at the first row.</summary>
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

/// <summary>Base class of the file cursors: the active columns, and rows that keep their numbers when they are shuffled.</summary>
internal abstract class FileCursor(IHost host, DataViewSchema schema, bool[] active) : RootCursorBase(host)
{
    public override DataViewSchema Schema => schema;

    public override long Batch => 0;

    /// <summary>The number of the current row in the files.</summary>
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

    /// <summary>Returns the numbers of all rows in random order.</summary>
    public static int[] Shuffle(long count, Random random)
    {
        var order = new int[checked((int)count)];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        random.Shuffle(order);
        return order;
    }
}

/// <summary>Adds a label column: a key whose values are the class names.</summary>
internal static class LabelColumn
{
    public const string Name = DefaultColumnNames.Label;

    /// <summary>Adds a label column whose classes are named by their numbers, from 0.</summary>
    public static void AddNumbered(DataViewSchema.Builder schema, int classCount) =>
        Add(schema, NumberDataViewType.UInt32, Enumerable.Range(0, classCount).Select(value => (uint)value).ToArray());

    public static void AddNamed(DataViewSchema.Builder schema, IEnumerable<string> classNames) =>
        Add(schema, TextDataViewType.Instance, classNames.Select(name => name.AsMemory()).ToArray());

    private static void Add<T>(DataViewSchema.Builder schema, PrimitiveDataViewType type, T[] values)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        ValueGetter<VBuffer<T>> getter = (ref VBuffer<T> destination) => new VBuffer<T>(values.Length, values).CopyTo(ref destination);
        annotations.AddKeyValues(values.Length, type, getter);
        schema.AddColumn(Name, new KeyDataViewType(typeof(uint), values.Length), annotations.ToAnnotations());
    }
}
