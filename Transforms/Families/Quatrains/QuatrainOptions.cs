using System.Globalization;
using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>How quatrains are written, and which rules they keep.</summary>
/// <remarks>Serializable with System.Text.Json.</remarks>
public sealed record QuatrainOptions
{
    /// <summary>The number of characters of a line where no pattern says it: 5 or 7. Default 7.</summary>
    public int LineLength { get; init; } = 7;

    /// <summary>
    /// Whether the tones keep one of the eight patterns: the one that is asked for, or the one that fits best. With
    /// <see cref="KeepsRhyme"/> the first line rhymes if the pattern says so. Default true.
    /// </summary>
    public bool KeepsPattern { get; init; } = true;

    /// <summary>Whether lines 2 and 4 rhyme in the level tone. Default true.</summary>
    public bool KeepsRhyme { get; init; } = true;

    /// <summary>Whether a character may occur twice. Default false.</summary>
    public bool AllowsRepeatedCharacters { get; init; }

    /// <summary>Whether lines of the training poems may occur. Default false.</summary>
    public bool AllowsTrainingLines { get; init; }

    /// <summary>The number of poems that are written side by side, of which the best one is kept; at least 1. Default 8.</summary>
    public int BeamWidth { get; init; } = 8;

    /// <summary>
    /// How much chance there is, at least 0: at 0 the most probable characters are taken, at 1 with a beam width of 1 characters are drawn
    /// with their probabilities. Noise from Gumbel's distribution is added to the log probabilities; a wider beam keeps the texts with the
    /// highest sums. Default 0.7.
    /// </summary>
    public double Temperature { get; init; } = 0.7;

    /// <summary>The number of most probable characters that are considered at each place; at least 1. Default 100.</summary>
    public int TopK { get; init; } = 100;

    /// <summary>What is added to the log probability of a keyword's characters, in nats, so that they occur; at least 0. Default 2.</summary>
    public double KeywordBonus { get; init; } = 2;

    /// <summary>The seed. Default null: that of the context, or another one each time.</summary>
    public int? Seed { get; init; }

    /// <exception cref="ArgumentException">An option is out of range; the message names the option, its value and its range.</exception>
    internal void Check()
    {
        Require(LineLength is 5 or 7, LineLength, nameof(LineLength), "5 or 7");
        Require(BeamWidth is >= 1 and <= 1000, BeamWidth, nameof(BeamWidth), "between 1 and 1000");
        Require(Temperature >= 0 && double.IsFinite(Temperature), Temperature, nameof(Temperature), "finite and at least 0");
        Require(TopK >= 1, TopK, nameof(TopK), "at least 1");
        Require(KeywordBonus >= 0 && double.IsFinite(KeywordBonus), KeywordBonus, nameof(KeywordBonus), "finite and at least 0");
    }

    private static void Require(bool condition, object value, string option, string allowed)
    {
        if (!condition)
            throw new ArgumentOutOfRangeException(option, value, string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be {allowed}."));
    }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(QuatrainOptions), PrintMembers);
}
