using System.Text.Json;

namespace MLExtensions.Examples.Serving.Json;

/// <summary>Writes the values of an answer.</summary>
internal static class ColumnWriter
{
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
        switch (column)
        {
            case ColumnData<float> floats:
                foreach (var value in floats.Values.Span.Slice(start, count))
                    Write(writer, value);
                break;
            case ColumnData<double> doubles:
                foreach (var value in doubles.Values.Span.Slice(start, count))
                    Write(writer, value);
                break;
            case ColumnData<string> texts:
                foreach (var value in texts.Values.Span.Slice(start, count))
                    writer.WriteStringValue(value);
                break;
            case ColumnData<bool> booleans:
                foreach (var value in booleans.Values.Span.Slice(start, count))
                    writer.WriteBooleanValue(value);
                break;
            case ColumnData<byte[]> files:
                foreach (var value in files.Values.Span.Slice(start, count))
                    WriteBytes(writer, value);
                break;
            case ColumnData<ulong> large:
                foreach (var value in large.Values.Span.Slice(start, count))
                    writer.WriteNumberValue(value);
                break;
            case ColumnData<long> values:
                Write(writer, values.Values.Span.Slice(start, count), value => value);
                break;
            case ColumnData<int> values:
                Write(writer, values.Values.Span.Slice(start, count), value => value);
                break;
            case ColumnData<uint> values:
                Write(writer, values.Values.Span.Slice(start, count), value => value);
                break;
            case ColumnData<short> values:
                Write(writer, values.Values.Span.Slice(start, count), value => value);
                break;
            case ColumnData<ushort> values:
                Write(writer, values.Values.Span.Slice(start, count), value => value);
                break;
            case ColumnData<byte> values:
                Write(writer, values.Values.Span.Slice(start, count), value => value);
                break;
            case ColumnData<sbyte> values:
                Write(writer, values.Values.Span.Slice(start, count), value => value);
                break;
            default:
                throw new NotSupportedException(column.ItemType.Name);
        }
    }

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

    private static void Write<T>(Utf8JsonWriter writer, ReadOnlySpan<T> values, Func<T, long> widen)
    {
        foreach (var value in values)
            writer.WriteNumberValue(widen(value));
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
