using System.Text.Json;

namespace MLExtensions.Examples.Serving.Json;

/// <summary>Writes the values of an answer.</summary>
internal static class ColumnWriter
{
    private static readonly Dictionary<Type, ItemsWriter> Writers = new()
    {
        [typeof(float)] = Of<float>(Write),
        [typeof(double)] = Of<double>(Write),
        [typeof(sbyte)] = Of<sbyte>((writer, value) => writer.WriteNumberValue(value)),
        [typeof(short)] = Of<short>((writer, value) => writer.WriteNumberValue(value)),
        [typeof(int)] = Of<int>((writer, value) => writer.WriteNumberValue(value)),
        [typeof(long)] = Of<long>((writer, value) => writer.WriteNumberValue(value)),
        [typeof(byte)] = Of<byte>((writer, value) => writer.WriteNumberValue(value)),
        [typeof(ushort)] = Of<ushort>((writer, value) => writer.WriteNumberValue(value)),
        [typeof(uint)] = Of<uint>((writer, value) => writer.WriteNumberValue(value)),
        [typeof(ulong)] = Of<ulong>((writer, value) => writer.WriteNumberValue(value)),
        [typeof(bool)] = Of<bool>((writer, value) => writer.WriteBooleanValue(value)),
        [typeof(string)] = Of<string>((writer, value) => writer.WriteStringValue(value)),
        [typeof(byte[])] = Of<byte[]>(WriteBytes),
    };

    private delegate void ItemsWriter(Utf8JsonWriter writer, ColumnData column, int start, int count);

    /// <summary>Writes a row: a value, or an array, nested as the column is.</summary>
    /// <returns>Where the next row starts.</returns>
    public static int WriteRow(Utf8JsonWriter writer, ColumnData column, int row, int start, int rows)
    {
        var length = column.Lengths?[row] ?? column.Count / rows;
        if (column.RowShape.Count == 0)
            WriteItems(writer, column, start, 1);
        else
            WriteArray(writer, column, 0, start, length);
        return start + length;
    }

    /// <summary>Writes values, one after the other.</summary>
    public static void WriteItems(Utf8JsonWriter writer, ColumnData column, int start, int count)
    {
        if (!Writers.TryGetValue(column.ItemType, out var write))
            throw new NotSupportedException(column.ItemType.Name);
        write(writer, column, start, count);
    }

    private static ItemsWriter Of<T>(Action<Utf8JsonWriter, T> write) => (writer, column, start, count) =>
    {
        foreach (var value in ((ColumnData<T>)column).Values.Span.Slice(start, count))
            write(writer, value);
    };

    private static void WriteArray(Utf8JsonWriter writer, ColumnData column, int dimension, int start, int length)
    {
        writer.WriteStartArray();
        if (dimension == column.RowShape.Count - 1 || column.RowShape.Contains(-1))
        {
            WriteItems(writer, column, start, length);
        }
        else
        {
            var size = column.RowShape[dimension];
            for (var i = 0; i < size; i++)
                WriteArray(writer, column, dimension + 1, start + (i * (length / size)), length / size);
        }
        writer.WriteEndArray();
    }

    // JSON has no NaN and no infinity.
    private static void Write(Utf8JsonWriter writer, float value)
    {
        if (float.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteNullValue();
    }

    private static void Write(Utf8JsonWriter writer, double value)
    {
        if (double.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteNullValue();
    }

    private static void WriteBytes(Utf8JsonWriter writer, byte[] value)
    {
        writer.WriteStartObject();
        writer.WriteBase64String("b64"u8, value);
        writer.WriteEndObject();
    }
}
