using System.Globalization;
using System.Text.Json.Serialization;
using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>How a sequence-to-sequence network writes: which of all possible texts, and how many.</summary>
/// <remarks>
/// With the defaults the most likely token is taken at each step (greedy). <see cref="BeamWidth"/> above 1 searches for the most likely text;
/// <see cref="Temperature"/> above 0 draws one at random, as <see cref="GenerationOptions"/> does. Serializable with System.Text.Json.
/// </remarks>
public sealed record DecodingOptions
{
    /// <summary>
    /// The maximum number of tokens of an answer, at least 1. Default null: <c>MaximumTargetTokens</c> of
    /// the training.
    /// </summary>
    public int? MaximumTokens { get; init; }

    /// <summary>The minimum number of tokens of an answer, at least 0 and at most <see cref="MaximumTokens"/>. Default 0.</summary>
    public int MinimumTokens { get; init; }

    /// <summary>The number of beginnings that are followed at the same time, from 1 to 1,000. Default 1: greedy.</summary>
    public int BeamWidth { get; init; } = 1;

    /// <summary>
    /// The exponent alpha of the length penalty of Wu et al. (2016), at least 0: answers are compared by their log probability divided by
    /// ((5 + tokens) / 6)^alpha, their end being a token. 0 compares log probabilities, which prefers short answers. Default 0.6.
    /// </summary>
    public double LengthPenalty { get; init; } = 0.6;

    /// <summary>
    /// The factor beta of the coverage penalty of Wu et al. (2016), at least 0: the score gets beta times the sum, over the tokens of the source, of
    /// the logarithm of the attention that they got in all, at most 1. Needs attention. Default 0: none.
    /// </summary>
    public double CoveragePenalty { get; init; }

    /// <summary>
    /// No sequence of that many tokens occurs twice in an answer; at least 1. Where nothing is left that may follow, because
    /// <see cref="MinimumTokens"/> forbids the end, the answer is cut. Default null: repetitions are allowed.
    /// </summary>
    public int? NoRepeatLength { get; init; }

    /// <summary>
    /// The number of answers for each source, best first, from 1 to <see cref="BeamWidth"/>, or any number of draws with <see cref="Temperature"/>.
    /// Default 1.
    /// </summary>
    public int NumberOfAnswers { get; init; } = 1;

    /// <summary>
    /// The divisor of the logits if tokens are drawn, at least 0. At 0 nothing is drawn. Not with <see cref="BeamWidth"/>. Default 0.
    /// </summary>
    public double Temperature { get; init; }

    /// <summary>Draws only from this number of most likely tokens, at least 1. Default null: all tokens.</summary>
    public int? TopK { get; init; }

    /// <summary>
    /// Draws only from the smallest set of most likely tokens whose probabilities have at least this sum, in (0, 1]. Default null: all tokens.
    /// </summary>
    public double? TopP { get; init; }

    /// <summary>Whether the token for unknown words may be written. Default false.</summary>
    public bool AllowUnknown { get; init; }

    /// <summary>Whether log probabilities of answers are added as columns. Default false.</summary>
    public bool AddLogProbabilities { get; init; }

    /// <summary>The seed of draws. The same seed, source and model give the same answer. Default null: another one each time.</summary>
    public int? Seed { get; init; }

    /// <summary>Whether tokens are drawn.</summary>
    [JsonIgnore]
    internal bool Draws => Temperature > 0;

    /// <summary>The settings of a draw.</summary>
    internal GenerationOptions ToGeneration() => new() { Temperature = Temperature, TopK = TopK, TopP = TopP };

    /// <exception cref="ArgumentException">An option is out of range; the message names the option, its value and its range.</exception>
    internal void Check(SequenceToSequenceArchitecture? architecture = null)
    {
        Require(MaximumTokens is null or >= 1, MaximumTokens, nameof(MaximumTokens), "at least 1, or null");
        var most = MaximumTokens ?? architecture?.MaximumTargetTokens ?? int.MaxValue;
        Require(MinimumTokens >= 0 && MinimumTokens <= most, MinimumTokens, nameof(MinimumTokens), FormattableString.Invariant($"at least 0 and at most {most}, the maximum"));
        Require(BeamWidth is >= 1 and <= 1000, BeamWidth, nameof(BeamWidth), "at least 1 and at most 1000");
        Require(LengthPenalty >= 0 && double.IsFinite(LengthPenalty), LengthPenalty, nameof(LengthPenalty), "finite and at least 0");
        Require(CoveragePenalty >= 0 && double.IsFinite(CoveragePenalty), CoveragePenalty, nameof(CoveragePenalty), "finite and at least 0");
        Require(NoRepeatLength is null or >= 1, NoRepeatLength, nameof(NoRepeatLength), "at least 1, or null");
        Require(Temperature >= 0 && double.IsFinite(Temperature), Temperature, nameof(Temperature), "finite and at least 0");
        Require(TopK is null or >= 1, TopK, nameof(TopK), "at least 1, or null");
        Require(TopP is null or (> 0 and <= 1), TopP, nameof(TopP), "greater than 0 and at most 1, or null");
        Require(NumberOfAnswers is >= 1 and <= 1000, NumberOfAnswers, nameof(NumberOfAnswers), "at least 1 and at most 1000");
        if (Draws && BeamWidth > 1)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{nameof(BeamWidth)} is {BeamWidth} and {nameof(Temperature)} is {Temperature}: a beam searches for the most likely text, a temperature draws one. Set {nameof(BeamWidth)} to 1 or {nameof(Temperature)} to 0."), nameof(BeamWidth));
        if (!Draws && NumberOfAnswers > BeamWidth)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(NumberOfAnswers)} is {NumberOfAnswers}; a beam of {BeamWidth} ({nameof(BeamWidth)}) has at most {BeamWidth} answers. Set {nameof(BeamWidth)} to at least {NumberOfAnswers}, or draw answers with a {nameof(Temperature)}."), nameof(NumberOfAnswers));
        if (CoveragePenalty > 0 && architecture is { Attention: AttentionKind.None })
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{nameof(CoveragePenalty)} is {CoveragePenalty}, but the network has no attention, which it measures; it must be 0."), nameof(CoveragePenalty));
    }

    private static void Require(bool condition, object? value, string option, string allowed)
    {
        if (!condition)
            throw new ArgumentOutOfRangeException(option, value, string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be {allowed}."));
    }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(DecodingOptions), PrintMembers);
}
