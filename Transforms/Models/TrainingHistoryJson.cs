using System.Text.Json;
using System.Text.Json.Serialization;
using MLExtensions.Persistence;

namespace MLExtensions.Models;

/// <summary>A training history as JSON: camelCase, every digit kept, NaN and infinities as strings.</summary>
internal static class TrainingHistoryJson
{
    /// <summary>Enough for about a hundred thousand epochs.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        MaxDepth = 8,
        WriteIndented = true,
        NewLine = "\n",
    };

    public static byte[] ToJson(this TrainingHistory history) => JsonSerializer.SerializeToUtf8Bytes(history, Options);

    /// <param name="json">The bytes of <see cref="ToJson"/>; fields of later versions are ignored.</param>
    /// <param name="entryName">The name of the file in error messages.</param>
    /// <exception cref="ModelFormatException">The JSON is damaged, incomplete or too long.</exception>
    public static TrainingHistory FromJson(ReadOnlySpan<byte> json, string entryName)
    {
        if (json.Length > MaxBytes)
        {
            throw new ModelFormatException(entryName, $"is {json.Length} bytes long; a history can have at most {MaxBytes}");
        }
        try
        {
            return JsonSerializer.Deserialize<TrainingHistory>(json, Options)
                ?? throw new ModelFormatException(entryName, "holds null instead of a training history");
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new ModelFormatException(entryName, "is not a training history: " + e.Message, e);
        }
    }

    /// <summary>Reads a history to the end of a stream.</summary>
    /// <inheritdoc cref="FromJson(ReadOnlySpan{byte}, string)"/>
    public static TrainingHistory FromJson(Stream stream, string entryName) =>
        FromJson(new EntryReader(stream, entryName).ReadToEnd(MaxBytes), entryName);
}
