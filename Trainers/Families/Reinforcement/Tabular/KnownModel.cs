namespace MLExtensions.Families.Reinforcement;

/// <summary>Makes the table of an environment that knows its own, and computes the optimum that others are compared with.</summary>
internal static class KnownModel
{
    private const double Tolerance = 1e-9;
    private const int MaximumIterations = 100_000;

    // A few seconds. A yardstick must not take longer than what it measures.
    private const long MaximumWork = 1_000_000_000;

    /// <summary>The environment inside of wrappers that knows its model, and the time limit around it; null if there is none.</summary>
    public static (IKnownModelEnvironment Environment, int? MaximumSteps)? Find(IEnvironment environment)
    {
        var limit = int.MaxValue;
        while (environment is EnvironmentWrapper { KeepsModel: true } wrapper)
        {
            if (wrapper is TimeLimit time)
                limit = Math.Min(limit, time.MaximumSteps);
            environment = wrapper.Inner;
        }
        return environment is IKnownModelEnvironment known ? (known, limit == int.MaxValue ? null : limit) : null;
    }

    /// <exception cref="FormatException">The model is not one; the message names state and action.</exception>
    public static TransitionTable ToTable(IKnownModelEnvironment environment)
    {
        var (states, actions) = (environment.StateCount, environment.ActionSpace.Count);
        if (environment.ObservationSpace is DiscreteSpace space && states < space.Count)
            throw new FormatException(FormattableString.Invariant($"The model of {environment.Name} has {states} states, but its observations are {space}; there must be a state for each."));
        ActionTable.CheckSize(states, actions);
        var first = new int[(states * actions) + 1];
        var transitions = new List<StateTransition>();
        for (var state = 0; state < states; state++)
        {
            for (var action = 0; action < actions; action++)
            {
                var possible = environment.Transitions(state, environment.ActionSpace.Start + action)
                    ?? throw new FormatException(FormattableString.Invariant($"The model of {environment.Name}, state {state}, action {action}: the transitions are null; they must be a list, an empty one where the action is not allowed."));
                Check(environment, FormattableString.Invariant($"state {state}, action {action}"), possible.Select(transition => (transition.NextState, transition.Probability)), mayBeEmpty: true);
                // Those that never come, too: nothing times NaN is NaN.
                if (possible.Select(transition => transition.Reward).Where(reward => !double.IsFinite(reward)).Take(1).ToArray() is [var wrong])
                    throw new FormatException(FormattableString.Invariant($"The model of {environment.Name}, state {state}, action {action}: a reward is {wrong}; it must be finite."));
                transitions.AddRange(possible);
                first[(state * actions) + action + 1] = transitions.Count;
            }
        }
        Check(environment, "initial states", environment.InitialStates.Select(initial => (initial.State, initial.Probability)), mayBeEmpty: false);
        return new TransitionTable(states, actions, first, [.. transitions], [], [.. environment.InitialStates]);
    }

    /// <summary>The largest mean return that any policy can reach; null if it is not known, or takes long to compute.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="maximumSteps">The number of steps after which episodes are cut off, besides the time limit of the environment.</param>
    /// <param name="cancellation">Cancels the computation.</param>
    public static double? Optimum(IEnvironment environment, int maximumSteps = int.MaxValue, CancellationToken cancellation = default)
    {
        if (Find(environment) is not var (known, limit))
            return null;
        var table = ToTable(known);
        var sweeps = (int)Math.Min(MaximumIterations, MaximumWork / Math.Max(1, table.All.Length));
        var steps = Math.Min(limit ?? int.MaxValue, maximumSteps);
        var solver = new MarkovSolver(table, cancellation);
        // More steps than there is time for change nothing anymore where values have settled.
        var solution = steps <= sweeps ? solver.FiniteHorizon(1, steps) : solver.ValueIteration(1, Tolerance, sweeps);
        return solution.Converged && Array.TrueForAll(solution.StateValues, double.IsFinite) ? solver.Initial(solution.StateValues) : null;
    }

    private static void Check(IKnownModelEnvironment environment, string place, IEnumerable<(int State, double Probability)> states, bool mayBeEmpty)
    {
        var (sum, any) = (0.0, false);
        foreach (var (state, probability) in states)
        {
            if (state < 0 || state >= environment.StateCount)
                throw new FormatException(FormattableString.Invariant($"The model of {environment.Name}, {place}: there is no state {state}; there are {environment.StateCount}, from 0."));
            if (!(probability >= 0 && probability <= 1 + Tolerance))
                throw new FormatException(FormattableString.Invariant($"The model of {environment.Name}, {place}: a probability is {probability}; it must be from 0 to 1."));
            (sum, any) = (sum + probability, true);
        }
        if (any ? Math.Abs(sum - 1) > Tolerance : !mayBeEmpty)
            throw new FormatException(FormattableString.Invariant($"The model of {environment.Name}, {place}: the probabilities add up to {sum}; it must be 1."));
    }
}
