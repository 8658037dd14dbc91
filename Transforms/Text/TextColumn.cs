using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Text;

/// <summary>A column of text that becomes tokens.</summary>
internal static class TextColumn
{
    /// <exception cref="ArgumentException">The column is missing or no text; the message names it.</exception>
    public static void Check(SchemaShape schema, string name)
    {
        if (!schema.TryFindColumn(name, out var found))
            throw new ArgumentException($"Text column '{name}' is not in the data; it has {string.Join(", ", schema.Select(other => other.Name))}.");
        if (found.Kind != SchemaShape.Column.VectorKind.Scalar || found.ItemType != TextDataViewType.Instance)
            throw new ArgumentException($"Text column '{name}' has type {found.GetTypeString()}; it must be Text.");
    }

    /// <inheritdoc cref="Check"/>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        Check(SchemaShape.Create(schema), name);
        return schema[name];
    }

    /// <summary>Appends the tokens of a row's text.</summary>
    /// <exception cref="FormatException">Something in it is not in the vocabulary; the message names column and row.</exception>
    public static void Encode(TextTokenizer tokenizer, ReadOnlySpan<char> text, List<int> ids, string column, long row)
    {
        try
        {
            tokenizer.Encode(text, ids);
        }
        catch (FormatException e)
        {
            throw new FormatException($"Text column '{column}', row {row}: {e.Message}", e);
        }
    }
}
