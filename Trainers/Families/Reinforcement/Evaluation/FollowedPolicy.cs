using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Networks;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Reinforcement;

/// <summary>
/// What a policy does in the states of a log. The log then says of each state that this action alone is allowed there, and the best allowed
/// action, by which learning goes on, is that of the policy.
/// </summary>
/// <param name="policy">The policy; null if columns have its actions.</param>
/// <param name="options">The options.</param>
/// <param name="seed">The seed of policies that draw.</param>
internal sealed class FollowedPolicy(IPolicy? policy, FittedQOptions options, int seed)
{
    private const int MostSampled = 10_000;

    private readonly SeededRandom _random = new(SeedSequence.Derive(seed, SeedSequence.EvaluatedEpisodes));
    private readonly SeededRandom _sampling = new(SeedSequence.Derive(seed, SeedSequence.EvaluatedRows));
    private readonly List<(float[] State, int Action)> _begun = [];
    private readonly List<(float[] State, int Action)> _sample = [];
    private PolicyKeys _actions = new(0, null, null);
    private Func<float[], bool[]?, int>? _act;
    private ActionKey? _here;
    private ActionKey? _next;
    private float[] _followed = [];
    private long[] _taken = [];
    private long[] _wanted = [];
    private long _row;
    private long _agreed;
    private long _chained;
    private long _broken;
    private bool _isEnd = true;
    private int _action;

    /// <summary>The columns with the policy's actions.</summary>
    public IEnumerable<string> Columns => ((string?[])[options.PolicyActionColumnName, options.NextPolicyActionColumnName]).OfType<string>();

    public long Rows { get; private set; }

    public double AgreementShare => (double)_agreed / Rows;

    public float LeastReward { get; private set; } = float.PositiveInfinity;

    public float GreatestReward { get; private set; } = float.NegativeInfinity;

    public FirstStates Rule { get; private set; }

    /// <summary>The first states, and what the policy does there.</summary>
    public IReadOnlyList<(float[] State, int Action)> FirstStates => Rule == MLExtensions.FirstStates.OfAllRows ? _sample : _begun;

    /// <summary>The actions that the policy takes and no row took, with the share of rows.</summary>
    public IEnumerable<(string Name, double Share)> NeverTaken => Enumerable.Range(0, _taken.Length)
        .Where(action => _taken[action] == 0 && _wanted[action] > 0)
        .Select(action => (_actions.ColumnNames?[action] ?? FormattableString.Invariant($"{action + 1}"), (double)_wanted[action] / Rows));

    /// <summary>Begins to follow the rows of a log.</summary>
    /// <exception cref="ArgumentException">The policy cannot be asked, or its columns do not suit; the message says why.</exception>
    public void Open(DataViewRow row, PolicyKeys actions, bool isEpisodes)
    {
        _actions = actions;
        (_taken, _wanted) = (new long[actions.Count], new long[actions.Count]);
        if (policy == null)
        {
            _here = new ActionKey(row, options.PolicyActionColumnName!, actions);
            _next = isEpisodes ? null : new ActionKey(row, options.NextPolicyActionColumnName!, actions);
        }
        else
            _act = Asked(policy);
        Rule = isEpisodes ? MLExtensions.FirstStates.OfEpisodes : MLExtensions.FirstStates.AfterEnds;
    }

    /// <summary>Takes a row: its mask becomes that of the policy's action.</summary>
    /// <param name="state">The state.</param>
    /// <param name="allowed">Which actions are allowed; receives which one is taken.</param>
    /// <param name="hasMask">Whether the mask says something.</param>
    /// <param name="taken">What the log did.</param>
    /// <param name="reward">What it got.</param>
    public void Follow(float[] state, bool[] allowed, bool hasMask, int taken, float reward)
    {
        _row = Rows++;
        _action = Choose(_here, state, allowed, hasMask);
        _taken[taken]++;
        _wanted[_action]++;
        if (_action == taken)
            _agreed++;
        (LeastReward, GreatestReward) = (Math.Min(LeastReward, reward), Math.Max(GreatestReward, reward));
    }

    /// <summary>The row that was taken begins an episode.</summary>
    public void Begin(float[] state) => _begun.Add((state.ToArray(), _action));

    /// <summary>The row that was taken has this next state, whose mask becomes that of the policy's action.</summary>
    public void FollowNext(float[] state, float[] next, bool[] allowed, bool hasMask, bool terminated, bool truncated)
    {
        var goesOn = !_isEnd && state.AsSpan().SequenceEqual(_followed);
        if (!_isEnd)
            (_chained, _broken) = (_chained + (goesOn ? 1 : 0), _broken + (goesOn ? 0 : 1));
        if (!goesOn)
            Begin(state);
        if (_sample.Count < MostSampled)
            _sample.Add((state.ToArray(), _action));
        else if (_sampling.NextInt64(Rows) is < MostSampled and var place)
            _sample[(int)place] = (state.ToArray(), _action);
        _isEnd = terminated || truncated;
        if (!_isEnd)
            _followed = [.. next];
        if (!terminated)
            Choose(_next, next, allowed, hasMask);
    }

    /// <summary>Says which states are first ones, after all rows.</summary>
    public void Close()
    {
        // In order, each row goes on from the one before; an end that is not said is a rare break. Without an order all rows begin.
        if (Rule == MLExtensions.FirstStates.AfterEnds && (_chained <= _broken || _begun.Count == 1))
            Rule = MLExtensions.FirstStates.OfAllRows;
    }

    private int Choose(ActionKey? column, float[] state, bool[] allowed, bool hasMask)
    {
        var action = column?.Read() ?? _act!(state, hasMask ? allowed : null);
        if (hasMask && !allowed[action])
            throw new FormatException(FormattableString.Invariant($"The policy takes action {(_actions.ColumnNames?[action] ?? FormattableString.Invariant($"{action + 1}"))} in {RowName.Of(_row)}, or in the state that followed, where the mask does not allow it."));
        Array.Clear(allowed);
        allowed[action] = true;
        return action;
    }

    /// <summary>Asks a policy for the place of its action.</summary>
    private Func<float[], bool[]?, int> Asked(IPolicy asked)
    {
        if (asked is DqnTransformer { ActionNames: { } known } network && _actions.Names is { } names && names.Any(name => !int.TryParse(name, NumberStyles.Integer, CultureInfo.InvariantCulture, out _)))
        {
            var places = KeyMap.Places(known, names);
            if (places.Contains(-1) || known.Count != names.Count)
                throw new ArgumentException($"The actions of the policy are {NameList.Of(known)}; those of the log are {NameList.Of(names)}. They must be the same.");
            return (state, allowed) =>
            {
                var values = network.ActionValues(state);
                var best = -1;
                for (var i = 0; i < values.Length; i++)
                {
                    if ((allowed == null || allowed[places[i]]) && (best < 0 || values[i] > values[best]))
                        best = i;
                }
                return places[best];
            };
        }
        int[] numbers;
        try
        {
            numbers = Enumerable.Range(0, _actions.Count).Select(_actions.NumberOf).ToArray();
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"The actions of the log are {NameList.Of(_actions.ColumnNames ?? [])}, but a policy that is asked gives numbers. Name the actions 0, 1, 2, or give what the policy does as a column: {nameof(options.PolicyActionColumnName)}.", e);
        }
        var first = numbers.Min();
        return (state, allowed) =>
        {
            var mask = allowed == null ? [] : new bool[numbers.Max() - first + 1];
            for (var place = 0; place < allowed?.Length; place++)
                mask[numbers[place] - first] = allowed[place];
            var action = asked.Act(state, mask, _random);
            var chosen = _actions.PlaceOf(action);
            return chosen >= 0 ? chosen : throw new ArgumentException(FormattableString.Invariant($"The policy takes action {action} in {RowName.Of(_row)}, or in the state that followed; the actions of the log are {string.Join(", ", numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)))}."));
        };
    }
}
