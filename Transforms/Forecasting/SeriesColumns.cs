using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;

namespace MLExtensions.Forecasting;

/// <summary>The names of the columns that series are read from.</summary>
/// <param name="Value">The values of the series.</param>
/// <param name="Extra">Further inputs.</param>
/// <param name="Group">Says which series a row belongs to; null for a single one.</param>
internal sealed record SeriesColumnNames(string Value, IReadOnlyList<string> Extra, string? Group);

/// <summary>The columns of some data that series are read from, found and checked.</summary>
internal sealed record SeriesColumns(DataViewSchema.Column Value, IReadOnlyList<DataViewSchema.Column> Extra, DataViewSchema.Column? Group)
{
    /// <summary>The number of values of a row: the series' own and the extra inputs.</summary>
    public int Width { get; } = 1 + Extra.Sum(FeatureReader.WidthOf);

    public IEnumerable<DataViewSchema.Column> All => Group is { } group ? [Value, .. Extra, group] : [Value, .. Extra];

    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public static SeriesColumns Find(DataViewSchema schema, SeriesColumnNames names)
    {
        Check(SchemaShape.Create(schema), names);
        return new SeriesColumns(
            schema[names.Value],
            names.Extra.Select(name => schema[name]).ToArray(),
            names.Group == null ? null : schema[names.Group]);
    }

    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public static void Check(SchemaShape schema, SeriesColumnNames names)
    {
        var value = Find(schema, names.Value, "Value");
        if (value.Kind != SchemaShape.Column.VectorKind.Scalar || value.ItemType != NumberDataViewType.Single)
            throw Wrong("Value", value, "Single; ConvertType makes one");
        foreach (var name in names.Extra)
        {
            var extra = Find(schema, name, "Extra");
            if (extra.Kind == SchemaShape.Column.VectorKind.VariableVector || extra.ItemType != NumberDataViewType.Single)
                throw Wrong("Extra", extra, "Single, or Vector<Single> of known size");
        }
        if (names.Group == null)
            return;
        var group = Find(schema, names.Group, "Group");
        if (group.Kind != SchemaShape.Column.VectorKind.Scalar || !(group.IsKey || group.ItemType is TextDataViewType || IsInteger(group.ItemType)))
            throw Wrong("Group", group, "a key, text or a whole number");
    }

    private static bool IsInteger(DataViewType type) =>
        type is NumberDataViewType && type != NumberDataViewType.Single && type != NumberDataViewType.Double;

    private static SchemaShape.Column Find(SchemaShape schema, string name, string role) =>
        schema.TryFindColumn(name, out var column)
            ? column
            : throw new ArgumentException($"{role} column '{name}' is not in the data; it has {string.Join(", ", schema.Select(other => other.Name))}.");

    private static ArgumentException Wrong(string role, SchemaShape.Column column, string expected) =>
        new($"{role} column '{column.Name}' has type {column.GetTypeString()}; it must be {expected}.");
}
