using Microsoft.ML;
using MLExtensions.Tensors;

namespace MLExtensions.Text;

/// <summary>Computes something of the texts of some rows.</summary>
/// <param name="texts">The texts of each column, row after row.</param>
/// <param name="firstRow">The number of the first row, for messages.</param>
/// <param name="results">Receives one result per row.</param>
internal delegate void ComputeOfTexts<T>(IReadOnlyList<ReadOnlyMemory<ReadOnlyMemory<char>>> texts, long firstRow, Span<T> results);

/// <summary>Returns what is computed of the texts of the current row of a cursor or prediction engine. Each row or block is computed once.</summary>
internal abstract class TextResults<T>
{
    public abstract T Current();

    /// <param name="input">The current row.</param>
    /// <param name="columns">The text columns.</param>
    /// <param name="compute">Computes the results of some rows.</param>
    public static TextResults<T> Create(DataViewRow input, IReadOnlyList<DataViewSchema.Column> columns, ComputeOfTexts<T> compute) =>
        input is TextCursor cursor ? new OfBlocks(cursor, columns, compute) : new OfRows(input, columns, compute);

    private sealed class OfBlocks(TextCursor cursor, IReadOnlyList<DataViewSchema.Column> columns, ComputeOfTexts<T> compute) : TextResults<T>
    {
        private readonly T[] _results = new T[cursor.Capacity];
        private int _version;

        public override T Current()
        {
            if (_version != cursor.Version)
            {
                compute([.. columns.Select(cursor.TextsOf)], cursor.Position - cursor.Index, _results);
                _version = cursor.Version;
            }
            return _results[cursor.Index];
        }
    }

    private sealed class OfRows(DataViewRow input, IReadOnlyList<DataViewSchema.Column> columns, ComputeOfTexts<T> compute) : TextResults<T>
    {
        private readonly ValueGetter<ReadOnlyMemory<char>>[] _getters = [.. columns.Select(column => TokenColumn.Open(input, column))];
        private readonly T[] _result = new T[1];
        private long _position = -1;

        public override T Current()
        {
            if (_position != input.Position || _position < 0)
            {
                compute([.. _getters.Select(Read)], input.Position, _result);
                _position = input.Position;
            }
            return _result[0];
        }

        private static ReadOnlyMemory<ReadOnlyMemory<char>> Read(ValueGetter<ReadOnlyMemory<char>> getter)
        {
            ReadOnlyMemory<char> text = default;
            getter(ref text);
            return new[] { text };
        }
    }
}
