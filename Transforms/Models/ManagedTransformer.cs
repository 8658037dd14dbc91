using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Models;

namespace MLExtensions;

/// <summary>Base class of transformers that add columns without a network, in managed code: n-grams, tables, hidden Markov models, comparisons.</summary>
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

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => CreateRowMapper(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(ModelVersion.Of(_modelSignature, _loaderSignature));
        SaveContent(ctx);
    }

    /// <summary>Creates what computes the columns of single rows.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    /// <exception cref="InvalidOperationException">Rows depend on each other; the message says so.</exception>
    private protected abstract IRowMapper CreateMapper(DataViewSchema schema);

    /// <summary>Adds the columns, by default row by row.</summary>
    private protected virtual IDataView Apply(IDataView input) => Map(input);

    /// <summary>Creates what adds the columns to single rows, such as those of a prediction engine.</summary>
    private protected virtual IRowToRowMapper CreateRowMapper(DataViewSchema schema) => Map(new EmptyDataView(Host, schema));

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

    /// <summary>Computes all columns of a row from one result.</summary>
    /// <typeparam name="TResult">What is computed of a row.</typeparam>
    /// <param name="transformer">The transformer.</param>
    /// <param name="inputs">The columns that are read.</param>
    /// <param name="open">Opens them: a function that computes the result of the current row.</param>
    /// <param name="outputs">The columns that are added.</param>
    private protected sealed class ResultMapper<TResult>(ManagedTransformer transformer, DataViewSchema.Column[] inputs, Func<DataViewRow, Func<TResult>> open, params IResultColumn<TResult>[] outputs) : RowMapper(transformer)
        where TResult : class
    {
        public override Func<int, bool> GetDependencies(Func<int, bool> activeOutput) =>
            column => inputs.Any(input => input.Index == column) && Enumerable.Range(0, outputs.Length).Any(activeOutput);

        public override DataViewSchema.DetachedColumn[] GetOutputColumns() => Array.ConvertAll(outputs, output => output.Column);

        public override Delegate?[] CreateGetters(DataViewRow row, Func<int, bool> activeOutput, out Action? disposer)
        {
            disposer = null;
            if (!Enumerable.Range(0, outputs.Length).Any(activeOutput))
                return new Delegate?[outputs.Length];
            var result = new OncePerRow<TResult>(row, open(row));
            return outputs.Select((output, i) => activeOutput(i) ? output.CreateGetter(() => result.Value) : null).ToArray();
        }
    }
}
