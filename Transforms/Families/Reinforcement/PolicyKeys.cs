using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Reinforcement;

/// <summary>The states or actions of a policy: how many there are and what they are called.</summary>
/// <param name="Count">Their number.</param>
/// <param name="Names">What keys stand for in the data that was learned from; null if they have no names.</param>
/// <param name="Start">The number of the first one in the environment that was learned from; null if it was data.</param>
internal sealed record PolicyKeys(int Count, IReadOnlyList<string>? Names, int? Start)
{
    private readonly Dictionary<int, int>? _places = PlacesOf(Names);

    /// <summary>The names as columns have them; null if there are none.</summary>
    public IReadOnlyList<string>? ColumnNames => Names ?? (Start is { } start ? Enumerable.Range(start, Count).Select(Text).ToArray() : null);

    /// <summary>The place of a number of an environment; -1 if it is unknown. Names that are numbers are those of the environment.</summary>
    /// <exception cref="ArgumentException">There are names, and they are no numbers.</exception>
    public int PlaceOf(int number)
    {
        if (_places != null)
            return _places.GetValueOrDefault(number, -1);
        RequireNumbers();
        var place = number - (Start ?? 0);
        return (uint)place < (uint)Count ? place : -1;
    }

    /// <summary>The number that an environment has for a place.</summary>
    /// <exception cref="ArgumentException">There are names, and this one is no number.</exception>
    public int NumberOf(int place)
    {
        if (_places == null)
        {
            RequireNumbers();
            return place + (Start ?? 0);
        }
        return int.TryParse(Names![place], NumberStyles.Integer, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ArgumentException($"'{Names[place]}' is no number, but others of {NameList.Of(Names)} are: an environment cannot know what it is.");
    }

    /// <summary>Finds the places of the keys of a column; those that are unknown are -1.</summary>
    /// <exception cref="ArgumentException">The column is no key, or only one of both has names.</exception>
    public Func<uint, int> Find(DataViewSchema.Column column, string what)
    {
        if (column.Type is not KeyDataViewType key)
            throw new ArgumentException($"Column '{column.Name}' has type {column.Type}; it must be a key. Add MapValueToKey.", nameof(column));
        var names = KeyNames.Of(column);
        var known = names == null && Start != null ? null : ColumnNames;
        if ((names == null) != (known == null))
            throw new ArgumentException($"Column '{column.Name}': its keys {(names == null ? "have no values" : $"stand for {NameList.Of(names)}")}, but the {what} of the policy {(known == null ? "have none" : $"are {NameList.Of(known)}")}. Keys are matched by the values that they stand for (KeyValues), so both need them, or neither; MapValueToKey adds them.", nameof(column));
        if (names != null)
        {
            var places = KeyMap.Places(names, known!);
            return value => value == 0 || value > places.Length ? -1 : places[value - 1];
        }
        if (key.Count != (ulong)Count)
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {key.Count} keys; the policy has {Count} {what}."), nameof(column));
        return value => value > Count ? -1 : (int)value - 1;
    }

    /// <summary>The order of names says nothing about an environment.</summary>
    private void RequireNumbers()
    {
        if (Names != null)
            throw new ArgumentException($"The policy knows {NameList.Of(Names)}, but an environment has numbers. Learn from keys that stand for its numbers, such as 0, 1, 2, or use Transform on rows with these names.");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The places of the names that are numbers: others, such as "end" beside them, are no state of an environment. Null if none are, or two are the same.</summary>
    private static Dictionary<int, int>? PlacesOf(IReadOnlyList<string>? names)
    {
        var places = new Dictionary<int, int>();
        for (var place = 0; place < names?.Count; place++)
        {
            if (int.TryParse(names[place], NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) && !places.TryAdd(number, place))
                return null;
        }
        return places.Count == 0 ? null : places;
    }
}
