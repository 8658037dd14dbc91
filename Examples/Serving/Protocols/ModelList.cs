using System.Text.Json;
using MLExtensions.Examples.Serving.Http;
using MLExtensions.Examples.Serving.Models;

namespace MLExtensions.Examples.Serving.Protocols;

/// <summary>What GET / shows.</summary>
internal static class ModelList
{
    public static void Write(Utf8JsonWriter writer, IReadOnlyDictionary<string, LoadedModel[]> models)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("models");
        foreach (var model in models.Values.SelectMany(versions => versions).OrderBy(model => model.Name, StringComparer.Ordinal).ThenBy(model => model.Version))
        {
            writer.WriteStartObject();
            writer.WriteString("name", model.Name);
            writer.WriteString("version", model.VersionText);
            writer.WriteNumber("loaded", model.Predictor.LoadCount);
            WriteColumns(writer, "inputs", model.Predictor.Inputs);
            WriteColumns(writer, "outputs", model.Predictor.Outputs);
            writer.WriteString("predict", $"/v1/models/{Uri.EscapeDataString(model.Name)}/versions/{model.VersionText}:predict");
            writer.WriteString("infer", $"/v2/models/{Uri.EscapeDataString(model.Name)}/versions/{model.VersionText}/infer");
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteString("openapi", "/openapi.json");
        writer.WriteString("metrics", "/metrics");
        writer.WriteString("pad", PadFiles.Path);
        writer.WriteEndObject();
    }

    private static void WriteColumns(Utf8JsonWriter writer, string name, IReadOnlyList<ModelColumn> columns)
    {
        writer.WriteStartArray(name);
        foreach (var column in columns)
            writer.WriteStringValue(column.ToString());
        writer.WriteEndArray();
    }
}
