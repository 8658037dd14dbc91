namespace MLExtensions;

/// <summary>What a policy is worth, as estimated from a log.</summary>
/// <param name="Value">The estimate.</param>
/// <param name="StandardError">Its standard error: the standard deviation among the bootstrap's resamples.</param>
/// <param name="Lower">The lower end of the bootstrap interval.</param>
/// <param name="Upper">The upper end of the bootstrap interval.</param>
public sealed record PolicyValueEstimate(double Value, double StandardError, double Lower, double Upper)
{
    /// <summary>Returns a summary in one line.</summary>
    public override string ToString() => FormattableString.Invariant($"{Value:G5} +- {StandardError:G2} ({Lower:G5} to {Upper:G5})");
}

/// <summary>
/// How well a policy would have done, judged by what another one did. Values are mean rewards of rows, or mean returns of episodes.
/// </summary>
/// <remarks>
/// A weight is how much more probable the policy makes an action than the log's policy did; of an episode, the product over its steps. If no
/// weight is large, all estimates are good. Look at <see cref="Warnings"/> first: where the log does not cover the policy, no estimate is.
/// </remarks>
public sealed record LogEvaluationMetrics
{
    /// <summary>What the log's own policy got: the mean reward of rows, or the mean return of episodes.</summary>
    public required PolicyValueEstimate Logged { get; init; }

    /// <summary>
    /// Importance sampling: the mean of weighted rewards. Right in the mean, but jumpy where weights are large (Horvitz and Thompson, 1952; for
    /// episodes per decision: Precup, Sutton and Singh, 2000). Null without propensities.
    /// </summary>
    public PolicyValueEstimate? ImportanceSampling { get; init; }

    /// <summary>
    /// Importance sampling divided by the mean weight, of episodes at each step: steadier, and right for many rows (Swaminathan and
    /// Joachims, 2015). Null without propensities.
    /// </summary>
    public PolicyValueEstimate? SelfNormalized { get; init; }

    /// <summary>
    /// The direct method: what the predicted rewards say of the policy; as right as they are. Null without predicted rewards.
    /// </summary>
    public PolicyValueEstimate? DirectMethod { get; init; }

    /// <summary>
    /// The direct method, corrected by the weighted errors of the predictions: right if either the propensities or the predictions are (Dudik,
    /// Langford and Li, 2011; for episodes: Jiang and Li, 2016). Null without one of both.
    /// </summary>
    public PolicyValueEstimate? DoublyRobust { get; init; }

    /// <summary>The number of rows.</summary>
    public required long RowCount { get; init; }

    /// <summary>The number of episodes; of rows that are for themselves, their number.</summary>
    public required long EpisodeCount { get; init; }

    /// <summary>
    /// The number of episodes, or rows, of the policy itself that would say as much as the weighted ones: <c>(sum w)^2 / sum w^2</c>
    /// (Kish, 1965). NaN without propensities.
    /// </summary>
    public required double EffectiveSampleSize { get; init; }

    /// <summary>The largest weight, before <see cref="LogEvaluationOptions.MaximumWeight"/>. NaN without propensities.</summary>
    public required double LargestWeight { get; init; }

    /// <summary>
    /// The mean weight. It is 1 but for chance; less, if the policy does what the log's policy never does, and other than 1, if
    /// propensities are wrong. NaN without propensities.
    /// </summary>
    public required double MeanWeight { get; init; }

    /// <summary>The number of weights that were above <see cref="LogEvaluationOptions.MaximumWeight"/>.</summary>
    public required long ClippedWeights { get; init; }

    /// <summary>The share of the policy's probability that lies on actions that no row of the log took.</summary>
    public required double UncoveredShare { get; init; }

    /// <summary>What speaks against the estimates; they are in the log of the context, too.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Returns a summary in one line.</summary>
    public override string ToString()
    {
        var estimates = new[] { ("logged", Logged), ("importance sampling", ImportanceSampling), ("self-normalized", SelfNormalized), ("direct method", DirectMethod), ("doubly robust", DoublyRobust) };
        return string.Join(", ", estimates.Where(each => each.Item2 != null).Select(each => $"{each.Item1} {each.Item2}"))
            + FormattableString.Invariant($"; effective sample size {EffectiveSampleSize:0.#} of {EpisodeCount}, largest weight {LargestWeight:G4}, not covered {UncoveredShare:P1}, {Warnings.Count} warnings");
    }
}
