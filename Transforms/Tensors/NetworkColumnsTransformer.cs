using MLExtensions.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions.Models;
using MLExtensions.Tensors;

namespace MLExtensions;

/// <summary>Base class of transformers that add columns to rows with trained networks.</summary>
/// <remarks>
/// <see cref="Transform"/> is lazy: every pass over the rows computes the columns again, so cache them before a trainer that reads them
/// more than once. Rows are processed in blocks; a prediction engine processes single rows. One transformer can be used by several threads.
/// </remarks>
public abstract class NetworkColumnsTransformer : ITransformer, IHasNetworks, IDisposable
{
    private readonly bool _owned;

    private protected NetworkColumnsTransformer(IHost host, string inputColumnName, IReadOnlyList<NetworkModelParameters> networks, bool owned = true)
    {
        Host = host;
        InputColumnName = inputColumnName;
        Networks = networks;
        _owned = owned;
        if (!owned)
            return;
        foreach (var network in networks)
            network.Weights.Owner = GetType().Name;
    }

    /// <summary>The column that the networks read.</summary>
    public string InputColumnName { get; }

    // True in any case: a prediction engine then gets to GetRowToRowMapper, which says why there is none and what to call instead.
    bool ITransformer.IsRowToRowMapper => true;

    IReadOnlyList<NetworkModelParameters> IHasNetworks.Networks => Networks;

    private protected IHost Host { get; }

    /// <summary>The networks that compute the columns, in that order.</summary>
    private protected IReadOnlyList<NetworkModelParameters> Networks { get; }

    /// <summary>Why the columns of a row depend on other rows, for a message; null if they do not.</summary>
    private protected virtual string? WhyNoRowMapping => null;

    /// <summary>Why only libtorch can compute the columns, for a message; null if ONNX Runtime can, too.</summary>
    internal virtual string? WhyLibtorch => "what it does with its network is more than one pass";

    /// <summary>The added columns.</summary>
    internal abstract IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumns { get; }

    /// <summary>The added columns for the data of a schema, whose types may depend on it.</summary>
    private protected virtual IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumnsFor(DataViewSchema schema) => AddedColumns;

    /// <summary>Adds the columns to data.</summary>
    /// <param name="input">Data with the column that the networks read.</param>
    /// <exception cref="ArgumentException">The column is missing, or of another type or size.</exception>
    /// <exception cref="ObjectDisposedException">The transformer was disposed.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return TransformPrepared(input, Prepare(input));
    }

    /// <summary>Adds the columns to data that is prepared already.</summary>
    private protected IDataView TransformPrepared(IDataView input, IDataView prepared)
    {
        using var lease = Lease();
        var mapper = CreateMapper(prepared.Schema);
        return new BatchScoredDataView(new RowToRowMapperTransform(Host, ReadAhead(prepared), mapper, CreateMapper), input, this);
    }

    /// <summary>Returns the schema of <see cref="Transform"/>'s output for an input schema.</summary>
    /// <exception cref="ArgumentException">The column is missing, or of another type or size.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return Transform(new EmptyDataView(Host, inputSchema)).Schema;
    }

    /// <summary>Frees the weights, as soon as nothing uses them. Those of networks that belong to another transformer stay.</summary>
    public virtual void Dispose()
    {
        if (!_owned)
            return;
        foreach (var network in Networks)
            network.Dispose();
    }

    /// <summary>Keeps the networks until the lease is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The transformer was disposed; the message says what to do.</exception>
    internal NetworkLease Lease() => NetworkLease.Of(Networks);

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        if (WhyNoRowMapping is { } reason)
            throw new InvalidOperationException(reason);
        using var lease = Lease();
        return new RowToRowMapperTransform(Host, new EmptyDataView(Host, inputSchema), CreateMapper(inputSchema), CreateMapper);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        // Before anything is written.
        using var lease = Lease();
        ctx.SetVersionInfo(CreateVersionInfo());
        SaveContent(ctx);
    }

    /// <summary>Finds the column that the networks read.</summary>
    /// <exception cref="ArgumentException">The column is missing, or of another type or size.</exception>
    private protected abstract DataViewSchema.Column FindInput(DataViewSchema schema);

    /// <summary>The columns that are read besides that one.</summary>
    private protected virtual IReadOnlyList<DataViewSchema.Column> OtherInputs(DataViewSchema schema) => [];

    /// <summary>Prepares data for the networks.</summary>
    private protected virtual IDataView Prepare(IDataView input) => input;

    /// <summary>Returns the same data, read ahead in blocks of rows.</summary>
    private protected abstract IDataView ReadAhead(IDataView input);

    /// <summary>Returns the getters of some of <see cref="AddedColumns"/>; null for the others.</summary>
    /// <param name="row">The current row.</param>
    /// <param name="input">The column that the networks read.</param>
    /// <param name="active">The indices of the columns, at least one, in ascending order.</param>
    /// <param name="disposer">Frees what the getters use.</param>
    private protected abstract Delegate[] CreateGetters(DataViewRow row, DataViewSchema.Column input, int[] active, out Action? disposer);

    /// <summary>Writes the columns as ONNX operators. Runs with a lease.</summary>
    /// <param name="context">The graph.</param>
    /// <param name="columns">The columns of the data, prepared.</param>
    /// <exception cref="NotSupportedException">A graph cannot compute the columns; the message says why.</exception>
    private protected abstract void Write(OnnxContext context, OnnxColumns columns);

    private protected abstract VersionInfo CreateVersionInfo();

    private protected abstract void SaveContent(ModelSaveContext ctx);

    private Mapper CreateMapper(DataViewSchema schema) => new(this, schema, FindInput(schema), OtherInputs(schema), AddedColumnsFor(schema));

    private sealed class Mapper(NetworkColumnsTransformer transformer, DataViewSchema schema, DataViewSchema.Column input, IReadOnlyList<DataViewSchema.Column> others, IReadOnlyList<DataViewSchema.DetachedColumn> added) : IRowMapper, ISaveAsOnnx
    {
        public bool CanSaveOnnx(OnnxContext ctx) => true;

        public void SaveAsOnnx(OnnxContext ctx)
        {
            using var lease = transformer.Lease();
            transformer.Write(ctx, new OnnxColumns(ctx, schema, transformer.GetType().Name));
        }

        public Func<int, bool> GetDependencies(Func<int, bool> activeOutput) =>
            column => (column == input.Index || others.Any(other => other.Index == column)) && Enumerable.Range(0, added.Count).Any(activeOutput);

        public DataViewSchema.DetachedColumn[] GetOutputColumns() => [.. added];

        public Delegate[] CreateGetters(DataViewRow row, Func<int, bool> activeOutput, out Action? disposer)
        {
            disposer = null;
            var active = Enumerable.Range(0, added.Count).Where(activeOutput).ToArray();
            return active.Length == 0
                ? new Delegate[added.Count]
                : transformer.CreateGetters(row, row.Schema[input.Index], active, out disposer);
        }

        public ITransformer GetTransformer() => transformer;

        public void Save(ModelSaveContext ctx) => ((ICanSaveModel)transformer).Save(ctx);
    }
}
