using MLExtensions.Onnx;
using MLExtensions.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Transforms.Image;

namespace MLExtensions.Tensors;

/// <summary>The same data, read ahead in blocks of rows whenever the scored column is requested.</summary>
internal sealed class LookAheadDataView : IDataView
{
    private readonly IDataView _source;
    private readonly DataViewSchema.Column _column;
    private readonly IReadOnlyList<DataViewSchema.Column> _others;
    private readonly Func<DataViewRowCursor, BlockCursor> _createCursor;
    private Action<DataNote>? _warn;

    /// <summary>Reads all features of the column.</summary>
    public LookAheadDataView(IDataView source, string featureColumnName)
        : this(source, featureColumnName, new DenseFormat(FeatureReader.WidthOf(source.Schema[featureColumnName])))
    {
    }

    /// <summary>Reads a column in a format.</summary>
    /// <param name="source">The data.</param>
    /// <param name="featureColumnName">The column.</param>
    /// <param name="format">The format.</param>
    /// <param name="warn">Receives warnings about what was cut, skipped or unknown in the first pass; null for none.</param>
    /// <param name="others">Other columns that the format reads; without them nothing is read ahead.</param>
    public LookAheadDataView(IDataView source, string featureColumnName, FeatureFormat format, Action<DataNote>? warn = null, IReadOnlyList<DataViewSchema.Column>? others = null)
    {
        _source = source;
        _others = others ?? [];
        _column = source.Schema[featureColumnName];
        _warn = format.HasCounts ? warn : null;
        _createCursor = cursor => new LookAheadCursor(cursor, _column, format, counts => Review(counts, format));
    }

    private LookAheadDataView(IDataView source, DataViewSchema.Column textColumn)
    {
        _source = source;
        _others = [];
        _column = textColumn;
        _createCursor = cursor => new TextCursor(cursor);
    }

    public DataViewSchema Schema => _source.Schema;

    public bool CanShuffle => _source.CanShuffle;

    public static LookAheadDataView OfText(IDataView source, string textColumnName) => new(source, source.Schema[textColumnName]);

    public long? GetRowCount() => _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        Wrap(ReadAheadLimit.Open(_source, columnsNeeded, rand));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        // With a plain cursor the source keeps its own worker threads.
        if (n <= 1)
            return [GetRowCursor(columnsNeeded, rand)];
        var cursors = Array.ConvertAll(_source.GetRowCursorSet(columnsNeeded, n, rand), Wrap);
        // ML.NET's scorer would split a single cursor row by row, without blocks, so an empty cursor is added.
        return cursors is [BlockCursor lone] ? [lone, BlockCursor.Empty(lone)] : cursors;
    }

    private void Review(DataCounts counts, FeatureFormat format)
    {
        if (Interlocked.Exchange(ref _warn, null) is not { } warn)
            return;
        foreach (var note in format.Review(counts, _column.Name, "scored data").Where(note => note.IsWarning))
            warn(note);
    }

    private DataViewRowCursor Wrap(DataViewRowCursor cursor)
    {
        // Columns of unknown types may return objects that must not be kept, so those rows are scored one by one.
        var canKeep = cursor.IsColumnActive(_column) && _others.All(cursor.IsColumnActive)
            && Schema.All(column => !cursor.IsColumnActive(column) || ColumnBuffer.CanKeep(column.Type));
        return canKeep ? _createCursor(cursor) : cursor;
    }
}

/// <summary>A view of scores that is read by one thread unless a cursor set is requested: the batches already use all cores.</summary>
/// <remarks>
/// ML.NET's export to ONNX walks back over steps that it can ask. One that it cannot ask would be the beginning for it: the file would have
/// the scores as inputs. So the way leads past the look-ahead view to the data that was scored.
/// </remarks>
/// <param name="scores">The scores.</param>
/// <param name="input">The data that was scored.</param>
/// <param name="transformer">The transformer that adds the scores.</param>
internal sealed class BatchScoredDataView(IDataTransform scores, IDataView input, ITransformer transformer) : ITransformCanSaveOnnx
{
    public IDataView Source => input;

    public DataViewSchema Schema => scores.Schema;

    public bool CanShuffle => scores.CanShuffle;

    public long? GetRowCount() => scores.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        scores.GetRowCursorSet(columnsNeeded, 1, CanShuffle ? rand : null)[0];

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        scores.GetRowCursorSet(columnsNeeded, n, rand);

    /// <exception cref="NotSupportedException">The data has images; the converter's own message would not say where.</exception>
    public bool CanSaveOnnx(OnnxContext ctx)
    {
        var root = input;
        while (root is IDataTransform transform)
            root = transform.Source;
        OnnxColumns.CheckRoot(root.Schema, transformer.GetType().Name);
        return ((ITransformCanSaveOnnx)scores).CanSaveOnnx(ctx);
    }

    public void SaveAsOnnx(OnnxContext ctx) => ((ITransformCanSaveOnnx)scores).SaveAsOnnx(ctx);

    void ICanSaveModel.Save(ModelSaveContext ctx) => transformer.Save(ctx);
}

/// <summary>Reads ahead the features of a block of rows into one tensor.</summary>
internal sealed class LookAheadCursor : BlockCursor
{
    private const int MaximumBlockRows = 1024;
    private const int MaximumBlockValues = 1 << 22;
    private const long MaximumBytes = 1 << 26; // of the images and texts besides the features, which can have any size

    private readonly DataViewSchema.Column _featureColumn;
    private readonly FeatureFormat _format;
    private readonly IFeatureReader _features;

    private Action<DataCounts>? _report;

    /// <param name="input">The rows.</param>
    /// <param name="featureColumn">The column.</param>
    /// <param name="format">Its format.</param>
    /// <param name="report">Receives what was cut, skipped or unknown when the cursor is disposed; null for none.</param>
    public LookAheadCursor(DataViewRowCursor input, DataViewSchema.Column featureColumn, FeatureFormat format, Action<DataCounts>? report = null)
        : base(input, Math.Clamp(MaximumBlockValues / format.Width, 1, MaximumBlockRows), MaximumBytes, featureColumn)
    {
        _featureColumn = featureColumn;
        _format = format;
        _report = format.HasCounts ? report : null;
        _features = format.Open(input, featureColumn);
        if (featureColumn.Type is ImageDataViewType)
            Columns[featureColumn.Index] = new ImageColumnBuffer(() => _features.Image, Capacity);
        else if (!format.HoldsColumn(featureColumn))
            Columns[featureColumn.Index] = ColumnBuffer.Create(input, featureColumn, Capacity);
        Block = FeatureBlock.ForScoring(Capacity, format.Width);
    }

    /// <summary>The features of the rows that were read ahead.</summary>
    public FeatureBlock Block { get; }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Block.Dispose();
            Report();
        }
        base.Dispose(disposing);
    }

    private void Report()
    {
        if (Interlocked.Exchange(ref _report, null) is not { } report)
            return;
        var counts = new DataCounts();
        _features.AddTo(counts);
        if (counts.Values.Count > 0)
            report(counts);
    }

    protected override void Keep(int position) => _features.Read(Block.Row(position));

    protected override Delegate GetterOf(DataViewSchema.Column column)
    {
        if (column.Index != _featureColumn.Index || !_format.HoldsColumn(column))
            return base.GetterOf(column);
        if (_featureColumn.Type is not VectorDataViewType)
        {
            ValueGetter<float> scalar = (ref float destination) => destination = Block.Row(CurrentIndex())[0];
            return scalar;
        }
        ValueGetter<VBuffer<float>> vector = (ref VBuffer<float> destination) =>
        {
            var editor = VBufferEditor.Create(ref destination, Block.Width);
            Block.Row(CurrentIndex()).CopyTo(editor.Values);
            destination = editor.Commit();
        };
        return vector;
    }
}

/// <summary>Reads ahead the texts of a block of rows.</summary>
internal sealed class TextCursor : BlockCursor
{
    private const int MaximumBlockRows = 1024;
    private const long MaximumBytes = 1 << 22;

    public TextCursor(DataViewRowCursor input)
        : base(input, MaximumBlockRows, MaximumBytes)
    {
    }

    /// <summary>The texts of a column in the rows that were read ahead.</summary>
    public ReadOnlyMemory<ReadOnlyMemory<char>> TextsOf(DataViewSchema.Column column)
    {
        if (Columns[column.Index] is ColumnBuffer<ReadOnlyMemory<char>> texts)
            return texts.Memory[..Count];
        var words = TokenColumn.Words(column);
        var keys = ((ColumnBuffer<VBuffer<uint>>)Columns[column.Index]!).Memory[..Count];
        return keys.ToArray().Select(row => TokenColumn.Join(row, words)).ToArray();
    }
}
