using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Reinforcement;

/// <summary>Reads logged transitions of vectors into a replay buffer: rows with the state that followed, or whole episodes.</summary>
internal sealed class DqnLog
{
    private const string StepsWithoutNext = "last steps without a next state";

    private readonly IDataView _data;
    private readonly DqnEstimator.Options _options;
    private readonly DqnDesign _design;
    private readonly bool _isEpisodes;
    private readonly FollowedPolicy? _policy;

    /// <param name="data">The rows.</param>
    /// <param name="options">The options.</param>
    /// <param name="design">What is learned.</param>
    /// <param name="policy">The policy whose actions are the only ones that are allowed; null for those that the log allows.</param>
    public DqnLog(IDataView data, DqnEstimator.Options options, DqnDesign design, FollowedPolicy? policy = null)
    {
        (_data, _options, _design, _isEpisodes, _policy) = (data, options, design, options.EpisodeColumnName != null, policy);
        if (!_isEpisodes && FeatureReader.WidthOf(FeatureRows.Find(data.Schema, options.NextStateColumnName)) is var width && width != design.Architecture.InputCount)
            throw new ArgumentException(FormattableString.Invariant($"Column '{options.NextStateColumnName}' has {width} values; column '{options.StateColumnName}' has {design.Architecture.InputCount}."));
        foreach (var mask in (string?[])[options.ActionMaskColumnName, _isEpisodes ? null : options.NextActionMaskColumnName])
        {
            if (mask != null)
                MaskReader.Check(FeatureRows.Find(data.Schema, mask), design.Actions.Count);
        }
    }

    /// <summary>What was left out.</summary>
    public DataCounts Counts { get; } = new();

    /// <summary>The number of transitions.</summary>
    public long Rows { get; private set; }

    /// <summary>What is to be said of the rows in the log; null if there is nothing.</summary>
    public string? Note => Counts[StepsWithoutNext] is > 0 and var left
        ? FormattableString.Invariant($"{left} episodes did not terminate; their last steps, whose next state is unknown, are left out.")
        : null;

    // Where no state follows there is one that counts nothing, but that the network takes: numbered states need not begin with 0.
    private float NoState => _design.Architecture.FirstState;

    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public static void CheckSchema(SchemaShape schema, DqnEstimator.Options options)
    {
        FeatureRows.Check(schema, options.StateColumnName);
        TransitionLog.Check(schema, options.ActionColumnName, column => column.IsKey, "a key. Add MapValueToKey");
        TransitionLog.Check(schema, options.RewardColumnName, column => column.ItemType == NumberDataViewType.Single, "a Single. Add ConvertType");
        TransitionLog.Check(schema, options.TerminatedColumnName, column => column.ItemType == BooleanDataViewType.Instance, "a Boolean");
        if (options.TruncatedColumnName is { } truncated)
            TransitionLog.Check(schema, truncated, column => column.ItemType == BooleanDataViewType.Instance, "a Boolean");
        if (options.EpisodeColumnName is not { } episode)
        {
            if (!schema.TryFindColumn(options.NextStateColumnName, out _))
                throw new ArgumentException($"{FeatureRows.Missing(options.NextStateColumnName, schema.Select(column => column.Name)).Message} If rows are whole episodes, one after the other, name the column of the episode with {nameof(options.EpisodeColumnName)}: no next state is needed then.");
            FeatureRows.Check(schema, options.NextStateColumnName);
            return;
        }
        TransitionLog.Check(schema, episode, EpisodeNumber.Suits, "a key or a whole number");
        if (options.StepColumnName is { } step)
            TransitionLog.Check(schema, step, column => !column.IsKey && EpisodeNumber.Suits(column), "a whole number");
    }

    /// <summary>Reads all rows.</summary>
    /// <exception cref="ArgumentException">There are no transitions, or they do not fit into memory.</exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    public ReplayBuffer Read()
    {
        // Each row can need a place for what followed it. Memory that is not used is not taken.
        var rows = CountRows();
        var places = Math.Max(2, 2 * rows);
        var bytes = _design.Replay.Bytes(rows);
        if (places > int.MaxValue || bytes > MachineMemory.Available)
            throw new ArgumentException($"The log is too large: its {rows.ToString("#,0", CultureInfo.InvariantCulture)} rows need at least {MachineMemory.Text(bytes)}; this process can have {MachineMemory.Text(MachineMemory.Available)}. Take fewer rows.");
        var buffer = new ReplayBuffer(_design.Replay, (int)places, $"column '{_options.StateColumnName}'");
        try
        {
            if (_isEpisodes)
                ReadEpisodes(buffer);
            else
                ReadPairs(buffer);
            _policy?.Close();
            return Rows > 0 ? buffer : throw new ArgumentException("There are no rows with a state and what followed it to learn from.");
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    private long CountRows()
    {
        using var cursor = _data.GetRowCursor([_data.Schema[_options.ActionColumnName]]);
        var rows = 0L;
        while (cursor.MoveNext())
            rows++;
        return rows;
    }

    private void ReadPairs(ReplayBuffer buffer)
    {
        var next = _data.Schema[_options.NextStateColumnName];
        DataViewSchema.Column? nextMask = _options.NextActionMaskColumnName is { } name ? _data.Schema[name] : null;
        using var cursor = _data.GetRowCursor([.. Columns(), next, .. nextMask is { } column ? [column] : Array.Empty<DataViewSchema.Column>()]);
        _policy?.Open(cursor, _design.Actions, isEpisodes: false);
        var row = new LogRow(cursor, _options, _design, _policy);
        var reader = new FeatureReader(cursor, next, _design.Architecture.InputCount);
        var maskReader = nextMask is { } mask ? new MaskReader(cursor, mask, _design.Actions.Count) : null;
        var (nextState, numbers, allowed) = (new float[_design.Architecture.InputCount], new float[_design.Actions.Count], new bool[_design.Actions.Count]);
        while (cursor.MoveNext())
        {
            row.Read();
            Array.Fill(nextState, NoState);
            if (!row.Terminated)
            {
                reader.Read(nextState);
                StateCheck.CheckRow(_design.Architecture, nextState, next.Name, cursor.Position);
            }
            if (!row.Terminated && maskReader != null)
            {
                maskReader.Read(numbers);
                for (var action = 0; action < allowed.Length; action++)
                    allowed[action] = numbers[action] != 0;
            }
            _policy?.FollowNext(row.State, nextState, allowed, maskReader != null, row.Terminated, row.Truncated);
            buffer.Begin(row.State, row.Mask);
            buffer.Add(row.Action, row.Reward, row.Terminated, truncated: !row.Terminated, nextState, (maskReader == null && _policy == null) || row.Terminated ? [] : allowed);
            Rows++;
        }
    }

    private void ReadEpisodes(ReplayBuffer buffer)
    {
        using var cursor = _data.GetRowCursor(Columns());
        _policy?.Open(cursor, _design.Actions, isEpisodes: true);
        var row = new LogRow(cursor, _options, _design, _policy);
        var (before, end) = (new LogRow(cursor, _options, _design, _policy), new float[_design.Architecture.InputCount]);
        Array.Fill(end, NoState);
        var (episodes, getStep) = (new EpisodeNumber(cursor, _options.EpisodeColumnName!), _options.StepColumnName is { } step ? EpisodeNumber.Getter(cursor, step) : null);
        var (number, isOpen) = (0L, false);
        while (cursor.MoveNext())
        {
            var (episode, nextNumber) = (episodes.Value, getStep?.Invoke() ?? 0);
            if (episodes.Begins())
            {
                Close(buffer, before, isOpen, episode);
                isOpen = false;
            }
            else
            {
                if (!isOpen)
                    throw new FormatException(FormattableString.Invariant($"Column '{_options.EpisodeColumnName}', {RowName.Of(cursor.Position)}: episode {episode} goes on, but the row before says that it ended."));
                if (getStep != null && nextNumber != number + 1)
                    throw new FormatException(FormattableString.Invariant($"Column '{_options.StepColumnName}', {RowName.Of(cursor.Position)}: the step is {nextNumber}; after step {number} of episode {episode} it must be {number + 1}. An episode with a gap must be made two."));
            }
            row.Read();
            if (isOpen)
            {
                buffer.Add(before.Action, before.Reward, terminated: false, truncated: false, row.State, row.Mask);
                Rows++;
            }
            else
            {
                _policy?.Begin(row.State);
                buffer.Begin(row.State, row.Mask);
            }
            (number, isOpen) = (nextNumber, !row.Terminated && !row.Truncated);
            if (row.Terminated)
            {
                buffer.Add(row.Action, row.Reward, terminated: true, truncated: false, end, []);
                Rows++;
            }
            else if (row.Truncated)
                LeaveOut(buffer);
            (row, before) = (before, row);
        }
        Close(buffer, before, isOpen, episodes.Value);
    }

    /// <summary>An episode that neither terminated nor was cut off lacks its last step.</summary>
    private void Close(ReplayBuffer buffer, LogRow last, bool isOpen, long episode)
    {
        if (!isOpen)
            return;
        if (_options.TruncatedColumnName != null)
            throw new FormatException(FormattableString.Invariant($"Column '{_options.TruncatedColumnName}', {RowName.Of(last.Position)}: episode {episode} ends here, but neither terminated nor was cut off; its last step is missing."));
        LeaveOut(buffer);
    }

    private void LeaveOut(ReplayBuffer buffer)
    {
        Counts.Add(StepsWithoutNext, 1);
        buffer.CutOff();
    }

    private List<DataViewSchema.Column> Columns()
    {
        string?[] names = [_options.StateColumnName, _options.ActionColumnName, _options.RewardColumnName, _options.TerminatedColumnName, _options.TruncatedColumnName, _options.ActionMaskColumnName, _options.EpisodeColumnName, _options.StepColumnName];
        return names.OfType<string>().Concat(_policy?.Columns ?? []).Select(name => FeatureRows.Find(_data.Schema, name)).ToList();
    }
}

/// <summary>The state, action, reward and end of the current row of a log.</summary>
internal sealed class LogRow
{
    private readonly DataViewRowCursor _cursor;
    private readonly DqnEstimator.Options _options;
    private readonly DqnDesign _design;
    private readonly FeatureReader _state;
    private readonly ValueGetter<uint> _action;
    private readonly Func<uint, int> _find;
    private readonly ValueGetter<float> _reward;
    private readonly ValueGetter<bool> _terminated;
    private readonly ValueGetter<bool>? _truncated;
    private readonly MaskReader? _maskReader;
    private readonly float[] _numbers;
    private readonly bool[] _mask;
    private readonly FollowedPolicy? _policy;
    private bool _isTerminated;
    private bool _isTruncated;

    public LogRow(DataViewRowCursor cursor, DqnEstimator.Options options, DqnDesign design, FollowedPolicy? policy)
    {
        (_cursor, _options, _design, _policy) = (cursor, options, design, policy);
        var schema = cursor.Schema;
        _state = new FeatureReader(cursor, schema[options.StateColumnName], design.Architecture.InputCount);
        var action = schema[options.ActionColumnName];
        _action = RowCursorUtils.GetGetterAs<uint>(new KeyDataViewType(typeof(uint), ((KeyDataViewType)action.Type).Count), cursor, action.Index) as ValueGetter<uint> ?? throw new InvalidOperationException();
        _find = design.Actions.Find(action, "actions");
        _reward = cursor.GetGetter<float>(schema[options.RewardColumnName]);
        _terminated = cursor.GetGetter<bool>(schema[options.TerminatedColumnName]);
        _truncated = options.TruncatedColumnName is { } truncated ? cursor.GetGetter<bool>(schema[truncated]) : null;
        _maskReader = options.ActionMaskColumnName is { } mask ? new MaskReader(cursor, schema[mask], design.Actions.Count) : null;
        State = new float[design.Architecture.InputCount];
        (_numbers, _mask) = (new float[design.Actions.Count], new bool[design.Actions.Count]);
    }

    public float[] State { get; }

    /// <summary>The allowed actions; empty if all are.</summary>
    public ReadOnlySpan<bool> Mask => _maskReader == null && _policy == null ? [] : _mask;

    public int Action { get; private set; }

    public float Reward { get; private set; }

    public bool Terminated => _isTerminated;

    public bool Truncated => _isTruncated;

    public long Position { get; private set; }

    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    public void Read()
    {
        ReadValues();
        _policy?.Follow(State, _mask, _maskReader != null, Action, Reward);
    }

    private void ReadValues()
    {
        Position = _cursor.Position;
        var (key, reward) = (0u, 0f);
        _state.Read(State);
        StateCheck.CheckRow(_design.Architecture, State, _options.StateColumnName, Position);
        _action(ref key);
        Action = key == 0 ? -1 : _find(key);
        if (Action < 0)
            throw new FormatException(FormattableString.Invariant($"Column '{_options.ActionColumnName}', {RowName.Of(Position)}: the action is {(key == 0 ? "missing" : FormattableString.Invariant($"key {key}, which is unknown"))}; it must be one of {_design.Actions.Count}{(_design.Actions.ColumnNames is { } names ? $", {NameList.Of(names)}" : "")}. Leave such rows out."));
        _reward(ref reward);
        if (!float.IsFinite(reward))
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{_options.RewardColumnName}', {RowName.Of(Position)}: the reward is {reward}; it must be finite."));
        Reward = reward;
        _terminated(ref _isTerminated);
        _truncated?.Invoke(ref _isTruncated);
        if (_maskReader == null)
            return;
        _maskReader.Read(_numbers);
        for (var action = 0; action < _mask.Length; action++)
            _mask[action] = _numbers[action] != 0;
        if (!_mask[Action])
            throw new FormatException(FormattableString.Invariant($"Column '{_options.ActionMaskColumnName}', {RowName.Of(Position)}: the action that was taken, slot {Action}, is not allowed."));
    }
}
