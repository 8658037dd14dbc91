namespace MLExtensions.Families.Reinforcement;

/// <summary>The values of an optimum.</summary>
/// <param name="ActionValues">For each pair of state and action; NaN where there are no transitions.</param>
/// <param name="StateValues">For each state; 0 where no action is known.</param>
/// <param name="Iterations">The number of sweeps over the table, or of improvements of the policy.</param>
/// <param name="Converged">Whether the values are as exact as was asked for.</param>
internal sealed record MarkovSolution(double[] ActionValues, double[] StateValues, int Iterations, bool Converged);

/// <summary>Computes optima of Markov decision processes whose table is known.</summary>
internal sealed class MarkovSolver(TransitionTable table, CancellationToken cancellation = default)
{
    // What rounding can do to values that are equal.
    private const double Tie = 1e-12;

    // A policy is evaluated in so many sweeps at most, however few improvements are asked for: as many as value iteration has by default.
    private const int LeastSweeps = 1_000_000;

    private readonly int[] _known = KnownStates(table);

    /// <summary>The number of states that a sweep goes through: those with transitions. The values of all others are 0.</summary>
    public int SweptStates => _known.Length;

    /// <summary>Bellman's value iteration.</summary>
    /// <param name="discount">The discount factor, 1 included.</param>
    /// <param name="tolerance">The largest error of a value; with a discount factor of 1 the largest change of the last sweep.</param>
    /// <param name="maximumIterations">The largest number of sweeps.</param>
    public MarkovSolution ValueIteration(double discount, double tolerance, int maximumIterations)
    {
        var enough = discount < 1 ? tolerance * (1 - discount) / Math.Max(discount, 1e-3) : tolerance;
        var (values, next) = (new double[table.StateCount], new double[table.StateCount]);
        var (iterations, change) = (0, double.PositiveInfinity);
        while (iterations < maximumIterations && change > enough)
        {
            change = Improve(values, next, discount);
            (values, next) = (next, values);
            iterations++;
        }
        return new MarkovSolution(ActionValues(values, discount), values, iterations, change <= enough);
    }

    /// <summary>Howard's policy iteration.</summary>
    /// <param name="discount">The discount factor, below 1.</param>
    /// <param name="tolerance">The largest error of a value.</param>
    /// <param name="maximumIterations">The largest number of improvements.</param>
    public MarkovSolution PolicyIteration(double discount, double tolerance, int maximumIterations)
    {
        var policy = Greedy(ActionValues(new double[table.StateCount], 0));
        var enough = tolerance * (1 - discount) / Math.Max(discount, 1e-3);
        var values = new double[table.StateCount];
        for (var improvements = 1; ; improvements++)
        {
            for (var sweeps = 1; Evaluate(policy, values, discount) > enough; sweeps++)
            {
                cancellation.ThrowIfCancellationRequested();
                if (sweeps >= Math.Max(maximumIterations, LeastSweeps))
                    return new MarkovSolution(ActionValues(values, discount), values, improvements, false);
            }
            var actionValues = ActionValues(values, discount);
            var changed = false;
            foreach (var state in _known)
            {
                var best = policy[state];
                for (var action = 0; action < table.ActionCount; action++)
                {
                    if (best < 0 || actionValues[At(state, action)] > actionValues[At(state, best)] + Math.Max(Tie, 2 * tolerance))
                        best = action;
                }
                changed |= best != policy[state];
                policy[state] = best;
            }
            if (!changed || improvements >= maximumIterations)
                return new MarkovSolution(actionValues, values, improvements, !changed);
        }
    }

    /// <summary>The optimum of a number of steps, by dynamic programming from the last one.</summary>
    /// <param name="discount">The discount factor, 1 included.</param>
    /// <param name="horizon">The number of steps.</param>
    /// <returns>The values with all steps ahead.</returns>
    public MarkovSolution FiniteHorizon(double discount, int horizon)
    {
        var (values, next) = (new double[table.StateCount], new double[table.StateCount]);
        var change = double.PositiveInfinity;
        for (var step = 1; step < horizon && change != 0; step++)
        {
            change = Improve(values, next, discount); // once nothing changes, nothing ever will
            (values, next) = (next, values);
        }
        var actionValues = ActionValues(values, discount);
        Improve(values, next, discount);
        return new MarkovSolution(actionValues, next, horizon, true);
    }

    /// <summary>The expected return of a policy that always acts the same in a state, over a number of steps.</summary>
    public double ReturnOf(int[] policy, int horizon, double discount = 1)
    {
        var (values, next) = (new double[table.StateCount], new double[table.StateCount]);
        for (var step = 0; step < horizon; step++)
        {
            foreach (var state in _known)
                next[state] = Value(state, policy[state], values, discount);
            (values, next) = (next, values);
            cancellation.ThrowIfCancellationRequested();
        }
        return Initial(values);
    }

    /// <summary>The mean of values over the states that episodes begin in.</summary>
    public double Initial(double[] values) => table.InitialStates.Sum(initial => initial.Probability * values[initial.State]);

    /// <summary>The best action of each state, the first one if there are ties; -1 where none is known.</summary>
    public int[] Greedy(double[] actionValues)
    {
        var policy = new int[table.StateCount];
        Array.Fill(policy, -1);
        foreach (var state in _known)
        {
            for (var action = 0; action < table.ActionCount; action++)
            {
                var value = actionValues[At(state, action)];
                if (!double.IsNaN(value) && (policy[state] < 0 || value > actionValues[At(state, policy[state])] + Tie))
                    policy[state] = action;
            }
        }
        return policy;
    }

    private double[] ActionValues(double[] values, double discount)
    {
        var actionValues = new double[table.StateCount * table.ActionCount];
        Array.Fill(actionValues, double.NaN);
        foreach (var state in _known)
        {
            for (var action = 0; action < table.ActionCount; action++)
                actionValues[At(state, action)] = Value(At(state, action), values, discount);
        }
        return actionValues;
    }

    /// <summary>One sweep.</summary>
    /// <returns>The largest change.</returns>
    private double Improve(double[] values, double[] next, double discount)
    {
        cancellation.ThrowIfCancellationRequested();
        var change = 0.0;
        foreach (var state in _known)
        {
            var best = double.NegativeInfinity;
            for (var action = 0; action < table.ActionCount; action++)
            {
                if (Value(At(state, action), values, discount) is var value && value > best)
                    best = value;
            }
            next[state] = double.IsNegativeInfinity(best) ? 0 : best;
            change = Math.Max(change, Math.Abs(next[state] - values[state]));
        }
        return change;
    }

    /// <summary>One sweep of a fixed policy, in place.</summary>
    private double Evaluate(int[] policy, double[] values, double discount)
    {
        var change = 0.0;
        foreach (var state in _known)
        {
            var value = Value(state, policy[state], values, discount);
            change = Math.Max(change, Math.Abs(value - values[state]));
            values[state] = value;
        }
        return change;
    }

    private double Value(int state, int action, double[] values, double discount) => action < 0 ? 0 : Value(At(state, action), values, discount);

    private double Value(int pair, double[] values, double discount)
    {
        var (first, end) = (table.First[pair], table.First[pair + 1]);
        if (first == end)
            return double.NaN;
        var sum = 0.0;
        for (var i = first; i < end; i++)
        {
            ref readonly var transition = ref table.All[i];
            sum += transition.Probability * (transition.Reward + (transition.Terminated ? 0 : discount * values[transition.NextState]));
        }
        return sum;
    }

    private static int[] KnownStates(TransitionTable table) => Enumerable.Range(0, table.StateCount)
        .Where(state => table.First[state * table.ActionCount] < table.First[(state + 1) * table.ActionCount]).ToArray();

    private int At(int state, int action) => (state * table.ActionCount) + action;
}
