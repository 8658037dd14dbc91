namespace MLExtensions;

/// <summary>How well a policy does in an environment.</summary>
public sealed record ReinforcementMetrics
{
    /// <summary>Returns and lengths of the episodes, in order.</summary>
    public required IReadOnlyList<EpisodeSummary> Episodes { get; init; }

    /// <summary>The mean return.</summary>
    public required double MeanReturn { get; init; }

    /// <summary>The standard error of <see cref="MeanReturn"/>; NaN of one episode.</summary>
    public required double StandardError { get; init; }

    /// <summary>The standard deviation of returns; NaN of one episode.</summary>
    public required double StandardDeviation { get; init; }

    /// <summary>The mean number of steps.</summary>
    public required double MeanLength { get; init; }

    /// <summary>The share of episodes that were cut off rather than terminated.</summary>
    public required double TruncatedShare { get; init; }

    /// <summary>The share of episodes whose return was at least what was asked for; null if nothing was.</summary>
    public double? SuccessShare { get; init; }

    /// <summary>
    /// The number of states that a policy of numbered states met without the value of any allowed action: those that a log does not have. 0 of
    /// other policies.
    /// </summary>
    public int UnknownStates { get; init; }

    /// <summary>The number of steps in <see cref="UnknownStates"/>, where the policy acted at random.</summary>
    public long UnknownSteps { get; init; }

    /// <summary>
    /// The mean return of the best policy that there is, with the time limit of the environment and the largest number of steps of the evaluation;
    /// null if the environment does not know its model, or the optimum takes long to compute.
    /// </summary>
    public double? OptimalReturn { get; init; }

    /// <summary>
    /// <see cref="OptimalReturn"/> minus <see cref="MeanReturn"/>: what the policy leaves; it can be negative by chance. Null if the optimum is
    /// unknown.
    /// </summary>
    public double? Regret => OptimalReturn - MeanReturn;

    /// <summary>Returns a summary in one line.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"return {MeanReturn:G5} +- {StandardError:G2}, length {MeanLength:G4}, {Episodes.Count} episodes")
        + (SuccessShare is { } success ? FormattableString.Invariant($", success {success:P1}") : "")
        + (UnknownSteps > 0 ? FormattableString.Invariant($", {UnknownSteps} steps at random in {UnknownStates} unknown states") : "")
        + (Regret is { } regret ? FormattableString.Invariant($", regret {regret:G3} of {OptimalReturn:G5}") : "");
}

/// <summary>An episode that was watched.</summary>
/// <param name="Summary">Its return and length.</param>
/// <param name="Frames">What it looked like; empty if the environment cannot be looked at.</param>
/// <param name="Texts">The same as text.</param>
public sealed record WatchedEpisode(EpisodeSummary Summary, IReadOnlyList<RgbFrame> Frames, IReadOnlyList<string> Texts);
