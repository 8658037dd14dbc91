using System.Text.Json;
using MLExtensions.Examples.Serving.Http;

namespace MLExtensions.Examples.Serving.Json;

/// <summary>Steps through JSON. All begin at the name of a property.</summary>
internal static class JsonWalk
{
    private const int MostDimensions = 16;

    /// <summary>Reads a text.</summary>
    public static string Text(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw RequestException.Bad($"\"{name}\" must be a text.");
    }

    /// <summary>Reads the sizes of dimensions.</summary>
    public static List<long> Sizes(ref Utf8JsonReader reader, string name)
    {
        Into(ref reader, JsonTokenType.StartArray, name);
        var sizes = new List<long>(4);
        while (reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var size) && sizes.Count < MostDimensions)
            sizes.Add(size);
        return reader.TokenType == JsonTokenType.EndArray ? sizes : throw RequestException.Bad($"\"{name}\" must be an array of at most {MostDimensions} whole numbers.");
    }

    /// <summary>Goes into an array or object.</summary>
    public static void Into(ref Utf8JsonReader reader, JsonTokenType start, string name)
    {
        reader.Read();
        if (reader.TokenType != start)
            throw RequestException.Bad($"\"{name}\" must be {(start == JsonTokenType.StartArray ? "an array" : "an object")}.");
    }

    /// <summary>Goes past a value that nobody needs.</summary>
    public static void Pass(ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }

    /// <summary>Checks that nothing follows.</summary>
    public static void End(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.EndObject || reader.Read())
            throw RequestException.Bad("The body does not end where its object ends.");
    }
}
