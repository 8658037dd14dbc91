using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.ML;

namespace MLExtensions.Persistence;

/// <summary>Saves options as an entry of a model: JSON, with its checksum in the stream of the model.</summary>
internal static class OptionsEntry
{
    private const int MaximumBytes = 1 << 20;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        NewLine = "\n",
    };

    public static void Save<T>(ModelSaveContext ctx, string entry, T options)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(options, Json);
        ctx.SaveNonEmptyString(Checksum(bytes));
        ctx.SaveBinaryStream(entry, writer => writer.Write(bytes));
    }

    /// <param name="ctx">The model.</param>
    /// <param name="entry">The name of the entry.</param>
    /// <param name="what">What it contains, for messages, such as "generation options".</param>
    /// <param name="check">Rejects options that are out of range with an <see cref="ArgumentException"/>.</param>
    /// <param name="maximumBytes">The largest size that is believed.</param>
    /// <exception cref="ModelFormatException">The entry is missing or damaged.</exception>
    public static T Load<T>(ModelLoadContext ctx, string entry, string what, Action<T> check, int maximumBytes = MaximumBytes)
    {
        var checksum = ctx.LoadNonEmptyString();
        var bytes = ModelEntry.Read(ctx, entry, maximumBytes);
        if (Checksum(bytes) != checksum)
            throw new ModelFormatException(entry, "is damaged: its checksum does not match the one in the model");
        try
        {
            var options = JsonSerializer.Deserialize<T>(bytes, Json) ?? throw new FormatException("it is null.");
            check(options);
            return options;
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException)
        {
            throw new ModelFormatException(entry, $"does not contain {what}: {e.Message}", e);
        }
    }

    private static string Checksum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
