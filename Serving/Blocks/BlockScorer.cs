using MLExtensions.Tensors;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Serving.Blocks;

/// <summary>
/// Scores blocks with a model. The steps are built upon the rows once, and their cursor stays open from block to block, with all memory that it has. Not thread-safe: one
/// for each that scores.
/// </summary>
internal sealed class BlockScorer : IDisposable
{
    private readonly ServedRows _rows;
    private readonly IDataView _scored;
    private readonly IReadOnlyList<AnswerColumn> _outputs;
    private readonly DataViewSchema.Column[] _needed;
    private DataViewRowCursor? _cursor;
    private AnswerReader[] _readers = [];
    private long _read;
    private bool _ends; // whether cursors end after a block, whatever comes later

    /// <param name="model">The model.</param>
    /// <param name="schema">The schema that it was saved with.</param>
    /// <param name="inputs">The columns that requests bring.</param>
    /// <param name="outputNames">The columns that are answered.</param>
    public BlockScorer(ITransformer model, DataViewSchema schema, IReadOnlyList<InputColumn> inputs, IReadOnlyList<string> outputNames)
    {
        _rows = new ServedRows(schema, inputs);
        _scored = model.Transform(_rows);
        _needed = [.. outputNames.Select(name => _scored.Schema[name])];
        _outputs = [.. _needed.Select(AnswerColumn.Of)];
    }

    /// <summary>The columns that are answered.</summary>
    public IReadOnlyList<AnswerColumn> Outputs => _outputs;

    /// <summary>Gets ready for the first block, whose rows will be counted from 0.</summary>
    public void Open()
    {
        Dispose();
        using var limit = ReadAheadLimit.Set(0);
        _cursor = ReadAheadLimit.Open(_scored, _needed);
        _readers = [.. _outputs.Select(output => output.Open(_cursor))];
        _read = 0;
    }

    /// <summary>Scores the rows of all requests.</summary>
    /// <returns>The answer of each request, in their order.</returns>
    public ColumnData[][] Score(IReadOnlyList<ServedRequest> block)
    {
        if (_cursor == null || _ends)
            Open();
        _rows.Take(block);
        try
        {
            return Read(block);
        }
        catch (MissingRowException) when (_read > RowsOf(block) && !_ends)
        {
            // A step reads ahead on threads of its own, and was at the end before these rows came. A cursor for each block does it, though slower.
            _ends = true;
            return Score(block);
        }
        catch
        {
            Dispose(); // nobody knows where it stopped
            throw;
        }
        finally
        {
            _rows.Take([]);
        }
    }

    public void Dispose()
    {
        _cursor?.Dispose();
        _cursor = null;
    }

    private static long RowsOf(IReadOnlyList<ServedRequest> block)
    {
        var rows = 0L;
        for (var i = 0; i < block.Count; i++)
            rows += block[i].Rows;
        return rows;
    }

    private ColumnData[][] Read(IReadOnlyList<ServedRequest> block)
    {
        _read += RowsOf(block);
        using var limit = ReadAheadLimit.Set(_read);
        var answers = new ColumnData[block.Count][];
        for (var i = 0; i < answers.Length; i++)
            answers[i] = Read(_cursor!, block[i].Rows);
        return answers;
    }

    private ColumnData[] Read(DataViewRowCursor cursor, int rows)
    {
        foreach (var reader in _readers)
            reader.Begin(rows);
        for (var row = 0; row < rows; row++)
        {
            if (!cursor.MoveNext())
                throw new MissingRowException();
            foreach (var reader in _readers)
                reader.Add();
        }
        return Array.ConvertAll(_readers, reader => reader.End());
    }

    private sealed class MissingRowException() : InvalidOperationException("A step of the model left out rows, so that answers would be those of other rows.");
}
