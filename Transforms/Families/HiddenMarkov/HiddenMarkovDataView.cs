using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using MLExtensions.Onnx;

namespace MLExtensions.Families.HiddenMarkov;

/// <summary>
/// Data with what a model knows of the states of each row. A second cursor reads each sequence to its end before its first row is handed out;
/// the rows themselves are not kept.
/// </summary>
internal sealed class HiddenMarkovDataView : IDataView, ITransformCanSaveOnnx
{
    private readonly IDataView _source;
    private readonly HiddenMarkovContent _content;
    private readonly ITransformer _transformer;
    private readonly Added[] _added;
    private Action<SequenceReader, long>? _report;

    /// <param name="source">The data. Its columns were checked.</param>
    /// <param name="content">The model.</param>
    /// <param name="transformer">What adds the columns.</param>
    /// <param name="report">Receives the counts of the first pass.</param>
    public HiddenMarkovDataView(IDataView source, HiddenMarkovContent content, ITransformer transformer, Action<SequenceReader, long> report)
    {
        (_source, _content, _transformer, _report) = (source, content, transformer, report);
        _added = Columns(content).ToArray();
        var builder = new DataViewSchema.Builder();
        foreach (var column in source.Schema)
            builder.AddColumn(column.Name, column.Type, column.Annotations);
        foreach (var column in _added)
            builder.AddColumn(column.Column.Name, column.Column.Type, column.Column.Annotations);
        Schema = builder.ToSchema();
    }

    private delegate Delegate GetterMaker(MarkovScorer scorer, Func<int> position);

    private sealed record Added(DataViewSchema.DetachedColumn Column, ScoreParts Part, GetterMaker Create);

    public IDataView Source => _source;

    public DataViewSchema Schema { get; }

    public bool CanShuffle => false;

    public long? GetRowCount() => _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var needed = columnsNeeded.Select(column => column.Index).ToHashSet();
        var input = _source.GetRowCursor(_source.Schema.Where(column => needed.Contains(column.Index)));
        var active = _added.Select((_, i) => needed.Contains(_source.Schema.Count + i)).ToArray();
        return new Cursor(this, input, active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded)];

    /// <summary>The columns that a model adds.</summary>
    public static IEnumerable<DataViewSchema.DetachedColumn> ColumnsOf(HiddenMarkovContent content) => Columns(content).Select(added => added.Column);

    bool ICanSaveOnnx.CanSaveOnnx(OnnxContext ctx) => throw OnnxColumns.Refusal(_transformer.GetType().Name, "the states of a row depend on the rows before and after it, and in ONNX the rows of a batch are apart");

    void ISaveAsOnnx.SaveAsOnnx(OnnxContext ctx) => ((ICanSaveOnnx)this).CanSaveOnnx(ctx);

    void ICanSaveModel.Save(ModelSaveContext ctx) => _transformer.Save(ctx);

    private static IEnumerable<Added> Columns(HiddenMarkovContent content)
    {
        var (names, count) = (content.States.All, content.States.All.Count);
        var (keys, slots) = (new DataViewSchema.Annotations.Builder(), new DataViewSchema.Annotations.Builder());
        ValueGetter<VBuffer<ReadOnlyMemory<char>>> getNames = (ref VBuffer<ReadOnlyMemory<char>> destination) =>
            destination = new VBuffer<ReadOnlyMemory<char>>(count, names.Select(name => name.AsMemory()).ToArray());
        keys.AddKeyValues(count, TextDataViewType.Instance, getNames);
        slots.AddSlotNames(count, getNames);
        var (key, vector) = (new KeyDataViewType(typeof(uint), count), new VectorDataViewType(NumberDataViewType.Single, count));
        var outputs = content.Outputs;
        if (outputs.State != null)
            yield return new Added(new(outputs.State, key, keys.ToAnnotations()), ScoreParts.Path, (scorer, position) => (ValueGetter<uint>)((ref uint value) => value = (uint)scorer.State(position()) + 1));
        if (outputs.Probabilities != null)
            yield return new Added(new(outputs.Probabilities, vector, slots.ToAnnotations()), ScoreParts.Smoothed, (scorer, position) => Vector(() => scorer.Smoothed(position())));
        if (outputs.Filtered != null)
            yield return new Added(new(outputs.Filtered, vector, slots.ToAnnotations()), ScoreParts.Filtered, (scorer, position) => Vector(() => scorer.Filtered(position())));
        if (outputs.LogLikelihood != null)
            yield return new Added(new(outputs.LogLikelihood, NumberDataViewType.Double), ScoreParts.LogLikelihoods, (scorer, position) => (ValueGetter<double>)((ref double value) => value = scorer.LogLikelihoodOf(position())));
        if (outputs.SequenceLogLikelihood != null)
            yield return new Added(new(outputs.SequenceLogLikelihood, NumberDataViewType.Double), ScoreParts.None, (scorer, _) => (ValueGetter<double>)((ref double value) => value = scorer.LogLikelihood));
    }

    private delegate ReadOnlySpan<float> VectorSource();

    private static ValueGetter<VBuffer<float>> Vector(VectorSource source) => (ref VBuffer<float> destination) =>
    {
        var values = source();
        var editor = VBufferEditor.Create(ref destination, values.Length);
        values.CopyTo(editor.Values);
        destination = editor.Commit();
    };

    private sealed class Cursor : DataViewRowCursor
    {
        private readonly HiddenMarkovDataView _view;
        private readonly DataViewRowCursor _input;
        private readonly bool[] _active;
        private readonly SequenceReader? _reader;
        private readonly ObservedSequence _sequence;
        private readonly MarkovScorer _scorer;
        private long _impossible;
        private int _position = -1;

        public Cursor(HiddenMarkovDataView view, DataViewRowCursor input, bool[] active)
        {
            (_view, _input, _active) = (view, input, active);
            var content = view._content;
            var parts = view._added.Where((_, i) => active[i]).Aggregate(ScoreParts.None, (parts, added) => parts | added.Part);
            _reader = active.Contains(true) ? new SequenceReader(view._source, content.Columns with { Label = null }, content.Format) : null;
            _sequence = new ObservedSequence(content.Format.Width);
            _scorer = new MarkovScorer(content.Parameters, parts);
        }

        public override DataViewSchema Schema => _view.Schema;

        public override long Position => _input.Position;

        public override long Batch => _input.Batch;

        public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) =>
            column.Index >= _view._source.Schema.Count ? _active[column.Index - _view._source.Schema.Count] : _input.IsColumnActive(_view._source.Schema[column.Index]);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (column.Index < _view._source.Schema.Count)
                return _input.GetGetter<TValue>(_view._source.Schema[column.Index]);
            if (!IsColumnActive(column))
                throw new InvalidOperationException($"Column '{column.Name}' is not active in this cursor.");
            return _view._added[column.Index - _view._source.Schema.Count].Create(_scorer, () => _position) as ValueGetter<TValue>
                ?? throw new InvalidOperationException($"Column '{column.Name}' has type {column.Type}, not {typeof(TValue)}.");
        }

        public override bool MoveNext()
        {
            var moved = _input.MoveNext();
            if (_reader == null)
                return moved;
            var isInside = ++_position < _sequence.Length;
            if (isInside && moved)
                return true;
            if (isInside || _reader.Read(_sequence) != moved)
                throw new InvalidOperationException("The data gave another number of rows when it was read a second time, and sequences are read ahead. Read rows that come only once into memory: ml.Data.Cache, or AppendCacheCheckpoint.");
            if (!moved)
            {
                Interlocked.Exchange(ref _view._report, null)?.Invoke(_reader, _impossible);
                return false;
            }
            _position = 0;
            _scorer.Score(_sequence);
            _impossible += _scorer.NumberOfImpossible;
            return true;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _input.Dispose();
                _reader?.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
