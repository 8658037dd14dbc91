using System.Text.Json.Serialization;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Persistence;
using Microsoft.ML;

namespace MLExtensions;

/// <summary>How a language model generates text.</summary>
/// <remarks>
/// For each token, the logits of recent tokens are lowered (<see cref="RepetitionPenalty"/>), all logits are divided by
/// <see cref="Temperature"/>, all but the highest are dropped (<see cref="TopK"/>, then <see cref="TopP"/>), and a token is drawn from the
/// softmax of the rest. Serializable with System.Text.Json.
/// </remarks>
public sealed record GenerationOptions
{
    /// <summary>The maximum number of tokens to generate, at least 1. Default 200.</summary>
    public int MaximumTokens { get; init; } = 200;

    /// <summary>
    /// The divisor of the logits, at least 0. Values below 1 make likely tokens more likely, values above 1 less likely. At 0 the most
    /// likely token is always taken. Default 1.
    /// </summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Draws only from this number of most likely tokens, at least 1. Default null: all tokens.</summary>
    /// <remarks>Fan, Lewis and Dauphin, "Hierarchical neural story generation" (2018).</remarks>
    public int? TopK { get; init; }

    /// <summary>
    /// Draws only from the smallest set of most likely tokens whose probabilities have at least this sum, in (0, 1]. Default null: all
    /// tokens.
    /// </summary>
    /// <remarks>Holtzman et al., "The curious case of neural text degeneration" (2020).</remarks>
    public double? TopP { get; init; }

    /// <summary>
    /// The positive logits of recent tokens are divided by this, negative ones are multiplied by it; at least 1. Default 1: no penalty.
    /// </summary>
    /// <remarks>
    /// Keskar et al., "CTRL: a conditional transformer language model for controllable generation" (2019); there, all logits are divided.
    /// </remarks>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>
    /// The number of recent tokens, including those of the prompt, to which <see cref="RepetitionPenalty"/> applies;
    /// at least 0. Default 64.
    /// </summary>
    public int RepetitionWindow { get; init; } = 64;

    /// <summary>Generation stops when one of these texts appears; it is not part of the output. Default: none.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>
    /// Whether generation stops at the end-of-sequence (EOS) token, which ends rows. It is not part of the output. Default false.
    /// </summary>
    [JsonPropertyName("stopAtEndOfRow")]
    public bool StopAtEndOfSequence { get; init; }

    /// <summary>The seed. The same seed, prompt and model give the same text. Default null: another text each time.</summary>
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

    /// <exception cref="ArgumentException">An option is out of range; the message names the option, its value and its range.</exception>
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
            Require(!string.IsNullOrEmpty(StopStrings[i]), StopStrings[i] ?? "null", FormattableString.Invariant($"{nameof(StopStrings)}[{i}]"), "a text that is not empty");
    }

    private static void Require(bool condition, object? value, string option, string allowed)
    {
        if (!condition)
            throw new ArgumentOutOfRangeException(option, value, string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be {allowed}."));
    }
}

/// <summary>Saves options as an entry of a model: JSON, with its checksum in the stream of the model.</summary>
internal static class OptionEntry
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
    /// <param name="entry">The entry.</param>
    /// <param name="description">What it has, for the message.</param>
    /// <param name="check">Rejects options that are out of range.</param>
    /// <exception cref="ModelFormatException">The entry is missing or damaged.</exception>
    public static T Load<T>(ModelLoadContext ctx, string entry, string description, Action<T> check)
    {
        var checksum = ctx.LoadNonEmptyString();
        var bytes = ModelEntry.Read(ctx, entry, MaximumBytes);
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
            throw new ModelFormatException(entry, $"does not contain {description}: " + e.Message, e);
        }
    }

    private static string Checksum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
