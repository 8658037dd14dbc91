using Microsoft.ML.Runtime;
using MLExtensions.Networks;
using MLExtensions.Training;

namespace MLExtensions.Families.Reinforcement;

/// <summary>Lets policies play.</summary>
internal static class PolicyEvaluator
{
    public static ReinforcementMetrics Evaluate(
        IHostEnvironment host, IPolicy policy, IEnvironment environment, int episodes, int seed, double? successReturn, int maximumSteps, CancellationToken cancellation)
    {
        OptionCheck.AtLeast(episodes, 1, nameof(episodes));
        OptionCheck.AtLeast(maximumSteps, 1, nameof(maximumSteps));
        var watched = CheckedEnvironment.Around(environment);
        CheckFits(policy, watched);
        var random = RandomOf(seed);
        var unknown = policy is TabularPolicyTransformer table ? new UnknownStates(table) : null;
        var played = new EpisodeSummary[episodes];
        for (var episode = 0; episode < episodes; episode++)
            played[episode] = Play(unknown ?? policy, watched, episode == 0 ? seed : null, random, maximumSteps, null, cancellation);
        if (unknown is { Steps: > 0 })
        {
            using var channel = host.Start("Evaluation");
            channel.Warning("{0}", FormattableString.Invariant($"The policy does not know {unknown.States} of the states that it met in {environment.Name}; in {unknown.Steps} of {played.Sum(episode => (long)episode.Length)} steps it acted at random."));
        }
        var mean = played.Average(episode => episode.Return);
        var deviation = Math.Sqrt(played.Sum(episode => Math.Pow(episode.Return - mean, 2)) / (episodes - 1));
        return new ReinforcementMetrics
        {
            Episodes = played,
            MeanReturn = mean,
            StandardDeviation = deviation,
            StandardError = deviation / Math.Sqrt(episodes),
            MeanLength = played.Average(episode => episode.Length),
            TruncatedShare = played.Average(episode => episode.Truncated ? 1.0 : 0.0),
            SuccessShare = successReturn is { } least ? played.Average(episode => episode.Return >= least ? 1.0 : 0.0) : null,
            UnknownStates = unknown?.States ?? 0,
            UnknownSteps = unknown?.Steps ?? 0,
            OptimalReturn = KnownModel.Optimum(environment, maximumSteps, cancellation),
        };
    }

    public static WatchedEpisode Watch(IPolicy policy, IEnvironment environment, int seed, int interval, int maximumSteps)
    {
        OptionCheck.AtLeast(interval, 1, nameof(interval));
        OptionCheck.AtLeast(maximumSteps, 1, nameof(maximumSteps));
        var watched = CheckedEnvironment.Around(environment);
        CheckFits(policy, watched);
        var (frames, texts) = (new List<RgbFrame>(), new List<string>());
        var summary = Play(policy, watched, seed, RandomOf(seed), maximumSteps, Look, CancellationToken.None);
        return new WatchedEpisode(summary, frames, texts);

        void Look(int step, bool isEnd)
        {
            if (environment is not IRenderableEnvironment { CanRender: true } visible || (step % interval != 0 && !isEnd))
                return;
            frames.Add(visible.Render());
            texts.Add(visible.RenderText());
        }
    }

    /// <summary>Plays an episode.</summary>
    public static EpisodeSummary Play(
        IPolicy policy, CheckedEnvironment environment, int? seed, Random random, int maximumSteps, Action<int, bool>? look, CancellationToken cancellation)
    {
        var state = environment.Reset(seed);
        look?.Invoke(0, false);
        var sum = 0.0;
        for (var length = 1; ; length++)
        {
            cancellation.ThrowIfCancellationRequested();
            var step = environment.Step(policy.Act(state.Observation.Span, state.ActionMask.Span, random));
            sum += step.Reward;
            var isEnd = step.IsEnd || length >= maximumSteps;
            look?.Invoke(length, isEnd);
            if (isEnd)
                return new EpisodeSummary(sum, length, !step.Terminated);
            state = new EnvironmentState(step.Observation, step.ActionMask);
        }
    }

    /// <summary>A table that was learned in an environment has all of its states; one of a log may lack some, where it acts at random.</summary>
    private static void CheckFits(IPolicy policy, IEnvironment environment)
    {
        if (policy is DqnTransformer network && network.Architecture.InputCount != environment.ObservationSpace.Size)
            throw new ArgumentException(FormattableString.Invariant($"The states of the policy have {network.Architecture.InputCount} values; the observations of {environment.Name} have {environment.ObservationSpace.Size}."), nameof(policy));
        if (policy is not TabularPolicyTransformer { Content.States.Start: not null } table)
            return;
        var states = (environment.ObservationSpace as DiscreteSpace)?.Count;
        if (states != table.StateCount || environment.ActionSpace.Count != table.ActionCount)
            throw new ArgumentException(FormattableString.Invariant($"The policy was learned in an environment of {table.StateCount} states and {table.ActionCount} actions; {environment.Name} has {(states is { } count ? FormattableString.Invariant($"{count} states") : "no numbered states")} and {environment.ActionSpace.Count} actions."), nameof(policy));
    }

    private static SeededRandom RandomOf(int seed) => new(SeedSequence.Derive(seed, SeedSequence.EvaluatedEpisodes));

    /// <summary>A table that acts, and counts where it knows nothing.</summary>
    private sealed class UnknownStates(TabularPolicyTransformer policy) : IPolicy
    {
        private readonly HashSet<float> _states = [];

        public int States => _states.Count;

        public long Steps { get; private set; }

        public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random)
        {
            var action = policy.Act(observation, actionMask, random);
            if (!policy.Knows(observation, actionMask))
            {
                Steps++;
                _states.Add(observation[0]);
            }
            return action;
        }
    }
}
