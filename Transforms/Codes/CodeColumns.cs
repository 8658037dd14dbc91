using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Codes;

/// <summary>Finds the column of features in a schema, and says which columns come out.</summary>
internal static class CodeColumns
{
    /// <exception cref="ArgumentException">There is no such column.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name) =>
        schema.GetColumnOrNull(name) ?? throw Missing(name, schema.Select(column => column.Name));

    /// <summary>The schema with the columns of a code.</summary>
    /// <param name="schema">The schema before.</param>
    /// <param name="inputColumnName">The column of features.</param>
    /// <param name="outputs">The columns to add, and whether they are vectors.</param>
    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    public static SchemaShape Extend(SchemaShape schema, string inputColumnName, params IEnumerable<(string? Name, bool IsVector)> outputs)
    {
        if (!schema.TryFindColumn(inputColumnName, out var input))
            throw Missing(inputColumnName, schema.Select(column => column.Name));
        if (input.ItemType != NumberDataViewType.Single || input.IsKey || input.Kind == SchemaShape.Column.VectorKind.VariableVector)
            throw new ArgumentException($"Column '{input.Name}' has type {input.GetTypeString()}; it must be Vector<Single> of known size, or Single.", nameof(schema));
        var columns = schema.ToDictionary(column => column.Name);
        foreach (var (name, isVector) in outputs)
        {
            if (name != null)
                columns[name] = new SchemaShape.Column(name, isVector ? SchemaShape.Column.VectorKind.Vector : SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.Single, isKey: false);
        }
        return new SchemaShape(columns.Values);
    }

    private static ArgumentException Missing(string name, IEnumerable<string> present) =>
        new($"Column '{name}' is not in the data; it has {string.Join(", ", present)}.");
}
