using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.ML;
using MLExtensions.Persistence;

namespace MLExtensions.LanguageModels;

/// <summary>Generation options as an entry of a model: JSON, and its checksum in the model's own stream.</summary>
internal static class GenerationOptionsStorage
{
    private const string Entry = "generation.json";
    private const int MaximumBytes = 1 << 20;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        NewLine = "\n",
    };

    public static void Save(ModelSaveContext ctx, GenerationOptions options)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(options, Json);
        ctx.SaveNonEmptyString(Checksum(bytes));
        ctx.SaveBinaryStream(Entry, writer => writer.Write(bytes));
    }

    /// <exception cref="ModelFormatException">The entry is missing or damaged.</exception>
    public static GenerationOptions Load(ModelLoadContext ctx)
    {
        var checksum = ctx.LoadNonEmptyString();
        var bytes = ModelEntry.Read(ctx, Entry, MaximumBytes);
        if (Checksum(bytes) != checksum)
            throw new ModelFormatException(Entry, "is damaged: its bytes do not have the checksum that the model has for them");
        try
        {
            var options = JsonSerializer.Deserialize<GenerationOptions>(bytes, Json) ?? throw new FormatException("it is null.");
            options.Check();
            return options;
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException)
        {
            throw new ModelFormatException(Entry, "has no generation options: " + e.Message, e);
        }
    }

    private static string Checksum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
