using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Tensors;

namespace MLExtensions.Models;

/// <summary>
/// Data whose label column has the keys of the model. ML.NET's evaluators compare labels with predictions by the numbers of keys, which
/// can stand for other classes than in training.
/// </summary>
internal sealed class RelabeledDataView : IDataView
{
    private readonly IHost _host;
    private readonly IDataView _source;
    private readonly int _label;
    private readonly KeyMap _map;

    private RelabeledDataView(IHost host, IDataView source, DataViewSchema.Column label, DataViewSchema.Column modelLabel, KeyMap map)
    {
        _host = host;
        _source = source;
        _label = label.Index;
        _map = map;
        var builder = new DataViewSchema.Builder();
        foreach (var column in source.Schema)
        {
            if (column.Index == _label)
                builder.AddColumn(column.Name, modelLabel.Type, modelLabel.Annotations);
            else
                builder.AddColumn(column.Name, column.Type, column.Annotations);
        }
        Schema = builder.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => _source.CanShuffle;

    /// <summary>Returns the data itself if it has no such column, or if its keys are those of the model or have no names.</summary>
    /// <param name="host">The host.</param>
    /// <param name="source">The data.</param>
    /// <param name="modelLabel">The label column in training.</param>
    public static IDataView Of(IHost host, IDataView source, DataViewSchema.Column modelLabel)
    {
        if (modelLabel.Type.RawType != typeof(uint) || source.Schema.GetColumnOrNull(modelLabel.Name) is not { Type: KeyDataViewType } label)
            return source;
        if (KeyNames.Of(label) == null || KeyNames.Of(modelLabel) is not { } known)
            return source;
        var map = KeyMap.Create(label, known, "the model");
        return map == null ? source : new RelabeledDataView(host, source, label, modelLabel, map);
    }

    public long? GetRowCount() => _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        Wrap(ReadAheadLimit.Open(_source, Own(columnsNeeded), rand));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        Array.ConvertAll(_source.GetRowCursorSet(Own(columnsNeeded), n, rand), Wrap);

    private DataViewSchema.Column[] Own(IEnumerable<DataViewSchema.Column> columns) => columns.Select(column => _source.Schema[column.Index]).ToArray();

    private DataViewRowCursor Wrap(DataViewRowCursor cursor) => new Cursor(_host, cursor, this);

    private sealed class Cursor(IHost host, DataViewRowCursor input, RelabeledDataView view) : SynchronizedCursorBase(host, input)
    {
        public override DataViewSchema Schema => view.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => Input.IsColumnActive(Input.Schema[column.Index]);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (column.Index != view._label)
                return Input.GetGetter<TValue>(Input.Schema[column.Index]);
            var getLabel = RowCursorUtils.GetLabelGetter(Input, view._label);
            var label = 0f;
            ValueGetter<uint> getKey = (ref uint key) =>
            {
                getLabel(ref label);
                key = float.IsNaN(label) ? 0 : (uint)view._map.Find((int)label, Position) + 1;
            };
            return getKey as ValueGetter<TValue> ?? throw new InvalidOperationException($"Column '{column.Name}' has type {column.Type}; its values cannot be read as {typeof(TValue)}.");
        }
    }
}
