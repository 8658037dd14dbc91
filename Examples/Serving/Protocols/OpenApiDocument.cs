using System.Text.Json;
using System.Text.Json.Nodes;
using MLExtensions.Examples.Serving.Models;

namespace MLExtensions.Examples.Serving.Protocols;

/// <summary>The OpenAPI document, with the schemas of the models that are loaded.</summary>
internal static class OpenApiDocument
{
    public static void Write(Utf8JsonWriter writer, IReadOnlyDictionary<string, LoadedModel[]> models)
    {
        var paths = new JsonObject();
        foreach (var versions in models.Values)
        {
            AddPaths(paths, versions[^1], "");
            foreach (var model in versions)
                AddPaths(paths, model, $"/versions/{model.VersionText}");
        }
        paths["/v2/health/live"] = Get("Whether the server runs", []);
        paths["/v2/health/ready"] = Get("Whether models can be asked", ["503"]);
        new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "Saved models", ["version"] = "1" },
            ["paths"] = paths,
        }.WriteTo(writer);
    }

    private static void AddPaths(JsonObject paths, LoadedModel model, string version)
    {
        var name = Uri.EscapeDataString(model.Name) + version;
        var (inputs, outputs) = (model.Predictor.Inputs, model.Predictor.Outputs);
        paths[$"/v2/models/{name}"] = Get($"What {model.Name} needs and answers", ["404"]);
        paths[$"/v2/models/{name}/infer"] = Post($"Ask {model.Name} by the Open Inference Protocol", TensorsOf("inputs", inputs), TensorsOf("outputs", outputs));
        paths[$"/v1/models/{name}:predict"] = Post(
            $"Ask {model.Name} as TensorFlow Serving",
            ObjectOf(("instances", ArrayOf(RowOf(inputs)))),
            ObjectOf(("predictions", ArrayOf(RowOf(outputs)))));
    }

    private static JsonObject Get(string summary, string[] errors) => new() { ["get"] = new JsonObject { ["summary"] = summary, ["responses"] = Responses(new JsonObject { ["type"] = "object" }, errors) } };

    private static JsonObject Post(string summary, JsonObject request, JsonObject answer) => new()
    {
        ["post"] = new JsonObject
        {
            ["summary"] = summary,
            ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content(request) },
            ["responses"] = Responses(answer, ["400", "404", "413", "429", "503", "504"]),
        },
    };

    private static JsonObject Responses(JsonObject answer, string[] errors)
    {
        var responses = new JsonObject { ["200"] = new JsonObject { ["description"] = "The answer", ["content"] = Content(answer) } };
        foreach (var error in errors)
            responses[error] = new JsonObject { ["description"] = "What is wrong", ["content"] = Content(ObjectOf(("error", new JsonObject { ["type"] = "string" }))) };
        return responses;
    }

    private static JsonObject Content(JsonObject schema) => new() { ["application/json"] = new JsonObject { ["schema"] = schema } };

    private static JsonObject TensorsOf(string name, IReadOnlyList<ModelColumn> columns) => ObjectOf((name, new JsonObject
    {
        ["type"] = "array",
        ["prefixItems"] = new JsonArray([.. columns.Select(column => ObjectOf(
            ("name", new JsonObject { ["const"] = column.Name }),
            ("datatype", new JsonObject { ["const"] = DataTypes.NameOf(column.ItemType) }),
            ("shape", new JsonObject
            {
                ["type"] = "array",
                ["items"] = new JsonObject { ["type"] = "integer" },
                ["description"] = $"rows{string.Concat(column.RowShape.Select(size => size < 0 ? ", any" : FormattableString.Invariant($", {size}")))}",
            }),
            ("data", ArrayOf(ItemOf(column)))))]),
    }));

    private static JsonObject RowOf(IReadOnlyList<ModelColumn> columns) => columns.Count == 1 ? ValueOf(columns[0]) : ObjectOf([.. columns.Select(column => (column.Name, ValueOf(column)))]);

    private static JsonObject ValueOf(ModelColumn column)
    {
        var schema = ItemOf(column);
        foreach (var size in column.RowShape.Reverse())
        {
            schema = ArrayOf(schema);
            if (size >= 0)
                (schema["minItems"], schema["maxItems"]) = (size, size);
        }
        return schema;
    }

    private static JsonObject ItemOf(ModelColumn column) =>
        column.ItemType == typeof(string) ? new JsonObject { ["type"] = "string" }
        : column.ItemType == typeof(bool) ? new JsonObject { ["type"] = "boolean" }
        : column.ItemType == typeof(byte[]) ? ObjectOf(("b64", new JsonObject { ["type"] = "string", ["contentEncoding"] = "base64" }))
        : new JsonObject { ["type"] = column.ItemType == typeof(float) || column.ItemType == typeof(double) ? "number" : "integer" };

    private static JsonObject ArrayOf(JsonObject items) => new() { ["type"] = "array", ["items"] = items };

    private static JsonObject ObjectOf(params (string Name, JsonObject Schema)[] properties)
    {
        var schemas = new JsonObject();
        foreach (var (name, schema) in properties)
            schemas[name] = schema;
        return new JsonObject { ["type"] = "object", ["required"] = new JsonArray([.. properties.Select(property => JsonValue.Create(property.Name))]), ["properties"] = schemas };
    }
}
