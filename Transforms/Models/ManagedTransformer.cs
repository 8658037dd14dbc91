using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions;

/// <summary>Base class of transformers that add columns without a network, in managed code: n-grams, tables, hidden Markov models, histories.</summary>
public abstract class ManagedTransformer : ITransformer
{
    private readonly string _modelSignature;
    private readonly string _loaderSignature;

    private protected ManagedTransformer(IHostEnvironment env, string modelSignature, string loaderSignature)
    {
        Host = env.Register(loaderSignature);
        (_modelSignature, _loaderSignature) = (modelSignature, loaderSignature);
    }

    // A prediction engine then gets to GetRowToRowMapper, which says so if there is none.
    bool ITransformer.IsRowToRowMapper => true;

    private protected IHost Host { get; }

    /// <summary>Adds the columns to data.</summary>
    /// <param name="input">Data with the columns that are read.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Apply(input);
    }

    /// <summary>Returns the schema of <see cref="Transform"/>'s output for an input schema.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return Apply(new EmptyDataView(Host, inputSchema)).Schema;
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => Map(new EmptyDataView(Host, inputSchema));

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(Models.ModelVersion.Of(_modelSignature, _loaderSignature));
        SaveContent(ctx);
    }

    /// <summary>Creates what computes the columns of single rows.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    /// <exception cref="InvalidOperationException">Rows depend on each other; the message says so.</exception>
    private protected abstract IRowMapper CreateMapper(DataViewSchema schema);

    /// <summary>Adds the columns, by default row by row.</summary>
    private protected virtual IDataView Apply(IDataView input) => Map(input);

    /// <summary>Saves what <see cref="CreateMapper"/> needs.</summary>
    private protected abstract void SaveContent(ModelSaveContext ctx);

    private RowToRowMapperTransform Map(IDataView input) => new(Host, input, CreateMapper(input.Schema), CreateMapper);

    /// <summary>What the row mappers of all of these transformers have in common.</summary>
    private protected abstract class RowMapper(ManagedTransformer transformer) : IRowMapper
    {
        public abstract Func<int, bool> GetDependencies(Func<int, bool> activeOutput);

        public abstract DataViewSchema.DetachedColumn[] GetOutputColumns();

        public abstract Delegate?[] CreateGetters(DataViewRow row, Func<int, bool> activeOutput, out Action? disposer);

        public ITransformer GetTransformer() => transformer;

        void ICanSaveModel.Save(ModelSaveContext ctx) => ((ICanSaveModel)transformer).Save(ctx);
    }
}
