using System.Text.Json.Serialization;
using System.Globalization;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Messages;

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

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(GenerationOptions), PrintMembers);
}
