using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.Neighbors;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Tensors;

[assembly: LoadableClass(typeof(NearestNeighborsTransformer), typeof(NearestNeighborsTransformer), null, typeof(SignatureLoadModel), "", NearestNeighborsTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Adds to each row the nearest of the vectors that it was fitted on.</summary>
/// <remarks>
/// <para>The names of the added columns begin with <see cref="OutputColumnPrefix"/>; each has <see cref="NumberOfNeighbors"/> values, those of
/// the nearest first:</para>
/// <list type="bullet">
/// <item><term><c>Rows</c>, <c>Vector&lt;Int64&gt;</c></term><description>The positions of the neighbors in the data of <c>Fit</c>, from
/// 0.</description></item>
/// <item><term><c>Distances</c>, <c>Vector&lt;Single&gt;</c></term><description>Their distances, ascending.</description></item>
/// <item><term><c>Labels</c>, a vector of the label's type</term><description>Their labels, if there is a label column.</description></item>
/// </list>
/// <para>
/// The search is exact: distances are compared in double precision, and of equally near vectors the first one comes first. So neither the number
/// of threads nor the size of blocks nor the processor changes anything. Rows are searched in blocks; a prediction engine searches for single
/// rows. One transformer can be used by several threads. No libtorch is needed.
/// </para>
/// <para>
/// Memory: 5 bytes a value and 32 bytes a vector, so 1,000,000 vectors of 128 values take 672 MB; a saved model has 4 bytes a value, less what
/// its compression saves. A search adds a few megabytes.
/// </para>
/// </remarks>
public sealed class NearestNeighborsTransformer : ManagedTransformer
{
    internal const string LoaderSignature = "MLExtNeighbors";
    private const string ModelSignature = "MLEXTNBR";

    private readonly NeighborContent _content;
    private readonly DataViewSchema.DetachedColumn[] _added;

    internal NearestNeighborsTransformer(IHostEnvironment env, NeighborContent content)
        : base(env, ModelSignature, LoaderSignature)
    {
        _content = content;
        var count = content.Settings.NumberOfNeighbors;
        _added =
        [
            new(OutputColumnPrefix + "Rows", new VectorDataViewType(NumberDataViewType.Int64, count)),
            new(OutputColumnPrefix + "Distances", new VectorDataViewType(NumberDataViewType.Single, count)),
        ];
        if (content.Labels is { } labels)
            _added = [.. _added, new(OutputColumnPrefix + "Labels", new VectorDataViewType(labels.ItemType, count), labels.Annotations())];
    }

    /// <summary>The column of the vectors.</summary>
    public string FeatureColumnName => _content.Settings.FeatureColumnName;

    /// <summary>What the names of the added columns begin with.</summary>
    public string OutputColumnPrefix => _content.Settings.OutputColumnPrefix;

    /// <summary>How many neighbors are found.</summary>
    public int NumberOfNeighbors => _content.Settings.NumberOfNeighbors;

    /// <summary>What is near.</summary>
    public VectorDistance Distance => _content.Index.Distance;

    /// <summary>The number of vectors that are searched.</summary>
    public long Count => _content.Index.Count;

    /// <summary>The length of the vectors.</summary>
    public int Dimensions => _content.Index.Width;

    private int Threads => _content.Settings.NumberOfThreads ?? Environment.ProcessorCount;

    private protected override IRowMapper CreateMapper(DataViewSchema schema) => new Mapper(this, schema);

    private protected override IDataView Apply(IDataView input)
    {
        var column = FindInput(input.Schema);
        return new BatchScoredDataView(new RowToRowMapperTransform(Host, new LookAheadDataView(input, column.Name), CreateMapper(input.Schema), CreateMapper), input, this);
    }

    private protected override void SaveContent(ModelSaveContext ctx) => _content.Save(ctx);

    internal static NearestNeighborsTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        return new NearestNeighborsTransformer(env, NeighborContent.Load(ctx));
    }

    private DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        var column = FeatureRows.Find(schema, FeatureColumnName);
        var width = NeighborColumn.WidthOf(column);
        return width == Dimensions
            ? column
            : throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {width} values ({column.Type}); the vectors that are searched have {Dimensions}."), nameof(schema));
    }

    private sealed class Mapper(NearestNeighborsTransformer transformer, DataViewSchema schema) : RowMapper(transformer)
    {
        private readonly DataViewSchema.Column _input = transformer.FindInput(schema);

        public override Func<int, bool> GetDependencies(Func<int, bool> activeOutput) => column => column == _input.Index && Enumerable.Range(0, transformer._added.Length).Any(activeOutput);

        public override DataViewSchema.DetachedColumn[] GetOutputColumns() => [.. transformer._added];

        public override Delegate?[] CreateGetters(DataViewRow row, Func<int, bool> activeOutput, out Action? disposer)
        {
            disposer = null;
            var getters = new Delegate?[transformer._added.Length];
            if (!Enumerable.Range(0, getters.Length).Any(activeOutput))
                return getters;
            CurrentNeighbors current = new RowNeighbors(row, row.Schema[_input.Index], transformer._content, transformer.Threads).Current;
            ValueGetter<VBuffer<long>> rows = (ref VBuffer<long> destination) =>
            {
                var editor = VBufferEditor.Create(ref destination, transformer.NumberOfNeighbors);
                current().Rows.CopyTo(editor.Values);
                destination = editor.Commit();
            };
            ValueGetter<VBuffer<float>> distances = (ref VBuffer<float> destination) =>
            {
                var editor = VBufferEditor.Create(ref destination, transformer.NumberOfNeighbors);
                var found = current().Distances;
                for (var i = 0; i < found.Length; i++)
                    editor.Values[i] = (float)ExactDistance.Finish(transformer.Distance, found[i]);
                destination = editor.Commit();
            };
            (getters[0], getters[1]) = (activeOutput(0) ? rows : null, activeOutput(1) ? distances : null);
            if (getters.Length > 2 && activeOutput(2))
                getters[2] = transformer._content.Labels!.CreateGetter(current);
            return getters;
        }
    }
}

/// <summary>The neighbors of the rows of a cursor, block by block where it reads ahead.</summary>
internal sealed class RowNeighbors(DataViewRow row, DataViewSchema.Column column, NeighborContent content, int threads)
{
    private readonly LookAheadCursor? _cursor = row as LookAheadCursor;
    private readonly FeatureReader? _reader = row is LookAheadCursor ? null : new FeatureReader(row, column, content.Index.Width);
    private readonly QueryBlock _queries = new(content.Index.Distance, content.Index.Width, row is LookAheadCursor cursor ? cursor.Capacity : 1);
    private readonly float[] _vector = new float[content.Index.Width];
    private NeighborList[] _found = [];
    private int _version;
    private long _position = -1;

    public NeighborList Current()
    {
        if (_cursor != null)
        {
            if (_version != _cursor.Version)
            {
                _queries.Clear();
                for (var i = 0; i < _cursor.Count; i++)
                    Add(_cursor.Block.Row(i), _cursor.Position - _cursor.Index + i);
                _found = content.Index.Search(_queries, content.Settings.NumberOfNeighbors, threads);
                _version = _cursor.Version;
            }
            return _found[_cursor.Index];
        }
        if (_position != row.Position || _position < 0)
        {
            _reader!.Read(_vector);
            _queries.Clear();
            Add(_vector, row.Position);
            _found = content.Index.Search(_queries, content.Settings.NumberOfNeighbors, threads);
            _position = row.Position;
        }
        return _found[0];
    }

    private void Add(ReadOnlySpan<float> vector, long position)
    {
        NeighborColumn.Check(content.Index.Distance, vector, column.Name, position);
        _queries.Add(vector);
    }
}

/// <summary>Columns of vectors that are compared.</summary>
internal static class NeighborColumn
{
    /// <summary>The length of the vectors of a column.</summary>
    /// <exception cref="ArgumentException">The column has another type, or its size is unknown.</exception>
    public static int WidthOf(DataViewSchema.Column column) => column.Type is VectorDataViewType { Size: > 0 } vector && vector.ItemType == NumberDataViewType.Single
        ? vector.Size
        : throw new ArgumentException($"Column '{column.Name}' has type {column.Type}; it must be Vector<Single> of known size.{ColumnAdvice.ForFeatures(column.Name, column.Type)}");

    /// <exception cref="FormatException">The vector cannot be compared; the message names column and row.</exception>
    public static void Check(VectorDistance distance, ReadOnlySpan<float> vector, string column, long row)
    {
        if (VectorIndex.ProblemOf(distance, vector) is { } problem)
            throw new FormatException($"Column '{column}', {RowName.Of(row)}: {problem}. Leave such rows out, or use another distance.");
    }
}
