using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Families.Conversations;

/// <summary>
/// Rows with one more column, the history of their conversation. What a row gets depends on the rows before it, so there is one cursor, and
/// rows are not shuffled.
/// </summary>
internal sealed class ConversationView : IDataView
{
    private readonly IDataView _input;
    private readonly string _output;
    private readonly ConversationColumnNames _columns;
    private readonly HistoryFormat _format;
    private readonly bool _onlyAnswers;
    private readonly Action<long, long> _tellCut;

    /// <param name="input">The rows.</param>
    /// <param name="output">The column to add.</param>
    /// <param name="columns">The columns that are read.</param>
    /// <param name="format">How turns become one text.</param>
    /// <param name="onlyAnswers">Whether rows without a text or without anything before them are left out.</param>
    /// <param name="tellCut">Receives the numbers of rows and words that were cut, at the end of a pass.</param>
    public ConversationView(IDataView input, string output, ConversationColumnNames columns, HistoryFormat format, bool onlyAnswers, Action<long, long> tellCut)
    {
        (_input, _output, _columns, _format, _onlyAnswers, _tellCut) = (input, output, columns, format, onlyAnswers, tellCut);
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(input.Schema);
        schema.AddColumn(output, TextDataViewType.Instance);
        Schema = schema.ToSchema();
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _onlyAnswers ? null : _input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new bool[Schema.Count];
        foreach (var column in columnsNeeded)
            active[column.Index] = true;
        var reads = active[^1] || _onlyAnswers;
        var needed = _input.Schema.Where(column => active[column.Index] || (reads && _columns.All.Contains(column.Name) && !column.IsHidden));
        return new Cursor(_input.GetRowCursor(needed), this, active, reads);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor : DataViewRowCursor
    {
        private readonly DataViewRowCursor _input;
        private readonly ConversationView _view;
        private readonly bool[] _active;
        private readonly ConversationReader? _reader;
        private string _history = "";
        private long _position = -1;

        public Cursor(DataViewRowCursor input, ConversationView view, bool[] active, bool reads)
        {
            (_input, _view, _active) = (input, view, active);
            _reader = reads ? new ConversationReader(input, view._columns, view._format) : null;
        }

        public override DataViewSchema Schema => _view.Schema;

        public override long Position => _position;

        public override long Batch => _input.Batch;

        public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

        public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

        public override bool MoveNext()
        {
            while (_input.MoveNext())
            {
                _history = _reader?.Read() ?? "";
                if (_view._onlyAnswers && !_reader!.IsAnswer)
                    continue;
                _position++;
                return true;
            }
            if (_reader is { Cut: (> 0 and var rows, var words) })
                _view._tellCut(rows, words);
            return false;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw new InvalidOperationException($"Column '{column.Name}' is not active in this cursor.");
            if (column.Index < _view._input.Schema.Count)
                return _input.GetGetter<TValue>(_view._input.Schema[column.Index]);
            ValueGetter<ReadOnlyMemory<char>> getter = (ref ReadOnlyMemory<char> destination) => destination = _history.AsMemory();
            return getter as ValueGetter<TValue> ?? throw new InvalidOperationException($"Column '{column.Name}' has type {column.Type}, not {typeof(TValue)}.");
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _input.Dispose();
            base.Dispose(disposing);
        }
    }
}
