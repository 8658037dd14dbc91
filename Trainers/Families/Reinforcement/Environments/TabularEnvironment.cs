using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// Base class of environments of numbered states whose model is a table. What happens is drawn from the same table as the exact optimum is
/// computed from.
/// </summary>
public abstract class TabularEnvironment : SimulatedEnvironment, IKnownModelEnvironment
{
    private readonly float[] _observation = new float[1];
    private readonly StateTransition[][] _transitions;
    private readonly StateProbability[] _initial;
    private readonly double[] _initialSums;

    private protected TabularEnvironment(
        string name, int observedStates, int states, int actions, IReadOnlyList<StateProbability> initial, Func<int, int, IEnumerable<StateTransition>> transitions)
        : base(name, new DiscreteSpace(observedStates), actions)
    {
        StateCount = states;
        _initial = [.. initial];
        var sum = 0.0;
        _initialSums = _initial.Select(start => sum += start.Probability).ToArray();
        _transitions = new StateTransition[states * actions][];
        for (var state = 0; state < states; state++)
        {
            for (var action = 0; action < actions; action++)
                _transitions[(state * actions) + action] = [.. transitions(state, action)];
        }
    }

    /// <inheritdoc/>
    public int StateCount { get; }

    /// <inheritdoc/>
    public IReadOnlyList<StateProbability> InitialStates => Array.AsReadOnly(_initial);

    /// <summary>The state now.</summary>
    internal int State { get; private set; }

    /// <inheritdoc/>
    public virtual int Observed(int state) => state;

    /// <inheritdoc/>
    public IReadOnlyList<StateTransition> Transitions(int state, int action)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(state);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(state, StateCount);
        if (!ActionSpace.Contains(action))
            throw new ArgumentOutOfRangeException(nameof(action), action, FormattableString.Invariant($"The action of {Name} is {action}; it must be in {ActionSpace}."));
        return Array.AsReadOnly(_transitions[(state * ActionSpace.Count) + action]);
    }

    private protected override void Begin()
    {
        var place = Array.BinarySearch(_initialSums, Random.NextDouble());
        State = _initial[Math.Min(place < 0 ? ~place : place + 1, _initial.Length - 1)].State;
    }

    private protected override (double Reward, bool Terminated) Act(int action)
    {
        var possible = _transitions[(State * ActionSpace.Count) + action];
        ref readonly var drawn = ref possible[possible.Length == 1 ? 0 : Draw(possible)];
        State = drawn.NextState;
        return (drawn.Reward, drawn.Terminated);
    }

    private protected override ReadOnlyMemory<float> Observe()
    {
        _observation[0] = Observed(State);
        return _observation;
    }

    private protected override void SaveCore(BinaryWriter writer) => writer.Write(State);

    private protected override void LoadCore(BinaryReader reader)
    {
        State = reader.ReadInt32();
        if ((uint)State >= (uint)StateCount)
            throw new FormatException(FormattableString.Invariant($"The state of {Name} is damaged: it has {StateCount} states, and state {State} is none of them."));
    }

    /// <summary>What comes of moving in one direction or, on a slippery floor, in one at a right angle to it.</summary>
    /// <param name="action">The direction: directions that follow one another are at right angles.</param>
    /// <param name="successRate">The probability of the direction that was chosen; the other two share the rest.</param>
    /// <param name="move">What comes of a direction.</param>
    private protected static IEnumerable<StateTransition> Slip(int action, double successRate, Func<int, StateTransition> move)
    {
        var rest = (1 - successRate) / 2;
        return successRate == 1
            ? [move(action) with { Probability = 1 }]
            : [move((action + 3) % 4) with { Probability = rest }, move(action) with { Probability = successRate }, move((action + 1) % 4) with { Probability = rest }];
    }

    private int Draw(StateTransition[] possible)
    {
        var rest = Random.NextDouble();
        for (var i = 0; i < possible.Length - 1; i++)
        {
            rest -= possible[i].Probability;
            if (rest < 0)
                return i;
        }
        return possible.Length - 1;
    }
}
