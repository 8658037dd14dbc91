using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Serving.Blocks;

/// <summary>Data whose rows are those of the requests of a block: another block, other rows. The steps of a model are built upon it once.</summary>
/// <param name="schema">The schema that the model was saved with.</param>
/// <param name="inputs">The columns that requests bring.</param>
internal sealed class ServedRows(DataViewSchema schema, IReadOnlyList<InputColumn> inputs) : IDataView
{
    private IReadOnlyList<ServedRequest> _block = [];
    private int _next;

    public DataViewSchema Schema => schema;

    public bool CanShuffle => false;

    private IReadOnlyList<InputColumn> Inputs => inputs;

    public long? GetRowCount() => null;

    /// <summary>Replaces the rows. The cursor goes on with them.</summary>
    public void Take(IReadOnlyList<ServedRequest> block) => (_block, _next) = (block, 0);

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(this, columnsNeeded);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];

    /// <summary>Goes over the rows of one block after the other. Only one is used at a time.</summary>
    internal sealed class Cursor : DataViewRowCursor
    {
        private readonly ServedRows _rows;
        private readonly IReadOnlyList<InputColumn> _inputs;
        private readonly bool[] _active;
        private long _position = -1;

        public Cursor(ServedRows rows, IEnumerable<DataViewSchema.Column> columnsNeeded)
        {
            (Schema, _rows, _inputs) = (rows.Schema, rows, rows.Inputs);
            _active = new bool[Schema.Count];
            foreach (var column in columnsNeeded)
                _active[column.Index] = true;
        }

        public override DataViewSchema Schema { get; }

        public override long Position => _position;

        public override long Batch => 0;

        /// <summary>The values of the current request, in the order of the inputs.</summary>
        public ColumnData[] Values { get; private set; } = [];

        /// <summary>The number of the current row in its request; -1 before the first one.</summary>
        public int Row { get; private set; } = -1;

        private int RowsOfRequest { get; set; }

        public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId((ulong)_position, 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            for (var place = 0; place < _inputs.Count; place++)
            {
                if (_inputs[place].Index == column.Index)
                {
                    return _inputs[place].CreateGetter(this, place) as ValueGetter<TValue>
                        ?? throw new InvalidOperationException($"Column '{column.Name}' has type {column.Type}, not {typeof(TValue)}.");
                }
            }
            throw new InvalidOperationException($"Column '{column.Name}' is not among those that requests bring.");
        }

        public override bool MoveNext()
        {
            Row++;
            while (Row >= RowsOfRequest)
            {
                if (_rows._next >= _rows._block.Count)
                    return false;
                var request = _rows._block[_rows._next++];
                (Values, RowsOfRequest, Row) = (request.Columns, request.Rows, 0);
            }
            _position++;
            return true;
        }
    }
}
