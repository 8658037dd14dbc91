using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Text;

/// <summary>
/// A column of texts, or of vectors of keys: such a vector is the text of the values that its keys stand for, with spaces between them, and a missing key is
/// an unknown word.
/// </summary>
internal static class TokenColumn
{
    /// <exception cref="ArgumentException">The column is missing or of another type; the message names it.</exception>
    public static void Check(SchemaShape schema, string name)
    {
        if (!schema.TryFindColumn(name, out var found) || !(found.IsKey && found.Kind != SchemaShape.Column.VectorKind.Scalar && found.ItemType == NumberDataViewType.UInt32))
            TextColumn.Check(schema, name);
    }

    /// <inheritdoc cref="Check"/>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        Check(SchemaShape.Create(schema), name);
        return schema[name];
    }

    /// <summary>Whether a column is one of texts or of vectors of keys.</summary>
    public static bool Takes(DataViewType type) => type is TextDataViewType || (type is VectorDataViewType { ItemType: KeyDataViewType key } && key.RawType == typeof(uint));

    /// <summary>Returns the getter of the text of the current row.</summary>
    /// <exception cref="FormatException">A value of the keys would be several words; the message names column and value.</exception>
    public static ValueGetter<ReadOnlyMemory<char>> Open(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type is TextDataViewType)
            return row.GetGetter<ReadOnlyMemory<char>>(column);
        var words = Words(column);
        var getKeys = row.GetGetter<VBuffer<uint>>(column);
        VBuffer<uint> keys = default;
        return (ref ReadOnlyMemory<char> text) =>
        {
            getKeys(ref keys);
            text = Join(keys, words);
        };
    }

    /// <summary>The values of the keys of a column, each one word.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static IReadOnlyList<string>? Words(DataViewSchema.Column column)
    {
        var words = KeyNames.Of(column);
        if (words?.FirstOrDefault(word => word.Length == 0 || word.Any(char.IsWhiteSpace)) is { } bad)
            throw new FormatException($"Column '{column.Name}': the key value '{bad}' is {(bad.Length == 0 ? "empty" : "several words")}; the values of keys are words here, so they must be without white space.");
        return words;
    }

    public static ReadOnlyMemory<char> Join(in VBuffer<uint> keys, IReadOnlyList<string>? words) => string.Join(' ', keys.DenseValues().Select(key =>
        key == 0 ? WordTokenizer.Unknown : words == null ? key.ToString(System.Globalization.CultureInfo.InvariantCulture) : words[(int)key - 1])).AsMemory();
}
