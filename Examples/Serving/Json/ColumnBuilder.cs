using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using MLExtensions.Examples.Serving.Http;

namespace MLExtensions.Examples.Serving.Json;

/// <summary>Collects the values of an input column out of JSON, in memory that is given back.</summary>
internal abstract class ColumnBuilder(ModelColumn column)
{
    /// <summary>The column.</summary>
    public ModelColumn Column => column;

    /// <summary>The number of values.</summary>
    public int Count { get; protected set; }

    /// <summary>The number of values of each row, where it varies.</summary>
    protected List<int>? Lengths { get; } = column.RowLength == null ? [] : null;

    public static ColumnBuilder Of(ModelColumn column) =>
        column.ItemType == typeof(string) ? new TextBuilder(column)
        : column.ItemType == typeof(byte[]) ? new BytesBuilder(column)
        : column.ItemType == typeof(bool) ? new BooleanBuilder(column)
        : (ColumnBuilder)Activator.CreateInstance(typeof(NumberBuilder<>).MakeGenericType(column.ItemType), column)!;

    /// <summary>Adds a row: a value, or an array that may be nested.</summary>
    /// <param name="reader">At the first token of the value; then at its last one.</param>
    /// <param name="json">What the reader reads.</param>
    /// <param name="row">The number of the row, for messages.</param>
    public void AddRow(ref Utf8JsonReader reader, ref JsonText json, int row)
    {
        var before = Count;
        var isArray = reader.TokenType == JsonTokenType.StartArray;
        if (isArray != column.RowShape.Count > 0)
            throw RequestException.Bad(FormattableString.Invariant($"'{column.Name}', row {row}: there is {Describe(reader.TokenType)}; the model needs {column}."));
        Add(ref reader, ref json);
        if (Lengths != null)
            Lengths.Add(Count - before);
        else if (Count - before != column.RowLength)
            throw RequestException.Bad(FormattableString.Invariant($"'{column.Name}', row {row}: there are {Count - before} values; the model needs {column.RowLength}."));
    }

    /// <summary>Adds all values of an array, flat or nested, without regard to rows.</summary>
    public void AddAll(ref Utf8JsonReader reader, ref JsonText json)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw RequestException.Bad($"'{column.Name}': the data is {Describe(reader.TokenType)}; it must be an array.");
        Add(ref reader, ref json);
    }

    /// <summary>Says that all rows have the same length.</summary>
    public void SetRows(int rows)
    {
        if (Lengths == null)
            return;
        Lengths.Clear();
        for (var row = 0; row < rows; row++)
            Lengths.Add(Count / rows);
    }

    /// <summary>The column. Its memory is that of the builder.</summary>
    public abstract ColumnData Build();

    /// <summary>Gives back the memory, which nobody may use any more.</summary>
    public virtual void Return()
    {
    }

    /// <summary>Adds a value or an array of values.</summary>
    protected virtual void Add(ref Utf8JsonReader reader, ref JsonText json)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            AddItem(ref reader);
            return;
        }
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            Add(ref reader, ref json);
    }

    protected abstract void AddItem(ref Utf8JsonReader reader);

    protected RequestException Wrong(JsonTokenType token, string needed) => RequestException.Bad(FormattableString.Invariant($"'{column.Name}', value {Count}: there is {Describe(token)}; it must be {needed}."));

    protected static string Describe(JsonTokenType token) => token switch
    {
        JsonTokenType.StartArray => "an array",
        JsonTokenType.StartObject => "an object",
        JsonTokenType.String => "a text",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a Boolean",
        JsonTokenType.Null => "null",
        _ => "nothing",
    };
}

/// <summary>The values of a type, in memory from the pool.</summary>
internal abstract class ColumnBuilder<T>(ModelColumn column) : ColumnBuilder(column)
{
    private T[] _values = ArrayPool<T>.Shared.Rent(Math.Max(16, column.RowLength ?? 16));

    public override ColumnData Build() => Lengths == null
        ? ColumnData.Of<T>(Column.Name, _values.AsMemory(0, Count))
        : ColumnData.Of<T>(Column.Name, _values.AsMemory(0, Count), Lengths);

    public override void Return()
    {
        ArrayPool<T>.Shared.Return(_values, clearArray: RuntimeHelpers.IsReferenceOrContainsReferences<T>());
        _values = [];
    }

    protected void Append(T value)
    {
        if (Count == _values.Length)
            Grow();
        _values[Count++] = value;
    }

    /// <summary>Room for values behind those that are there.</summary>
    protected Span<T> Room => _values.AsSpan(Count);

    protected void Grow()
    {
        var larger = ArrayPool<T>.Shared.Rent(_values.Length * 2);
        _values.AsSpan(0, Count).CopyTo(larger);
        ArrayPool<T>.Shared.Return(_values, clearArray: RuntimeHelpers.IsReferenceOrContainsReferences<T>());
        _values = larger;
    }
}

/// <summary>Numbers. Arrays are read past the JSON reader, which takes several times as long.</summary>
internal sealed class NumberBuilder<T>(ModelColumn column) : ColumnBuilder<T>(column)
{
    protected override void Add(ref Utf8JsonReader reader, ref JsonText json)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            AddItem(ref reader);
            return;
        }
        var start = json.Offset + (int)reader.BytesConsumed;
        var end = ReadArray(json.Bytes, start);
        // The reader goes on at the bracket that ends the array, as if the array were empty.
        json.Offset = end;
        reader = new Utf8JsonReader(json.Bytes[end..], isFinalBlock: true, reader.CurrentState);
        reader.Read();
    }

    protected override void AddItem(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.Number || NumberText.Read<T>(reader.ValueSpan, out var value) != reader.ValueSpan.Length)
            throw Wrong(reader.TokenType, Needed);
        Append(value);
    }

    private static string Needed => typeof(T) == typeof(float) || typeof(T) == typeof(double) ? $"a number ({typeof(T).Name})" : $"a whole number in the range of {typeof(T).Name}";

    /// <summary>Reads numbers up to the bracket that ends the array.</summary>
    /// <returns>The position of that bracket.</returns>
    private int ReadArray(ReadOnlySpan<byte> text, int start)
    {
        const int DeepestNesting = 16;
        var at = start;
        var depth = 0;
        var mayEnd = true; // nothing, or a value, is before
        var mustSeparate = false;
        var room = Room;
        while (at < text.Length)
        {
            var next = text[at];
            if (next is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            {
                at++;
            }
            else if (next == ',')
            {
                if (!mustSeparate)
                    break;
                (mustSeparate, mayEnd) = (false, false);
                at++;
            }
            else if (next == ']')
            {
                if (!mayEnd)
                    break;
                if (depth-- == 0)
                    return at;
                (mustSeparate, mayEnd) = (true, true);
                at++;
            }
            else if (mustSeparate)
            {
                break;
            }
            else if (next == '[')
            {
                if (++depth > DeepestNesting)
                    throw RequestException.Bad(FormattableString.Invariant($"'{Column.Name}': arrays are nested more than {DeepestNesting} deep."));
                mayEnd = true;
                at++;
            }
            else
            {
                var length = NumberText.Read<T>(text[at..], out var value);
                if (length == 0)
                    break;
                if (room.Length == 0)
                {
                    Grow();
                    room = Room;
                }
                room[0] = value;
                room = room[1..];
                Count++;
                at += length;
                (mustSeparate, mayEnd) = (true, true);
            }
        }
        var found = System.Text.Encoding.UTF8.GetString(text[at..Math.Min(text.Length, at + 20)]);
        throw RequestException.Bad(FormattableString.Invariant($"'{Column.Name}', value {Count}: byte {at} begins '{found}'; there must be {Needed}, and commas between them."));
    }
}

/// <summary>Texts, plain or as {"b64": "..."}.</summary>
internal sealed class TextBuilder(ModelColumn column) : ColumnBuilder<string>(column)
{
    protected override void AddItem(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
            Append(System.Text.Encoding.UTF8.GetString(Base64Object.Read(ref reader, Column.Name)));
        else if (reader.TokenType == JsonTokenType.String)
            Append(reader.GetString()!);
        else
            throw Wrong(reader.TokenType, "a text");
    }
}

/// <summary>Files of images, as {"b64": "..."} or as text in base64.</summary>
internal sealed class BytesBuilder(ModelColumn column) : ColumnBuilder<byte[]>(column)
{
    protected override void AddItem(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
            Append(Base64Object.Read(ref reader, Column.Name));
        else if (reader.TokenType == JsonTokenType.String && reader.TryGetBytesFromBase64(out var bytes))
            Append(bytes);
        else
            throw Wrong(reader.TokenType, "the bytes of an image file in base64");
    }
}

/// <summary>Booleans.</summary>
internal sealed class BooleanBuilder(ModelColumn column) : ColumnBuilder<bool>(column)
{
    protected override void AddItem(ref Utf8JsonReader reader) =>
        Append(reader.TokenType is JsonTokenType.True or JsonTokenType.False ? reader.GetBoolean() : throw Wrong(reader.TokenType, "true or false"));
}

/// <summary>How TensorFlow Serving writes bytes.</summary>
internal static class Base64Object
{
    public static byte[] Read(ref Utf8JsonReader reader, string column)
    {
        if (reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("b64"u8) && reader.Read()
            && reader.TokenType == JsonTokenType.String && reader.TryGetBytesFromBase64(out var bytes) && reader.Read() && reader.TokenType == JsonTokenType.EndObject)
            return bytes;
        throw RequestException.Bad($"'{column}': an object must be {{\"b64\": \"...\"}} with bytes in base64.");
    }
}
