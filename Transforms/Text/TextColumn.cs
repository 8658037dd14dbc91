using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Messages;

namespace MLExtensions.Text;

/// <summary>Reads tokens from a text column.</summary>
internal static class TextColumn
{
    /// <exception cref="ArgumentException">The column is missing or not text; the message names it.</exception>
    public static void Check(SchemaShape schema, string name)
    {
        if (!schema.TryFindColumn(name, out var found))
            throw new ArgumentException($"Text column '{name}' is not in the data; the columns are {string.Join(", ", schema.Select(other => other.Name))}.");
        if (found.Kind != SchemaShape.Column.VectorKind.Scalar || found.ItemType != TextDataViewType.Instance)
            throw new ArgumentException($"Text column '{name}' has type {found.GetTypeString()}; it must be Text.{ColumnAdvice.ForText(found)}");
    }

    /// <inheritdoc cref="Check"/>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        Check(SchemaShape.Create(schema), name);
        return schema[name];
    }

    /// <summary>Appends the tokens of a row's text.</summary>
    /// <exception cref="FormatException">
    /// The text contains something that is not in the vocabulary; the message names column and row.
    /// </exception>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="text">The text.</param>
    /// <param name="ids">The list to append to.</param>
    /// <param name="column">The column, for the message.</param>
    /// <param name="row">The row, for the message.</param>
    /// <param name="unknown">Receives the words that are not in the vocabulary; null for nothing.</param>
    public static void Encode(TextTokenizer tokenizer, ReadOnlySpan<char> text, List<int> ids, string column, long row, List<string>? unknown = null)
    {
        try
        {
            if (unknown == null)
                tokenizer.Encode(text, ids);
            else
                tokenizer.Encode(text, ids, unknown);
        }
        catch (FormatException e)
        {
            throw new FormatException(FormattableString.Invariant($"Text column '{column}', {RowName.Of(row)}: {e.Message}"), e);
        }
    }
}
