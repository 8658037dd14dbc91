using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;

namespace MLExtensions.Tensors;

/// <summary>The names of keys: the values that they stand for, as text, whatever their type.</summary>
internal static class KeyNames
{
    /// <summary>The names of a key column in key order; null if it has none.</summary>
    public static IReadOnlyList<string>? Of(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.KeyValues) is not { Type: VectorDataViewType { ItemType: PrimitiveDataViewType } } values)
            return null;
        var row = AnnotationUtils.AnnotationsAsRow(column.Annotations);
        var getter = RowCursorUtils.GetVecGetterAs<ReadOnlyMemory<char>>(TextDataViewType.Instance, row, values.Index);
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        getter(ref names);
        return names.DenseValues().Select(name => name.ToString()).ToArray();
    }

    /// <summary>Reads keys of any size; those above the range of <c>UInt32</c> are its largest number.</summary>
    public static ValueGetter<uint> Open(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type.RawType == typeof(uint))
            return row.GetGetter<uint>(column);
        var getter = RowCursorUtils.GetGetterAs<ulong>(NumberDataViewType.UInt64, row, column.Index);
        return (ref uint value) =>
        {
            var wide = 0ul;
            getter(ref wide);
            value = (uint)Math.Min(wide, uint.MaxValue);
        };
    }
}

/// <summary>
/// Finds the keys of one column among those of another by their names. The same names can have other numbers: those of a folder of images
/// without one of the classes, or of a <c>MapValueToKey</c> that met the values in another order.
/// </summary>
internal sealed class KeyMap
{
    private readonly IReadOnlyList<string> _names;
    private readonly IReadOnlyList<string> _known;
    private readonly int[] _places;
    private readonly string _column;
    private readonly string _owner;

    private KeyMap(IReadOnlyList<string> names, IReadOnlyList<string> known, string column, string owner)
    {
        _names = names;
        _known = known;
        _column = column;
        _owner = owner;
        _places = Places(names, known);
    }

    /// <summary>Whether each key has the same name in both columns.</summary>
    public bool HasSameKeys => _names.Count == _known.Count && Enumerable.Range(0, _names.Count).All(key => _places[key] == key);

    /// <param name="column">The column whose keys are to be found.</param>
    /// <param name="known">The names of the keys among which they are found; null if they have none.</param>
    /// <param name="owner">What has these keys, for messages, such as "the training data".</param>
    /// <returns>Null if neither has names, or if all names are at the same places: then keys are found by their numbers.</returns>
    /// <exception cref="ArgumentException">Only one of them has names, so that they cannot be compared.</exception>
    public static KeyMap? Create(DataViewSchema.Column column, IReadOnlyList<string>? known, string owner)
    {
        var names = KeyNames.Of(column);
        if (names == null && known == null)
            return null;
        if (names == null || known == null)
            throw new ArgumentException($"Column '{column.Name}': its keys {(names == null ? "have no values" : $"stand for {NameList.Of(names)}")}, but those of {owner} {(known == null ? "have none" : $"stand for {NameList.Of(known)}")}. Keys are matched by the values that they stand for (KeyValues), so both need them, or neither; MapValueToKey adds them.");
        var map = new KeyMap(names, known, column.Name, owner);
        return map.HasSameKeys ? null : map;
    }

    /// <summary>The place of each name among others, from 0; -1 if it is not there.</summary>
    public static int[] Places(IReadOnlyList<string> names, IReadOnlyList<string> among)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var place = 0; place < among.Count; place++)
            places.TryAdd(among[place], place);
        return names.Select((name, i) => i < among.Count && among[i] == name ? i : places.GetValueOrDefault(name, -1)).ToArray();
    }

    /// <summary>Finds a key.</summary>
    /// <param name="key">The key, from 0.</param>
    /// <param name="row">The row, for the message.</param>
    /// <exception cref="FormatException">The key has a name that is unknown; the message names column, row and value.</exception>
    public int Find(int key, long row)
    {
        if (key >= 0 && key < _places.Length && _places[key] >= 0)
            return _places[key];
        throw new FormatException(FormattableString.Invariant($"Column '{_column}', {RowName.Of(row)}: the value is '{(key >= 0 && key < _names.Count ? _names[key] : (key + 1).ToString(System.Globalization.CultureInfo.InvariantCulture))}', which {_owner} does not have; it has {NameList.Of(_known)}. Leave such rows out, or make the keys with the MapValueToKey of the training data: then they are missing values."));
    }
}
