using MLExtensions.Serving.Blocks;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions;

/// <summary>A column that a served model reads or answers.</summary>
public sealed class ModelColumn
{
    internal ModelColumn(DataViewSchema.Column column, Type itemType, bool isKey)
    {
        (Name, ItemType, IsKey) = (column.Name, itemType, isKey);
        Names = KeyValues.NamesOf(column);
        RowShape = column.Type is VectorDataViewType vector ? [.. vector.Dimensions.Select(size => size == 0 ? -1 : size)] : [];
        RowLength = column.Type is VectorDataViewType { Size: var size } ? (size == 0 ? null : size) : 1;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>
    /// The type of its values: a number, <see langword="bool"/>, <see langword="string"/> for texts, <c>byte[]</c> for images (a file's bytes: jpg, png, bmp,
    /// gif or webp; answers are png), and for keys that of what they stand for.
    /// </summary>
    public Type ItemType { get; }

    /// <summary>Whether the values are keys: some of a known list, such as classes.</summary>
    public bool IsKey { get; }

    /// <summary>
    /// What keys may stand for, in the order of their numbers; or what the values of a vector are called, such as the classes of a score. As invariant text; empty
    /// if the model does not say.
    /// </summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The dimensions of a row: none for a single value, -1 where the length varies.</summary>
    public IReadOnlyList<int> RowShape { get; }

    /// <summary>The number of values of a row; null if it varies.</summary>
    public int? RowLength { get; }

    /// <inheritdoc/>
    public override string ToString() => RowShape.Count == 0 ? $"{Name}: {ItemType.Name}" : $"{Name}: {ItemType.Name}[{string.Join(", ", RowShape.Select(size => size < 0 ? "*" : FormattableString.Invariant($"{size}")))}]";
}
