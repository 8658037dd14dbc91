using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Neighbors;
using MLExtensions.Messages;
using MLExtensions.Tensors;

namespace MLExtensions.Galleries;

/// <summary>What the neighbors of rows are.</summary>
/// <param name="Store">The store.</param>
/// <param name="Name">What a record is called.</param>
/// <param name="FeatureColumnName">The column of the vectors.</param>
/// <param name="NumberOfNeighbors">How many are found.</param>
/// <param name="OutputColumnPrefix">What the names of the added columns begin with.</param>
/// <param name="Search">Filter and other options of the search; null for none.</param>
internal sealed record GalleryNeighbors<TRecord>(IVectorSearchable<TRecord> Store, Func<TRecord, string> Name, string FeatureColumnName, int NumberOfNeighbors, string OutputColumnPrefix, VectorSearchOptions<TRecord>? Search)
    where TRecord : class
{
    public VectorSearchResult<TRecord>[][] Find(IReadOnlyList<ReadOnlyMemory<float>> vectors) => Task.Run(async () =>
    {
        if (Store is IGallery<TRecord> gallery)
            return await gallery.SearchAsync(vectors, NumberOfNeighbors, Search, CancellationToken.None).ConfigureAwait(false);
        var all = new VectorSearchResult<TRecord>[vectors.Count][];
        for (var i = 0; i < all.Length; i++)
        {
            var found = new List<VectorSearchResult<TRecord>>();
            await foreach (var result in Store.SearchAsync(vectors[i], NumberOfNeighbors, Search).ConfigureAwait(false))
                found.Add(result);
            all[i] = [.. found];
        }
        return all;
    }).GetAwaiter().GetResult();
}

/// <summary>Data with the neighbors of each row in a store.</summary>
internal sealed class GalleryNeighborsView<TRecord> : IDataView
    where TRecord : class
{
    private readonly IHostEnvironment _env;
    private readonly IDataView _source;
    private readonly DataViewSchema.Column _features;
    private readonly GalleryNeighbors<TRecord> _neighbors;

    public GalleryNeighborsView(IHostEnvironment env, IDataView input, GalleryNeighbors<TRecord> neighbors)
    {
        (_env, _neighbors) = (env, neighbors);
        _features = FeatureRows.Find(input.Schema, neighbors.FeatureColumnName);
        NeighborColumn.WidthOf(_features);
        _source = new LookAheadDataView(input, _features.Name);
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(input.Schema);
        schema.AddColumn(neighbors.OutputColumnPrefix + "Names", new VectorDataViewType(TextDataViewType.Instance));
        schema.AddColumn(neighbors.OutputColumnPrefix + "Scores", new VectorDataViewType(NumberDataViewType.Single));
        Schema = schema.ToSchema();
    }

    public bool CanShuffle => _source.CanShuffle;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = Active(columnsNeeded);
        return new Cursor(this, _source.GetRowCursor(Needed(active), rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var active = Active(columnsNeeded);
        return Array.ConvertAll(_source.GetRowCursorSet(Needed(active), n, rand), cursor => (DataViewRowCursor)new Cursor(this, cursor, active));
    }

    private bool[] Active(IEnumerable<DataViewSchema.Column> columns)
    {
        var active = new bool[Schema.Count];
        foreach (var column in columns)
            active[column.Index] = true;
        return active;
    }

    private IEnumerable<DataViewSchema.Column> Needed(bool[] active) =>
        _source.Schema.Where(column => active[column.Index] || (column.Index == _features.Index && (active[^1] || active[^2])));

    private sealed class Cursor(GalleryNeighborsView<TRecord> view, DataViewRowCursor input, bool[] active) : SynchronizedCursorBase(view._env, input)
    {
        private readonly FeatureReader? _reader = input is LookAheadCursor || !(active[^1] || active[^2]) ? null : new FeatureReader(input, view._features, NeighborColumn.WidthOf(view._features));
        private VectorSearchResult<TRecord>[][] _found = [];
        private int _version;
        private long _position = -1;

        public override DataViewSchema Schema => view.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw new InvalidOperationException($"Column '{column.Name}' is not active in this cursor.");
            if (column.Index < view._source.Schema.Count)
                return Input.GetGetter<TValue>(view._source.Schema[column.Index]);
            ValueGetter<VBuffer<ReadOnlyMemory<char>>> names = (ref VBuffer<ReadOnlyMemory<char>> value) => Set(ref value, result => (view._neighbors.Name(result.Record) ?? "").AsMemory());
            ValueGetter<VBuffer<float>> scores = (ref VBuffer<float> value) => Set(ref value, result => (float)(result.Score ?? double.NaN));
            Delegate getter = column.Index == view._source.Schema.Count ? names : scores;
            return getter as ValueGetter<TValue> ?? throw new InvalidOperationException($"Column '{column.Name}' has type {column.Type}, not {typeof(TValue)}.");
        }

        private void Set<T>(ref VBuffer<T> destination, Func<VectorSearchResult<TRecord>, T> value)
        {
            var found = Current();
            var editor = VBufferEditor.Create(ref destination, found.Length);
            for (var i = 0; i < found.Length; i++)
                editor.Values[i] = value(found[i]);
            destination = editor.Commit();
        }

        private VectorSearchResult<TRecord>[] Current()
        {
            if (Input is LookAheadCursor block)
            {
                if (_version != block.Version)
                {
                    var vectors = new ReadOnlyMemory<float>[block.Count];
                    for (var i = 0; i < vectors.Length; i++)
                        vectors[i] = block.Block.Row(i).ToArray();
                    _found = Find(vectors, block.Position - block.Index);
                    _version = block.Version;
                }
                return _found[block.Index];
            }
            if (_position != Position || _position < 0)
            {
                var vector = new float[_reader!.Width];
                _reader.Read(vector);
                _found = Find([vector], Position);
                _position = Position;
            }
            return _found[0];
        }

        private VectorSearchResult<TRecord>[][] Find(ReadOnlyMemory<float>[] vectors, long first)
        {
            try
            {
                return view._neighbors.Find(vectors);
            }
            catch (ArgumentException e)
            {
                var rows = vectors.Length == 1 ? RowName.Of(first) : FormattableString.Invariant($"rows {first} to {first + vectors.Length - 1} (the first row is 0)");
                throw new FormatException($"Column '{view._features.Name}', {rows}: {e.Message}", e);
            }
        }
    }
}
