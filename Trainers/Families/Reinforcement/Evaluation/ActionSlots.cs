using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Reinforcement;

/// <summary>Reads a vector with a value for each action, in the order of the log's actions.</summary>
internal sealed class ActionSlots
{
    private readonly DataViewRow _row;
    private readonly string _column;
    private readonly int[] _places;
    private readonly ValueGetter<VBuffer<float>> _getter;
    private VBuffer<float> _buffer;

    public ActionSlots(DataViewRow row, string column, PolicyKeys actions)
    {
        (_row, _column) = (row, column);
        _places = PlacesOf(row.Schema[column], actions);
        _getter = row.GetGetter<VBuffer<float>>(row.Schema[column]);
    }

    /// <summary>The place among the actions that each slot belongs to.</summary>
    /// <exception cref="ArgumentException">The column is of another type, size, or has slots of unknown names.</exception>
    public static int[] PlacesOf(DataViewSchema.Column column, PolicyKeys actions)
    {
        if (column.Type is not VectorDataViewType { ItemType: NumberDataViewType } vector || vector.ItemType != NumberDataViewType.Single || vector.Size != actions.Count)
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has type {column.Type}; it must be a Vector<Single> of {actions.Count} values, one for each action{Listed(actions)}{(column.Type is TextDataViewType ? "; a chosen action must be a key, as before MapKeyToValue" : "")}."));
        var inOrder = Enumerable.Range(0, actions.Count).ToArray();
        if (actions.ColumnNames is not { } names || NamesOf(column) is not { } slots || AreOthers(slots, names))
            return inOrder;
        var places = KeyMap.Places(slots, names);
        var unknown = Array.FindIndex(places, place => place < 0);
        if (unknown >= 0 || places.Distinct().Count() != places.Length)
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}': slot {Math.Max(0, unknown)} is named '{slots[Math.Max(0, unknown)]}', but the actions are {NameList.Of(names)}. Slots are met with actions by name; each action must have one slot. Slots without names are taken in the order of the actions' keys."));
        return places;
    }

    /// <exception cref="FormatException">A value is not finite; the message names column, row and slot.</exception>
    public void Read(Span<double> destination)
    {
        _getter(ref _buffer);
        if (_buffer.Length != _places.Length)
            throw new FormatException(FormattableString.Invariant($"Column '{_column}', {RowName.Of(_row.Position)}: there are {_buffer.Length} values; it must have {_places.Length}, one for each action."));
        for (var slot = 0; slot < _places.Length; slot++)
        {
            var value = _buffer.GetItemOrDefault(slot);
            if (!float.IsFinite(value))
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"Column '{_column}', {RowName.Of(_row.Position)}, slot {slot}: the value is {value}; it must be finite."));
            destination[_places[slot]] = value;
        }
    }

    /// <summary>Says that slots are taken in order although they have names; null if that is not so.</summary>
    public static string? NoteOf(DataViewSchema.Column column, PolicyKeys actions) =>
        column.Type is VectorDataViewType && actions.ColumnNames is { } names && NamesOf(column) is { } slots && AreOthers(slots, names)
            ? $"The slots of column '{column.Name}' are named {NameList.Of(slots)}; no action has such a name, so they are taken in the order of the actions: {NameList.Of(names)}."
            : null;

    private static string[]? NamesOf(DataViewSchema.Column column)
    {
        if (!column.HasSlotNames())
            return null;
        var buffer = default(VBuffer<ReadOnlyMemory<char>>);
        column.GetSlotNames(ref buffer);
        return [.. buffer.DenseValues().Select(name => name.ToString())];
    }

    /// <summary>Whether slots are named after something else, such as the columns that were concatenated. Another spelling is no other name.</summary>
    private static bool AreOthers(string[] slots, IReadOnlyList<string> names) =>
        !slots.Any(slot => names.Any(name => string.Equals(slot.Trim(), name.Trim(), StringComparison.OrdinalIgnoreCase)));

    /// <summary>The names of actions for messages.</summary>
    public static string Listed(PolicyKeys actions) => actions.ColumnNames is { } names ? $" ({NameList.Of(names)})" : "";
}

/// <summary>Reads a key and finds it among the actions.</summary>
internal sealed class ActionKey
{
    private readonly DataViewRow _row;
    private readonly DataViewSchema.Column _column;
    private readonly PolicyKeys _actions;
    private readonly ValueGetter<uint> _getter;
    private readonly Func<uint, int> _find;

    public ActionKey(DataViewRow row, string column, PolicyKeys actions)
    {
        (_row, _column, _actions) = (row, row.Schema[column], actions);
        _find = actions.Find(_column, "actions");
        _getter = KeyNames.Open(row, _column);
    }

    /// <summary>The place of the action.</summary>
    /// <exception cref="FormatException">It is missing or unknown; the message names column and row.</exception>
    public int Read()
    {
        var key = 0u;
        _getter(ref key);
        var place = key == 0 ? -1 : _find(key);
        if (place >= 0)
            return place;
        var name = key == 0 ? "missing" : KeyNames.Of(_column) is { } names && key <= names.Count ? $"'{names[(int)key - 1]}', which is unknown" : FormattableString.Invariant($"key {key}, which is unknown");
        throw new FormatException(FormattableString.Invariant($"Column '{_column.Name}', {RowName.Of(_row.Position)}: the action is {name}; it must be one of {_actions.Count}{ActionSlots.Listed(_actions)}. Leave such rows out."));
    }
}

/// <summary>Reads the probabilities of all actions, or a chosen action, which has probability 1.</summary>
internal sealed class PolicyColumn
{
    // Probabilities are float32, and often normalized by others.
    private const double SumTolerance = 1e-3;
    private const double Rounding = 1e-6;

    private readonly DataViewRow _row;
    private readonly string _column;
    private readonly ActionSlots? _slots;
    private readonly ActionKey? _key;

    public PolicyColumn(DataViewRow row, string column, PolicyKeys actions)
    {
        (_row, _column) = (row, column);
        if (row.Schema[column].Type is KeyDataViewType)
            _key = new ActionKey(row, column, actions);
        else
            _slots = new ActionSlots(row, column, actions);
    }

    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    public void Read(Span<double> probabilities)
    {
        if (_key != null)
        {
            probabilities.Clear();
            probabilities[_key.Read()] = 1;
            return;
        }
        _slots!.Read(probabilities);
        var sum = 0.0;
        foreach (ref var probability in probabilities)
        {
            if (probability is < -Rounding or > 1 + SumTolerance)
                throw new FormatException(FormattableString.Invariant($"Column '{_column}', {RowName.Of(_row.Position)}: a probability is {probability:G6}; it must be between 0 and 1. Scores that are no probabilities, such as action values, do not say what a policy does; its action as a key does."));
            probability = Math.Max(0, probability); // what is left of 1 can be just below 0
            sum += probability;
        }
        if (Math.Abs(sum - 1) > SumTolerance)
            throw new FormatException(FormattableString.Invariant($"Column '{_column}', {RowName.Of(_row.Position)}: the probabilities of the actions sum to {sum:G6}; they must sum to 1. Scores that are no probabilities, such as action values, do not say what a policy does; its action as a key does."));
        foreach (ref var probability in probabilities)
            probability /= sum;
    }
}
