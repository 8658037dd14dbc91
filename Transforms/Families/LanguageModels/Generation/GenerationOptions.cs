using System.Text.Json.Serialization;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Persistence;
using Microsoft.ML;

namespace MLExtensions;

/// <summary>How a language model writes text.</summary>
/// <remarks>
/// A token is drawn so: the logits of recent tokens are lowered (<see cref="RepetitionPenalty"/>), all are divided by
/// <see cref="Temperature"/>, all but the highest are dropped (<see cref="TopK"/>, then <see cref="TopP"/>), and one is drawn from the
/// softmax of those left. Serializable with System.Text.Json.
/// </remarks>
public sealed record GenerationOptions
{
    /// <summary>The most tokens to write; at least 1. Default 200.</summary>
    public int MaximumTokens { get; init; } = 200;

    /// <summary>
    /// What the logits are divided by; at least 0. Below 1 likely tokens become likelier, above 1 less so; at 0 the likeliest token is
    /// taken always. Default 1.
    /// </summary>
    public double Temperature { get; init; } = 1;

    /// <summary>The number of the likeliest tokens to draw from; at least 1, or null for all. Default null.</summary>
    /// <remarks>Fan, Lewis and Dauphin, "Hierarchical neural story generation" (2018).</remarks>
    public int? TopK { get; init; }

    /// <summary>
    /// Draws from the fewest likeliest tokens whose probabilities make this sum; greater than 0 and at most 1, or null for all tokens.
    /// Default null.
    /// </summary>
    /// <remarks>Holtzman et al., "The curious case of neural text degeneration" (2020).</remarks>
    public double? TopP { get; init; }

    /// <summary>
    /// What the logit of a recent token is divided by if it is positive, and multiplied by if it is negative; at least 1. Default 1:
    /// none.
    /// </summary>
    /// <remarks>Keskar et al., "CTRL: a conditional transformer language model for controllable generation" (2019); there the logits are divided only.</remarks>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>The number of the last tokens that <see cref="RepetitionPenalty"/> is for, those of the prompt included; at least 0. Default 64.</summary>
    public int RepetitionWindow { get; init; } = 64;

    /// <summary>Texts that end the generation when one appears; it is not part of the output. Default none.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Whether the generation ends with the row, that is when the token that ends rows is drawn; it is not part of the output. Default false.</summary>
    [JsonPropertyName("stopAtEndOfRow")]
    public bool StopAtEndOfSequence { get; init; }

    /// <summary>The same seed, prompt and model write the same text; null for another text each time. Default null.</summary>
    public int? Seed { get; init; }

    /// <inheritdoc/>
    public bool Equals(GenerationOptions? other) =>
        other != null
        && MaximumTokens == other.MaximumTokens
        && Temperature.Equals(other.Temperature)
        && TopK == other.TopK
        && Nullable.Equals(TopP, other.TopP)
        && RepetitionPenalty.Equals(other.RepetitionPenalty)
        && RepetitionWindow == other.RepetitionWindow
        && StopStrings.SequenceEqual(other.StopStrings)
        && StopAtEndOfSequence == other.StopAtEndOfSequence
        && Seed == other.Seed;

    /// <inheritdoc/>
    public override int GetHashCode() =>
        StopStrings.Aggregate(HashCode.Combine(MaximumTokens, Temperature, TopK, TopP, RepetitionPenalty, StopAtEndOfSequence, Seed), HashCode.Combine);

    /// <exception cref="ArgumentException">An option is out of range; the message names it, its value and its range.</exception>
    internal void Check()
    {
        Require(MaximumTokens >= 1, MaximumTokens, nameof(MaximumTokens), "at least 1");
        Require(Temperature >= 0 && double.IsFinite(Temperature), Temperature, nameof(Temperature), "finite and at least 0");
        Require(TopK is null or >= 1, TopK, nameof(TopK), "at least 1, or null");
        Require(TopP is null or (> 0 and <= 1), TopP, nameof(TopP), "greater than 0 and at most 1, or null");
        Require(RepetitionPenalty >= 1 && double.IsFinite(RepetitionPenalty), RepetitionPenalty, nameof(RepetitionPenalty), "finite and at least 1");
        Require(RepetitionWindow >= 0, RepetitionWindow, nameof(RepetitionWindow), "at least 0");
        ArgumentNullException.ThrowIfNull(StopStrings);
        for (var i = 0; i < StopStrings.Count; i++)
            Require(!string.IsNullOrEmpty(StopStrings[i]), StopStrings[i] ?? "null", $"{nameof(StopStrings)}[{i}]", "a text that is not empty");
    }

    private static void Require(bool condition, object? value, string option, string allowed)
    {
        if (!condition)
            throw new ArgumentOutOfRangeException(option, value, string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be {allowed}."));
    }
}

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
