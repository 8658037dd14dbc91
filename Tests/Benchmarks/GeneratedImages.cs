using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Benchmarks;

/// <summary>Pictures that are made as they are read, so that the source itself takes no memory.</summary>
internal sealed class GeneratedImages : IDataView
{
    private readonly int _rows;
    private readonly bool _countIsKnown;

    public GeneratedImages(int rows, bool countIsKnown)
    {
        _rows = rows;
        _countIsKnown = countIsKnown;
        var builder = new DataViewSchema.Builder();
        builder.AddColumn(nameof(ImageRow.Label), new KeyDataViewType(typeof(uint), ImageRow.Classes));
        builder.AddColumn(nameof(ImageRow.Features), new VectorDataViewType(NumberDataViewType.Single, ImageRow.Width));
        Schema = builder.ToSchema();
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _countIsKnown ? _rows : null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(Schema, _rows);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(DataViewSchema schema, int rows) : DataViewRowCursor
    {
        private readonly ImageGenerator _generator = new(seed: 1);
        private readonly float[] _pixels = new float[ImageRow.Width];
        private uint _label;
        private long _position = -1;

        public override DataViewSchema Schema => schema;

        public override long Position => _position;

        public override long Batch => 0;

        public override bool IsColumnActive(DataViewSchema.Column column) => true;

        public override ValueGetter<DataViewRowId> GetIdGetter() =>
            (ref DataViewRowId id) => id = new DataViewRowId((ulong)_position, 0);

        public override bool MoveNext()
        {
            if (_position + 1 >= rows)
                return false;
            _position++;
            _label = _generator.Fill(_position, _pixels);
            return true;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            // A key counts from 1.
            ValueGetter<uint> label = (ref uint destination) => destination = _label + 1;
            ValueGetter<VBuffer<float>> features = CopyPixels;
            return (ValueGetter<TValue>)(Delegate)(column.Index == 0 ? label : features);
        }

        private void CopyPixels(ref VBuffer<float> destination)
        {
            var editor = VBufferEditor.Create(ref destination, _pixels.Length);
            _pixels.CopyTo(editor.Values);
            destination = editor.Commit();
        }
    }
}
