namespace MLExtensions.Families.Reinforcement;

/// <summary>Values of actions in learning, and which of them were tried.</summary>
internal sealed class ActionTable
{
    // Two gigabytes.
    private const int LargestTable = 1 << 28;

    private readonly double[] _values;
    private readonly bool[] _tried;

    private ActionTable(int states, int actions, double initial)
    {
        CheckSize(states, actions);
        (ActionCount, _values, _tried) = (actions, new double[states * actions], new bool[states * actions]);
        Array.Fill(_values, initial);
    }

    public int ActionCount { get; }

    public ref double this[int state, int action] => ref _values[(state * ActionCount) + action];

    /// <exception cref="ArgumentException">A table of so many values is too large.</exception>
    public static void CheckSize(int states, int actions)
    {
        if ((long)states * actions > LargestTable)
            throw new ArgumentException(FormattableString.Invariant($"{states} states and {actions} actions make a table of {(long)states * actions} values; there can be {LargestTable}. A network can learn more states than a table."));
    }

    /// <summary>A table that begins with the values of the initial model, if there is one.</summary>
    /// <exception cref="ArgumentException">The initial model has other states or actions.</exception>
    public static ActionTable Create(PolicyKeys states, PolicyKeys actions, QLearningEstimator.Options options)
    {
        var table = new ActionTable(states.Count, actions.Count, options.InitialValue);
        if (options.InitialModel is not { } model)
            return table;
        var (fromStates, fromActions) = (Places(states, model.Content.States, "states"), Places(actions, model.Content.Actions, "actions"));
        for (var state = 0; state < states.Count; state++)
        {
            for (var action = 0; action < actions.Count; action++)
            {
                var (from, with) = (fromStates[state], fromActions[action]);
                if (from < 0 || with < 0 || model.ActionValue(from, with) is not (var value and not double.NaN))
                    continue;
                table[state, action] = value;
                table.SetTried(state, action);
            }
        }
        return table;
    }

    public ReadOnlySpan<double> Row(int state) => _values.AsSpan(state * ActionCount, ActionCount);

    public void SetTried(int state, int action) => _tried[(state * ActionCount) + action] = true;

    /// <summary>Whether any action was tried in a state.</summary>
    public bool IsTried(int state) => _tried.AsSpan(state * ActionCount, ActionCount).Contains(true);

    /// <summary>The greatest value of an allowed action.</summary>
    public double Greatest(int state, ReadOnlySpan<bool> mask)
    {
        var row = Row(state);
        var greatest = double.NegativeInfinity;
        for (var action = 0; action < row.Length; action++)
        {
            if (row[action] > greatest && (mask.IsEmpty || mask[action]))
                greatest = row[action];
        }
        return greatest;
    }

    /// <summary>The greatest value of an action that was tried; 0 if none was.</summary>
    public double GreatestTried(int state)
    {
        var tried = _tried.AsSpan(state * ActionCount, ActionCount);
        return tried.Contains(true) ? Greatest(state, tried) : 0;
    }

    public PolicyContent ToContent(PolicyKeys states, PolicyKeys actions, TrainingHistory history) =>
        new(states, actions, _values.Zip(_tried, (value, tried) => tried ? value : double.NaN).ToArray()) { History = history };

    /// <summary>The places in a model of the states or actions here, by name or by number; -1 where there is none.</summary>
    private static int[] Places(PolicyKeys keys, PolicyKeys model, string what)
    {
        var places = (keys.ColumnNames, model.ColumnNames) switch
        {
            // Two environments: with other numbers they are other ones, though the small ones are in both.
            _ when keys.Start is { } start && model.Start is { } from && (start, keys.Count) != (from, model.Count) =>
                throw new ArgumentException(FormattableString.Invariant($"{nameof(QLearningEstimator.Options.InitialModel)} has {model.Count} {what} from {from}; the environment has {keys.Count} from {start}. They must be the same."), nameof(QLearningEstimator.Options.InitialModel)),
            ({ } names, { } known) => Tensors.KeyMap.Places(names, known),
            (null, null) when keys.Count == model.Count => Enumerable.Range(0, keys.Count).ToArray(),
            _ => throw new ArgumentException(FormattableString.Invariant($"{nameof(QLearningEstimator.Options.InitialModel)} has {model.Count} {what}{(model.ColumnNames == null ? " without names" : "")}; there are {keys.Count}{(keys.ColumnNames == null ? " without names" : "")}. They must be the same."), nameof(QLearningEstimator.Options.InitialModel)),
        };
        return places.Any(place => place >= 0)
            ? places
            : throw new ArgumentException($"{nameof(QLearningEstimator.Options.InitialModel)} has none of the {what}; they must be the same.", nameof(QLearningEstimator.Options.InitialModel));
    }
}
