using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>
/// The table of a Markov decision process: which states follow an action in a state, how probable they are, and what they give.
/// </summary>
public sealed class TransitionTable
{
    private readonly int[] _first;
    private readonly StateTransition[] _transitions;
    private readonly long[] _counts;
    private readonly StateProbability[] _initial;

    /// <param name="states">The number of states.</param>
    /// <param name="actions">The number of actions.</param>
    /// <param name="first">
    /// Where the transitions of each pair of state and action begin, state after state, and where the last ones end.
    /// </param>
    /// <param name="transitions">All transitions.</param>
    /// <param name="counts">The number of rows that each pair was counted from; empty if they were not counted.</param>
    /// <param name="initial">The states that episodes begin in; empty if they are unknown.</param>
    internal TransitionTable(int states, int actions, int[] first, StateTransition[] transitions, long[] counts, StateProbability[] initial) =>
        (StateCount, ActionCount, _first, _transitions, _counts, _initial) = (states, actions, first, transitions, counts, initial);

    /// <summary>The number of states.</summary>
    public int StateCount { get; }

    /// <summary>The number of actions.</summary>
    public int ActionCount { get; }

    /// <summary>The states that episodes begin in, with their probabilities; empty if they are unknown.</summary>
    public IReadOnlyList<StateProbability> InitialStates => Array.AsReadOnly(_initial);

    /// <summary>Whether the probabilities were counted from rows, rather than known.</summary>
    public bool IsCounted => _counts.Length > 0;

    internal int[] First => _first;

    internal StateTransition[] All => _transitions;

    internal long[] Counts => _counts;

    /// <summary>What can come of an action in a state; empty if it was never seen or is not allowed.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <param name="action">The action, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such state or action.</exception>
    public IReadOnlyList<StateTransition> Transitions(int state, int action) => Of(state, action).ToArray();

    /// <summary>The number of rows in which an action was taken in a state; 0 if the probabilities were not counted.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <param name="action">The action, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such state or action.</exception>
    public long Count(int state, int action)
    {
        var pair = Pair(state, action);
        return IsCounted ? _counts[pair] : 0;
    }

    /// <summary>The mean reward of an action in a state; NaN if it was never seen or is not allowed.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <param name="action">The action, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such state or action.</exception>
    public double ExpectedReward(int state, int action)
    {
        var transitions = Of(state, action);
        var sum = 0.0;
        foreach (var transition in transitions)
            sum += transition.Probability * transition.Reward;
        return transitions.IsEmpty ? double.NaN : sum;
    }

    internal ReadOnlySpan<StateTransition> Of(int state, int action)
    {
        var pair = Pair(state, action);
        return _transitions.AsSpan(_first[pair], _first[pair + 1] - _first[pair]);
    }

    private int Pair(int state, int action)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(state);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(state, StateCount);
        ArgumentOutOfRangeException.ThrowIfNegative(action);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(action, ActionCount);
        return (state * ActionCount) + action;
    }
}

/// <summary>How probable a state is.</summary>
/// <param name="State">The state, from 0.</param>
/// <param name="Probability">The probability.</param>
public readonly record struct StateProbability(int State, double Probability)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(StateProbability), PrintMembers);
}

/// <summary>One of the things that can come of an action in a state.</summary>
/// <param name="NextState">The state that it leads to, from 0.</param>
/// <param name="Probability">The probability.</param>
/// <param name="Reward">The reward.</param>
/// <param name="Terminated">Whether the episode ends there.</param>
public readonly record struct StateTransition(int NextState, double Probability, double Reward, bool Terminated)
{
    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(StateTransition), PrintMembers);
}
