using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Neighbors;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Keeps vectors in memory and finds the nearest ones of each row: who or what is most like it.</summary>
/// <remarks>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Search</description></item>
/// <item><term>Is normalization required?</term><description>Depends on the distance; embeddings need none.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, without libtorch</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Nothing is learned. The search is exact, with one matrix product a block of rows; see <see cref="NearestNeighborsTransformer"/> for the
/// columns and the memory. Rows of the same data find themselves first, at distance 0. For vectors that come and go, use a gallery of the package
/// MLExtensions.Galleries.
/// </para>
/// </remarks>
public sealed class NearestNeighborsEstimator : ManagedEstimator<NearestNeighborsTransformer>
{
    private readonly Options _options;

    internal NearestNeighborsEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(NearestNeighborsEstimator))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options.Copy();
    }

    private protected override NearestNeighborsTransformer FitChecked(IDataView input)
    {
        var features = FeatureRows.Find(input.Schema, _options.FeatureColumnName);
        var index = new VectorIndex(_options.Distance, NeighborColumn.WidthOf(features));
        DataViewSchema.Column? label = _options.LabelColumnName is { } name ? input.Schema[name] : null;
        using var cursor = input.GetRowCursor(label == null ? [features] : [features, label.Value]);
        var reader = new FeatureReader(cursor, features, index.Width);
        var labels = label is { } found ? NeighborLabels.Open(cursor, found) : null;
        var vector = new float[index.Width];
        while (cursor.MoveNext())
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            reader.Read(vector);
            NeighborColumn.Check(_options.Distance, vector, features.Name, cursor.Position);
            index.Add(vector);
            labels?.Read();
        }
        if (index.Count < _options.NumberOfNeighbors)
            throw new ArgumentException(FormattableString.Invariant($"NumberOfNeighbors is {_options.NumberOfNeighbors}, but the data has {index.Count} rows; it may be at most that."), nameof(input));
        if (labels is { MissingCount: > 0 })
            ReportMissing(labels, index.Count);
        return new NearestNeighborsTransformer(Host, new NeighborContent(_options.ToSettings(), index, labels));
    }

    /// <summary>Neighbors without a label are still neighbors; if there are no others, the column is not what was meant.</summary>
    private void ReportMissing(NeighborLabels labels, long rows)
    {
        if (labels.MissingCount == rows)
        {
            var remedy = labels.Kind == NeighborLabelKind.Key ? " Its keys may be those of other data: map the classes of these rows, for example by MapValueToKey fitted on them." : "";
            throw new ArgumentException($"Label column '{_options.LabelColumnName}' is missing in all rows.{remedy}", nameof(_options.LabelColumnName));
        }
        using var channel = Host.Start("Read vectors");
        channel.Warning("{0}", FormattableString.Invariant($"{labels.MissingCount} of {rows} rows have no label in column '{_options.LabelColumnName}'. They are found all the same, with a missing label."));
    }

    private protected override void CheckSchema(SchemaShape schema)
    {
        FeatureRows.Check(schema, _options.FeatureColumnName);
        if (schema.Single(column => column.Name == _options.FeatureColumnName) is { Kind: SchemaShape.Column.VectorKind.Scalar } scalar)
            throw new ArgumentException($"Column '{scalar.Name}' has type {scalar.GetTypeString()}; it must be Vector<Single> of known size.{ColumnAdvice.ForFeatures(scalar)}", nameof(schema));
        CheckLabel(schema);
    }

    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input)
    {
        yield return Column("Rows", NumberDataViewType.Int64);
        yield return Column("Distances", NumberDataViewType.Single);
        if (_options.LabelColumnName is { } label && input.TryFindColumn(label, out var found))
            yield return Column("Labels", found.IsKey ? NumberDataViewType.UInt32 : found.ItemType, found.IsKey, found.IsKey ? found.Annotations : null);

        SchemaShape.Column Column(string name, DataViewType type, bool isKey = false, SchemaShape? annotations = null) =>
            new(_options.OutputColumnPrefix + name, SchemaShape.Column.VectorKind.Vector, type, isKey, annotations);
    }

    private void CheckLabel(SchemaShape schema)
    {
        if (_options.LabelColumnName is not { } name)
            return;
        if (!schema.TryFindColumn(name, out var label))
            throw FeatureRows.Missing(name, schema.Select(column => column.Name));
        if (label.Kind != SchemaShape.Column.VectorKind.Scalar || NeighborLabels.KindOf(label.ItemType, label.IsKey) == null)
            throw new ArgumentException($"Label column '{name}' has type {label.GetTypeString()}; it must be {NeighborLabels.Allowed}.", nameof(schema));
    }

    /// <summary>The options of <see cref="NearestNeighborsEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>The column of the vectors, a <c>Vector&lt;Single&gt;</c> of known size. Default <c>Features</c>.</summary>
        public string FeatureColumnName { get; set; } = DefaultColumnNames.Features;

        /// <summary>A column whose values come back with the neighbors: Text, a key, Single, Int32, UInt32 or Int64. Default null: none.</summary>
        public string? LabelColumnName { get; set; }

        /// <summary>What the names of the added columns begin with; may be empty. Default <c>Neighbor</c>.</summary>
        public string OutputColumnPrefix { get; set; } = "Neighbor";

        /// <summary>How many neighbors are found, at most as many as there are vectors. Default 10.</summary>
        public int NumberOfNeighbors { get; set; } = 10;

        /// <summary>What is near. Default <see cref="VectorDistance.Cosine"/>.</summary>
        public VectorDistance Distance { get; set; }

        /// <summary>The largest number of threads of a search; it changes no result. Default null: one for each core.</summary>
        public int? NumberOfThreads { get; set; }

        /// <summary>Cancels reading the vectors.</summary>
        public CancellationToken CancellationToken { get; set; }

        internal Options Copy() => (Options)MemberwiseClone();

        internal NeighborSettings ToSettings() => new(FeatureColumnName, OutputColumnPrefix, NumberOfNeighbors, NumberOfThreads);

        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        internal void Check()
        {
            OptionCheck.NotEmpty(FeatureColumnName, nameof(FeatureColumnName));
            OptionCheck.NotNull(OutputColumnPrefix, nameof(OutputColumnPrefix));
            if (LabelColumnName != null)
                OptionCheck.NotEmpty(LabelColumnName, nameof(LabelColumnName));
            ColumnNames.RequireOther(LabelColumnName, nameof(LabelColumnName), (FeatureColumnName, nameof(FeatureColumnName)));
            OptionCheck.AtLeast(NumberOfNeighbors, 1, nameof(NumberOfNeighbors));
            OptionCheck.Defined(Distance, nameof(Distance));
            if (NumberOfThreads is { } threads)
                OptionCheck.AtLeast(threads, 1, nameof(NumberOfThreads));
        }
    }
}
