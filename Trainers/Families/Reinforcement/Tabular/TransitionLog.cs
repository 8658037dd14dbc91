using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Reinforcement;

/// <summary>A row of a log. The next state is -1 where it is missing.</summary>
internal readonly record struct LoggedTransition(int State, int Action, float Reward, int NextState, bool Terminated);

/// <summary>Rows of state, action, reward and next state, as a log has them.</summary>
internal sealed class TransitionLog
{
    private const string SkippedRows = "rows without state or action";
    private const string UnknownEnds = "rows that lead to a state in which nothing was tried";

    private readonly IDataView _data;
    private readonly TabularOptions _options;
    private readonly int[]? _nextPlaces;
    private readonly bool _isComparable;

    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public TransitionLog(IDataView data, TabularOptions options)
    {
        (_data, _options) = (data, options);
        CheckSchema(SchemaShape.Create(data.Schema), options);
        var (states, nextStates) = (data.Schema[options.StateColumnName], data.Schema[options.NextStateColumnName]);
        var (names, nextNames) = (KeyNames.Of(states), KeyNames.Of(nextStates));
        // Where all next states are missing, MapValueToKey met nothing to name.
        _isComparable = (names == null) == (nextNames == null);
        if (names != null && nextNames != null)
        {
            // States that an episode ends in are in one of the columns only.
            var known = names.ToHashSet(StringComparer.Ordinal);
            names = [.. names, .. nextNames.Where(known.Add)];
            _nextPlaces = KeyMap.Places(nextNames, names);
        }
        States = new PolicyKeys(names?.Count ?? Math.Max(CountOf(states), _isComparable ? CountOf(nextStates) : 1), names, null);
        Actions = KeysOf(data.Schema[options.ActionColumnName]);
    }

    public PolicyKeys States { get; }

    public PolicyKeys Actions { get; }

    public DataCounts Counts { get; } = new();

    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public static void CheckSchema(SchemaShape schema, TabularOptions options)
    {
        foreach (var name in (string[])[options.StateColumnName, options.ActionColumnName, options.NextStateColumnName])
            Check(schema, name, column => column.IsKey, "a key. Add MapValueToKey");
        Check(schema, options.RewardColumnName, column => column.ItemType == NumberDataViewType.Single, "a Single. Add ConvertType");
        if (options.TerminatedColumnName is { } terminated)
            Check(schema, terminated, column => column.ItemType == BooleanDataViewType.Instance, "a Boolean");
    }

    /// <summary>Reads the rows once. Those without state or action are left out and counted.</summary>
    /// <exception cref="FormatException">A reward is not finite; the message names row and value.</exception>
    public IEnumerable<LoggedTransition> Read(CancellationToken cancellation)
    {
        var schema = _data.Schema;
        var (stateColumn, actionColumn) = (schema[_options.StateColumnName], schema[_options.ActionColumnName]);
        var (rewardColumn, nextColumn) = (schema[_options.RewardColumnName], schema[_options.NextStateColumnName]);
        DataViewSchema.Column? terminatedColumn = _options.TerminatedColumnName is { } name ? schema[name] : null;
        DataViewSchema.Column?[] columns = [stateColumn, actionColumn, rewardColumn, nextColumn, terminatedColumn];
        using var cursor = _data.GetRowCursor(columns.OfType<DataViewSchema.Column>().DistinctBy(column => column.Index));
        var (getState, getAction, getNext) = (KeyNames.Open(cursor, stateColumn), KeyNames.Open(cursor, actionColumn), KeyNames.Open(cursor, nextColumn));
        var getReward = cursor.GetGetter<float>(rewardColumn);
        var getTerminated = terminatedColumn is { } column ? cursor.GetGetter<bool>(column) : null;
        for (var row = 0L; cursor.MoveNext(); row++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (state, action, next, reward, terminated) = (0u, 0u, 0u, 0f, false);
            getState(ref state);
            getAction(ref action);
            if (state == 0 || action == 0)
            {
                Counts.Add(SkippedRows, 1);
                continue;
            }
            getNext(ref next);
            if (next != 0 && !_isComparable)
                KeyMap.Create(nextColumn, KeyNames.Of(stateColumn), $"column '{stateColumn.Name}'"); // throws, and says why
            getReward(ref reward);
            getTerminated?.Invoke(ref terminated);
            if (!float.IsFinite(reward))
                throw new FormatException(FormattableString.Invariant($"Column '{rewardColumn.Name}', {RowName.Of(row)}: the reward is {reward}; it must be finite."));
            if (getTerminated != null && !terminated && next == 0)
                throw new FormatException(FormattableString.Invariant($"Column '{nextColumn.Name}', {RowName.Of(row)}: the next state is missing, but column '{_options.TerminatedColumnName}' says that the episode did not end. Rows whose next state is unknown must be left out."));
            yield return new LoggedTransition((int)state - 1, (int)action - 1, reward, Place(next), terminated || next == 0);
        }
    }

    /// <summary>Counts rows whose next state is there, but has no action that was tried: its value is taken for 0, as if the episode ended.</summary>
    public void CountUnknownEnds(long rows) => Counts.Add(UnknownEnds, rows);

    /// <summary>Says what there is to say of the rows.</summary>
    /// <param name="channel">The log of the training.</param>
    /// <returns>Those that are warnings.</returns>
    public IReadOnlyList<string> Report(IChannel channel)
    {
        var warnings = new List<string>();
        if (Counts[SkippedRows] is > 0 and var skipped)
            warnings.Add(FormattableString.Invariant($"{skipped} rows have no state or no action; they are left out."));
        if (Counts[UnknownEnds] is > 0 and var ends)
        {
            var note = FormattableString.Invariant($"{ends} rows lead to a state in which nothing was tried; they count as ends of episodes, after which nothing comes.");
            // Without the column that is how a log says that an episode ended: by a state such as "end".
            if (_options.TerminatedColumnName is { } terminated)
                warnings.Add($"{note} Column '{terminated}' says that they are not.");
            else
                channel.Info("{0}", note);
        }
        foreach (var warning in warnings)
            channel.Warning("{0}", warning);
        return warnings;
    }

    private int Place(uint next) => next == 0 ? -1 : _nextPlaces == null ? (int)next - 1 : _nextPlaces[next - 1];

    /// <summary>The keys of a column.</summary>
    /// <exception cref="ArgumentException">There are more than a table can have.</exception>
    public static PolicyKeys KeysOf(DataViewSchema.Column column) => new(CountOf(column), KeyNames.Of(column), null);

    private static int CountOf(DataViewSchema.Column column)
    {
        var count = ((KeyDataViewType)column.Type).Count;
        return count <= 1 << 24 ? (int)count : throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {count} keys; a table can have at most {1 << 24}. Use MapValueToKey, whose keys are numbered without gaps."), nameof(column));
    }

    /// <exception cref="ArgumentException">The column is missing or of a wrong type; the message names it.</exception>
    public static void Check(SchemaShape schema, string name, Func<SchemaShape.Column, bool> suits, string allowed)
    {
        if (!schema.TryFindColumn(name, out var column))
            throw FeatureRows.Missing(name, schema.Select(other => other.Name));
        if (column.Kind != SchemaShape.Column.VectorKind.Scalar || !suits(column))
            throw new ArgumentException($"Column '{name}' has type {column.GetTypeString()}; it must be {allowed}.", nameof(schema));
    }
}
