using System.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Serving.Blocks;

/// <summary>A column that requests bring.</summary>
internal abstract class InputColumn(DataViewSchema.Column column, Type itemType, bool isKey)
{
    public int Index => column.Index;

    /// <summary>What is said of it.</summary>
    public ModelColumn Description { get; } = new(column, itemType, isKey);

    protected DataViewSchema.Column Column => column;

    /// <summary>Describes a column of a model's schema.</summary>
    /// <exception cref="NotSupportedException">Requests cannot bring its type; the message names it.</exception>
    public static InputColumn Of(DataViewSchema.Column column)
    {
        var item = (column.Type as VectorDataViewType)?.ItemType ?? column.Type;
        if (item is KeyDataViewType)
            return KeyInput.Of(column);
        if (item is TextDataViewType)
            return new TextInput(column);
        if (item is ImageDataViewType)
            return new ImageInput(column);
        if (item is BooleanDataViewType or NumberDataViewType && item != RowIdDataViewType.Instance)
            return (InputColumn)Activator.CreateInstance(typeof(NumberInput<>).MakeGenericType(item.RawType), column)!;
        throw new NotSupportedException($"Input column '{column.Name}' has type {column.Type}; a request can bring numbers, Booleans, texts, keys and images, alone or in vectors.");
    }

    /// <summary>Checks the values of a request, and turns them into what the model reads.</summary>
    /// <param name="given">The values.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="owned">Takes what is made and must be disposed.</param>
    /// <exception cref="ArgumentException">They are of another type, or not as many as there must be.</exception>
    public abstract ColumnData Accept(ColumnData given, int rows, List<IDisposable> owned);

    /// <summary>Returns a getter of the current row of a cursor.</summary>
    public abstract Delegate CreateGetter(ServedRows.Cursor cursor, int place);

    protected static ArgumentException Wrong(string name, string problem) => new($"Column '{name}': {problem}");

    protected void CheckCounts(ColumnData given, int rows)
    {
        if (Description.RowLength is { } length)
        {
            if (given.Lengths != null)
                throw Wrong(Column.Name, FormattableString.Invariant($"the length of its rows varies; each has {length} values in this model."));
            if (given.Count != (long)rows * length)
                throw Wrong(Column.Name, FormattableString.Invariant($"there are {given.Count} values; {rows} rows of {length} are {(long)rows * length}."));
            return;
        }
        if (given.Lengths is not { } lengths)
        {
            if (given.Count % rows != 0)
                throw Wrong(Column.Name, FormattableString.Invariant($"there are {given.Count} values for {rows} rows; give the length of each row."));
            return;
        }
        if (lengths.Count != rows || lengths.Any(each => each < 0) || lengths.Sum(each => (long)each) != given.Count)
            throw Wrong(Column.Name, FormattableString.Invariant($"there are {lengths.Count} lengths for {rows} rows, which must sum up to the {given.Count} values."));
    }
}

/// <summary>A column whose values the model reads as a type.</summary>
internal abstract class InputColumn<TRaw>(DataViewSchema.Column column, Type itemType, bool isKey = false) : InputColumn(column, itemType, isKey)
{
    public override ColumnData Accept(ColumnData given, int rows, List<IDisposable> owned)
    {
        if (given.ItemType != Description.ItemType && given is not ColumnData<TRaw>)
            throw WrongType(given);
        CheckCounts(given, rows);
        var values = Convert(given, owned);
        if (Description.RowLength != null)
            return values;
        var ends = new int[rows];
        var end = 0;
        for (var row = 0; row < rows; row++)
            ends[row] = end += given.Lengths?[row] ?? given.Count / rows;
        return new ColumnData<TRaw>(given.Name, values.Values, ends, []);
    }

    public override Delegate CreateGetter(ServedRows.Cursor cursor, int place)
    {
        if (Column.Type is not VectorDataViewType)
        {
            ValueGetter<TRaw> single = (ref TRaw value) => value = ((ColumnData<TRaw>)cursor.Values[place]).Values.Span[cursor.Row];
            return single;
        }
        var length = Description.RowLength;
        ValueGetter<VBuffer<TRaw>> vector = (ref VBuffer<TRaw> value) =>
        {
            var data = (ColumnData<TRaw>)cursor.Values[place];
            var row = cursor.Row;
            var end = length * (row + 1) ?? data.Lengths![row];
            var start = length * row ?? (row == 0 ? 0 : data.Lengths![row - 1]);
            var editor = VBufferEditor.Create(ref value, end - start);
            data.Values.Span[start..end].CopyTo(editor.Values);
            value = editor.Commit();
        };
        return vector;
    }

    protected abstract ColumnData<TRaw> Convert(ColumnData given, List<IDisposable> owned);

    protected ArgumentException WrongType(ColumnData given) => Wrong(Column.Name, $"its values are {given.ItemType.Name}; they must be {Description.ItemType.Name}.");
}

/// <summary>Numbers and Booleans.</summary>
internal sealed class NumberInput<T>(DataViewSchema.Column column) : InputColumn<T>(column, typeof(T))
{
    protected override ColumnData<T> Convert(ColumnData given, List<IDisposable> owned) => given as ColumnData<T> ?? throw WrongType(given);
}

/// <summary>Texts.</summary>
internal sealed class TextInput(DataViewSchema.Column column) : InputColumn<ReadOnlyMemory<char>>(column, typeof(string))
{
    protected override ColumnData<ReadOnlyMemory<char>> Convert(ColumnData given, List<IDisposable> owned)
    {
        if (given is ColumnData<ReadOnlyMemory<char>> raw)
            return raw;
        var texts = given as ColumnData<string> ?? throw WrongType(given);
        var values = new ReadOnlyMemory<char>[texts.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = (texts.Values.Span[i] ?? throw Wrong(Column.Name, FormattableString.Invariant($"value {i} is null; it must be a text."))).AsMemory();
        return new(given.Name, values, null, []);
    }
}

/// <summary>Images, as files or decoded.</summary>
internal sealed class ImageInput(DataViewSchema.Column column) : InputColumn<MLImage>(column, typeof(byte[]))
{
    // 256 MB. A small file can be a large picture, and a request can have many.
    private const long MostPixelsOfRequest = 1 << 26;

    protected override ColumnData<MLImage> Convert(ColumnData given, List<IDisposable> owned)
    {
        if (given is ColumnData<MLImage> images)
            return CheckNone(images);
        var files = given as ColumnData<byte[]> ?? throw WrongType(given);
        var values = new MLImage[files.Count];
        var pixels = MostPixelsOfRequest;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = ImageFile.TryDecode(files.Values.Span[i] ?? [], upright: true, out var problem, pixels)
                ?? throw Wrong(Column.Name, FormattableString.Invariant($"image {i} cannot be read: {problem}."));
            owned.Add(values[i]);
            pixels -= (long)values[i].Width * values[i].Height;
        }
        return new(given.Name, values, null, []);
    }
    private ColumnData<MLImage> CheckNone(ColumnData<MLImage> images)
    {
        foreach (var image in images.Values.Span)
        {
            if (image == null)
                throw Wrong(Column.Name, "an image is null.");
        }
        return images;
    }
}

/// <summary>Keys, as what they stand for; as numbers from 1 on, and 0 for none, if the model does not know that.</summary>
internal static class KeyInput
{
    public static InputColumn Of(DataViewSchema.Column column)
    {
        var names = KeyValues.Of(column);
        var raw = ((column.Type as VectorDataViewType)?.ItemType ?? column.Type).RawType;
        return names == null
            ? (InputColumn)Activator.CreateInstance(typeof(NumberInput<>).MakeGenericType(raw), column)!
            : (InputColumn)Activator.CreateInstance(typeof(KeyInput<,>).MakeGenericType(raw, names.GetType().GetElementType()!), column, names)!;
    }
}

/// <summary>Keys, as what they stand for.</summary>
internal sealed class KeyInput<TRaw, T>(DataViewSchema.Column column, T[] names) : InputColumn<TRaw>(column, typeof(T), isKey: true)
    where TRaw : INumberBase<TRaw>
    where T : notnull
{
    private readonly Dictionary<T, int> _keys = names.Select((name, i) => (name, i)).DistinctBy(pair => pair.name).ToDictionary(pair => pair.name, pair => pair.i);

    protected override ColumnData<TRaw> Convert(ColumnData given, List<IDisposable> owned)
    {
        var values = given as ColumnData<T> ?? throw WrongType(given);
        var keys = new TRaw[values.Count];
        for (var i = 0; i < keys.Length; i++)
        {
            var name = values.Values.Span[i] ?? throw Wrong(Column.Name, FormattableString.Invariant($"value {i} is null."));
            keys[i] = _keys.TryGetValue(name, out var key)
                ? TRaw.CreateChecked(key + 1)
                : throw Wrong(Column.Name, $"the model does not know the value '{name}'; it knows {Messages.NameList.Of([.. names.Select(known => $"'{known}'")])}.");
        }
        return new(given.Name, keys, null, []);
    }
}
