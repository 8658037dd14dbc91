using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Scoring;

/// <summary>Reads the texts of a block of rows ahead.</summary>
internal sealed class TextCursor : BlockCursor
{
    private const int MaximumBlockRows = 1024;
    private const long MaximumBytes = 1 << 22;

    private readonly ColumnBuffer<ReadOnlyMemory<char>> _texts;

    public TextCursor(DataViewRowCursor input, DataViewSchema.Column textColumn)
        : base(input, MaximumBlockRows, MaximumBytes) => _texts = (ColumnBuffer<ReadOnlyMemory<char>>)Columns[textColumn.Index]!;

    /// <summary>The texts of the rows read ahead.</summary>
    public ReadOnlySpan<ReadOnlyMemory<char>> Texts => _texts.Values[..Count];
}
