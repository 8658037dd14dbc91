using System.Text.Json;
using MLExtensions.Examples.Serving.Http;
using MLExtensions.Examples.Serving.Json;
using MLExtensions.Examples.Serving.Models;

namespace MLExtensions.Examples.Serving.Protocols;

/// <summary>The Open Inference Protocol, version 2, as KServe and Triton speak it.</summary>
internal sealed class OpenInference : IProtocol
{
    public static readonly OpenInference Instance = new();

    private const int MostNames = 1000; // a vocabulary is too long for it

    public object? Read(ReadOnlySpan<byte> body, InferenceInput input)
    {
        var json = new JsonText(body);
        var reader = new Utf8JsonReader(body);
        var request = new Request();
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw RequestException.Bad("The body must be an object with \"inputs\".");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("inputs"u8))
                ReadInputs(ref reader, ref json, input);
            else if (reader.ValueTextEquals("outputs"u8))
                request.Outputs = ReadOutputs(ref reader);
            else if (reader.ValueTextEquals("id"u8))
                request.Id = JsonWalk.Text(ref reader, "id");
            else
                JsonWalk.Pass(ref reader);
        }
        JsonWalk.End(ref reader);
        return request;
    }

    public void Write(HttpResponse response, LoadedModel model, object? request, IReadOnlyList<ColumnData> columns, int rows) =>
        JsonAnswer.Write(response, 200, (model, Request: (Request)request!, columns, rows), static (writer, answer) =>
        {
            writer.WriteStartObject();
            writer.WriteString("model_name"u8, answer.model.Name);
            writer.WriteString("model_version"u8, answer.model.VersionText);
            if (answer.Request.Id is { } id)
                writer.WriteString("id"u8, id);
            writer.WriteStartArray("outputs"u8);
            foreach (var column in Chosen(answer.columns, answer.Request.Outputs))
            {
                writer.WriteStartObject();
                writer.WriteString("name"u8, column.Name);
                writer.WriteString("datatype"u8, DataTypes.NameOf(column.ItemType));
                writer.WriteStartArray("shape"u8);
                writer.WriteNumberValue(answer.rows);
                foreach (var size in column.RowShape)
                    writer.WriteNumberValue(size < 0 ? EqualLength(column) : size);
                writer.WriteEndArray();
                writer.WriteStartArray("data"u8);
                ColumnWriter.WriteItems(writer, column, 0, column.Count);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        });

    public static void WriteLive(Utf8JsonWriter writer, bool isLive) => WriteFlag(writer, "live", isLive);

    public static void WriteReady(Utf8JsonWriter writer, bool isReady) => WriteFlag(writer, "ready", isReady);

    public static void WriteServer(Utf8JsonWriter writer, bool state)
    {
        writer.WriteStartObject();
        writer.WriteString("name", "MLExtensions.Examples.Serving");
        writer.WriteString("version", typeof(OpenInference).Assembly.GetName().Version?.ToString(3));
        writer.WriteStartArray("extensions");
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static void WriteModelReady(Utf8JsonWriter writer, LoadedModel model)
    {
        writer.WriteStartObject();
        writer.WriteString("name", model.Name);
        writer.WriteBoolean("ready", true);
        writer.WriteEndObject();
    }

    public static void WriteMetadata(Utf8JsonWriter writer, (ModelFolder Folder, LoadedModel Model) asked)
    {
        var (folder, model) = asked;
        writer.WriteStartObject();
        writer.WriteString("name", model.Name);
        writer.WriteStartArray("versions");
        foreach (var version in folder.Models.GetValueOrDefault(model.Name) ?? [model])
            writer.WriteStringValue(version.VersionText);
        writer.WriteEndArray();
        writer.WriteString("platform", "ml.net");
        WriteColumns(writer, "inputs", model.Predictor.Inputs);
        WriteColumns(writer, "outputs", model.Predictor.Outputs);
        writer.WriteEndObject();
    }

    private static void WriteFlag(Utf8JsonWriter writer, string name, bool value)
    {
        writer.WriteStartObject();
        writer.WriteBoolean(name, value);
        writer.WriteEndObject();
    }

    private static void WriteColumns(Utf8JsonWriter writer, string name, IReadOnlyList<ModelColumn> columns)
    {
        writer.WriteStartArray(name);
        foreach (var column in columns)
        {
            writer.WriteStartObject();
            writer.WriteString("name", column.Name);
            writer.WriteString("datatype", DataTypes.NameOf(column.ItemType));
            writer.WriteStartArray("shape");
            writer.WriteNumberValue(-1);
            foreach (var size in column.RowShape)
                writer.WriteNumberValue(size);
            writer.WriteEndArray();
            WriteNames(writer, column);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    /// <summary>The protocol leaves it to servers what else they say of a column.</summary>
    private static void WriteNames(Utf8JsonWriter writer, ModelColumn column)
    {
        if (column.Names.Count is 0 or > MostNames)
            return;
        writer.WriteStartObject("parameters");
        writer.WriteStartArray("names");
        foreach (var name in column.Names)
            writer.WriteStringValue(name);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void ReadInputs(ref Utf8JsonReader reader, ref JsonText json, InferenceInput input)
    {
        JsonWalk.Into(ref reader, JsonTokenType.StartArray, "inputs");
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            ReadInput(ref reader, ref json, input);
        if (reader.TokenType != JsonTokenType.EndArray)
            throw RequestException.Bad("\"inputs\" must be an array of objects.");
    }

    private static void ReadInput(ref Utf8JsonReader reader, ref JsonText json, InferenceInput input)
    {
        ColumnBuilder? builder = null;
        List<long>? shape = null;
        string? type = null;
        var dataStart = -1;
        var hasData = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("name"u8))
            {
                builder = input.Of(JsonWalk.Text(ref reader, "name"));
            }
            else if (reader.ValueTextEquals("shape"u8))
            {
                shape = JsonWalk.Sizes(ref reader, "shape");
            }
            else if (reader.ValueTextEquals("datatype"u8))
            {
                type = JsonWalk.Text(ref reader, "datatype");
            }
            else if (!reader.ValueTextEquals("data"u8))
            {
                JsonWalk.Pass(ref reader);
            }
            else if (builder != null)
            {
                reader.Read();
                builder.AddAll(ref reader, ref json);
                hasData = true;
            }
            else
            {
                // The name comes later.
                reader.Read();
                dataStart = json.Offset + (int)reader.TokenStartIndex;
                reader.Skip();
            }
        }
        if (builder == null)
            throw RequestException.Bad("An input has no \"name\".");
        if (dataStart >= 0)
        {
            var later = new JsonText(json.Bytes[dataStart..]);
            var data = new Utf8JsonReader(later.Bytes);
            data.Read();
            builder.AddAll(ref data, ref later);
            hasData = true;
        }
        if (!hasData)
            throw RequestException.Bad($"The input '{builder.Column.Name}' has no \"data\".");
        CheckType(builder.Column, type);
        CheckShape(builder, shape, input);
    }

    private static void CheckType(ModelColumn column, string? type)
    {
        if (type == null)
            throw RequestException.Bad($"The input '{column.Name}' has no \"datatype\"; it is {DataTypes.NameOf(column.ItemType)}.");
        if (!DataTypes.Fits(type, column.ItemType))
            throw RequestException.Bad($"The input '{column.Name}' has the datatype '{type}'; the model needs {DataTypes.NameOf(column.ItemType)}.");
    }

    private static void CheckShape(ColumnBuilder builder, List<long>? shape, InferenceInput input)
    {
        var column = builder.Column;
        if (shape is not { Count: > 0 })
            throw RequestException.Bad($"The input '{column.Name}' has no \"shape\"; it is the number of rows, and the shape of a row.");
        var values = 1L;
        foreach (var size in shape)
            values = size is >= 0 and <= int.MaxValue && values <= int.MaxValue ? values * size : long.MaxValue;
        if (shape[0] < 1 || values != builder.Count)
            throw RequestException.Bad($"The input '{column.Name}' has the shape [{string.Join(", ", shape)}], which is not that of {builder.Count} values.");
        if (column.RowLength is { } length && values / shape[0] != length)
            throw RequestException.Bad($"The input '{column.Name}' has the shape [{string.Join(", ", shape)}]; behind the number of rows there must be {length} values: {column}.");
        if (input.Rows >= 0 && input.Rows != shape[0])
            throw RequestException.Bad($"The inputs have {input.Rows} and {shape[0]} rows.");
        input.Rows = (int)shape[0];
        builder.SetRows(input.Rows);
    }

    private static List<string> ReadOutputs(ref Utf8JsonReader reader)
    {
        var names = new List<string>();
        JsonWalk.Into(ref reader, JsonTokenType.StartArray, "outputs");
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("name"u8))
                    names.Add(JsonWalk.Text(ref reader, "name"));
                else
                    JsonWalk.Pass(ref reader);
            }
        }
        return reader.TokenType == JsonTokenType.EndArray ? names : throw RequestException.Bad("\"outputs\" must be an array of objects with a name.");
    }

    private static IEnumerable<ColumnData> Chosen(IReadOnlyList<ColumnData> columns, List<string>? names) => names is not { Count: > 0 }
        ? columns
        : names.Select(name => columns.FirstOrDefault(column => column.Name == name)
            ?? throw RequestException.Bad($"The model has no output '{name}'; it has {string.Join(", ", columns.Select(column => column.Name))}."));

    /// <summary>The length of all rows.</summary>
    private static int EqualLength(ColumnData column) => column.Lengths is { } lengths && lengths.Any(length => length != lengths[0])
        ? throw RequestException.Bad($"The rows of the output '{column.Name}' have different lengths, which this protocol cannot say. Send one row at a time, or use /v1.")
        : column.Lengths?[0] ?? 0;

    private sealed class Request
    {
        public string? Id { get; set; }

        public List<string>? Outputs { get; set; }
    }
}
