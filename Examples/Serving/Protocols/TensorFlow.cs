using System.Text.Json;
using MLExtensions.Examples.Serving.Http;
using MLExtensions.Examples.Serving.Json;
using MLExtensions.Examples.Serving.Models;

namespace MLExtensions.Examples.Serving.Protocols;

/// <summary>The REST interface of TensorFlow Serving: rows as "instances", or columns as "inputs".</summary>
internal sealed class TensorFlow : IProtocol
{
    public static readonly TensorFlow Instance = new();

    private static readonly object ByColumns = new();

    public object? Read(ReadOnlySpan<byte> body, InferenceInput input)
    {
        var json = new JsonText(body);
        var reader = new Utf8JsonReader(body);
        object? format = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw RequestException.Bad("The body must be an object with \"instances\" or \"inputs\".");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isRows = reader.ValueTextEquals("instances"u8);
            if (!isRows && !reader.ValueTextEquals("inputs"u8))
            {
                JsonWalk.Pass(ref reader);
                continue;
            }
            if (input.Rows >= 0)
                throw RequestException.Bad("There must be either \"instances\" or \"inputs\", once.");
            if (isRows)
                ReadRows(ref reader, ref json, input);
            else
                ReadColumns(ref reader, ref json, input);
            format = isRows ? null : ByColumns;
        }
        JsonWalk.End(ref reader);
        return input.Rows >= 0 ? format : throw RequestException.Bad("There must be \"instances\", an array of rows, or \"inputs\".");
    }

    public void Write(HttpResponse response, LoadedModel model, object? request, IReadOnlyList<ColumnData> columns, int rows)
    {
        if (request == ByColumns)
            JsonAnswer.Write(response, 200, (columns, rows), WriteColumns);
        else
            JsonAnswer.Write(response, 200, (columns, rows), WriteRows);
    }

    public static void WriteStatus(Utf8JsonWriter writer, LoadedModel[] versions)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("model_version_status");
        foreach (var version in versions.Reverse())
        {
            writer.WriteStartObject();
            writer.WriteString("version", version.VersionText);
            writer.WriteString("state", "AVAILABLE");
            writer.WriteStartObject("status");
            writer.WriteString("error_code", "OK");
            writer.WriteString("error_message", "");
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static void WriteMetadata(Utf8JsonWriter writer, LoadedModel model)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("model_spec");
        writer.WriteString("name", model.Name);
        writer.WriteString("signature_name", "");
        writer.WriteString("version", model.VersionText);
        writer.WriteEndObject();
        writer.WriteStartObject("metadata");
        writer.WriteStartObject("signature_def");
        writer.WriteStartObject("signature_def");
        writer.WriteStartObject("serving_default");
        WriteSignature(writer, "inputs", model.Predictor.Inputs);
        WriteSignature(writer, "outputs", model.Predictor.Outputs);
        writer.WriteString("method_name", "tensorflow/serving/predict");
        for (var i = 0; i < 5; i++)
            writer.WriteEndObject();
    }

    private static void WriteSignature(Utf8JsonWriter writer, string name, IReadOnlyList<ModelColumn> columns)
    {
        writer.WriteStartObject(name);
        foreach (var column in columns)
        {
            writer.WriteStartObject(column.Name);
            writer.WriteString("dtype", DataTypes.TensorFlowNameOf(column.ItemType));
            writer.WriteStartObject("tensor_shape");
            writer.WriteStartArray("dim");
            foreach (var size in column.RowShape.Prepend(-1))
            {
                writer.WriteStartObject();
                writer.WriteString("size", size.ToString(System.Globalization.CultureInfo.InvariantCulture));
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteString("name", column.Name);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static void ReadRows(ref Utf8JsonReader reader, ref JsonText json, InferenceInput input)
    {
        JsonWalk.Into(ref reader, JsonTokenType.StartArray, "instances");
        var rows = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.StartObject && !IsValue(reader))
                ReadNamedRow(ref reader, ref json, input, rows);
            else
                input.Only().AddRow(ref reader, ref json, rows);
            rows++;
        }
        input.Rows = rows;
    }

    private static void ReadNamedRow(ref Utf8JsonReader reader, ref JsonText json, InferenceInput input, int row)
    {
        var columns = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var builder = input.Of(reader.GetString());
            reader.Read();
            builder.AddRow(ref reader, ref json, row);
            columns++;
        }
        if (columns != input.Columns.Count)
            throw RequestException.Bad(FormattableString.Invariant($"Row {row} has {columns} of the {input.Columns.Count} inputs: {string.Join(", ", input.Columns)}."));
    }

    private static void ReadColumns(ref Utf8JsonReader reader, ref JsonText json, InferenceInput input)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            ReadColumn(ref reader, ref json, input.Only(), input);
            return;
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var builder = input.Of(reader.GetString());
            reader.Read();
            ReadColumn(ref reader, ref json, builder, input);
        }
    }

    private static void ReadColumn(ref Utf8JsonReader reader, ref JsonText json, ColumnBuilder builder, InferenceInput input)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw RequestException.Bad($"'{builder.Column.Name}' must be an array of rows.");
        var rows = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            builder.AddRow(ref reader, ref json, rows++);
        if (input.Rows >= 0 && input.Rows != rows)
            throw RequestException.Bad(FormattableString.Invariant($"The inputs have {input.Rows} and {rows} rows."));
        input.Rows = rows;
    }

    /// <summary>Whether an object is bytes, not a row.</summary>
    private static bool IsValue(Utf8JsonReader copy) => copy.Read() && copy.TokenType == JsonTokenType.PropertyName && copy.ValueTextEquals("b64"u8);

    private static void WriteRows(Utf8JsonWriter writer, (IReadOnlyList<ColumnData> Columns, int Rows) answer)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("predictions"u8);
        var starts = new int[answer.Columns.Count];
        for (var row = 0; row < answer.Rows; row++)
        {
            if (answer.Columns.Count > 1)
                writer.WriteStartObject();
            for (var i = 0; i < starts.Length; i++)
            {
                var column = answer.Columns[i];
                if (answer.Columns.Count > 1)
                    writer.WritePropertyName(column.Name);
                starts[i] = ColumnWriter.WriteRow(writer, column, row, starts[i], answer.Rows);
            }
            if (answer.Columns.Count > 1)
                writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteColumns(Utf8JsonWriter writer, (IReadOnlyList<ColumnData> Columns, int Rows) answer)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("outputs"u8);
        if (answer.Columns.Count > 1)
            writer.WriteStartObject();
        foreach (var column in answer.Columns)
        {
            if (answer.Columns.Count > 1)
                writer.WritePropertyName(column.Name);
            writer.WriteStartArray();
            var start = 0;
            for (var row = 0; row < answer.Rows; row++)
                start = ColumnWriter.WriteRow(writer, column, row, start, answer.Rows);
            writer.WriteEndArray();
        }
        if (answer.Columns.Count > 1)
            writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
