using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.MetricLearning;
using MLExtensions.Models;

namespace MLExtensions;

/// <summary>Base class of transformers that compare embeddings, in managed code.</summary>
public abstract class EmbeddingColumnsTransformer : ITransformer
{
    private protected EmbeddingColumnsTransformer(IHost host) => Host = host;

    bool ITransformer.IsRowToRowMapper => true;

    private protected IHost Host { get; }

    /// <summary>Adds the columns to data.</summary>
    /// <param name="input">Data with the columns that are read.</param>
    /// <exception cref="ArgumentException">A column is missing, of another type or size, or has embeddings of another network.</exception>
    public virtual IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return CreateTransform(input);
    }

    /// <summary>Returns the schema of <see cref="Transform"/>'s output for an input schema.</summary>
    /// <exception cref="ArgumentException">A column is missing, of another type or size, or has embeddings of another network.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return Transform(new EmptyDataView(Host, inputSchema)).Schema;
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => CreateRowMapper(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx) => Save(ctx);

    /// <summary>Adds the columns to data that has all that is read.</summary>
    private protected RowToRowMapperTransform CreateTransform(IDataView input) => new(Host, input, CreateMapper(input.Schema), CreateMapper);

    private protected virtual IRowToRowMapper CreateRowMapper(DataViewSchema schema) => CreateTransform(new EmptyDataView(Host, schema));

    private protected abstract IRowMapper CreateMapper(DataViewSchema schema);

    private protected abstract VersionInfo CreateVersionInfo();

    private protected abstract void SaveContent(ModelSaveContext ctx);

    private void Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(CreateVersionInfo());
        SaveContent(ctx);
    }

    /// <summary>Computes the columns of a row: all of them from one result.</summary>
    /// <typeparam name="TResult">What is computed of a row.</typeparam>
    /// <param name="transformer">The transformer.</param>
    /// <param name="inputs">The columns that are read.</param>
    /// <param name="open">Opens them: a function that computes the result of the current row.</param>
    /// <param name="outputs">The columns that are added.</param>
    private protected sealed class Mapper<TResult>(EmbeddingColumnsTransformer transformer, DataViewSchema.Column[] inputs, Func<DataViewRow, Func<TResult>> open, params IResultColumn<TResult>[] outputs) : IRowMapper
    {
        public Func<int, bool> GetDependencies(Func<int, bool> activeOutput) =>
            column => inputs.Any(input => input.Index == column) && Enumerable.Range(0, outputs.Length).Any(activeOutput);

        public DataViewSchema.DetachedColumn[] GetOutputColumns() => Array.ConvertAll(outputs, output => output.Column);

        public Delegate?[] CreateGetters(DataViewRow row, Func<int, bool> activeOutput, out Action? disposer)
        {
            disposer = null;
            if (!Enumerable.Range(0, outputs.Length).Any(activeOutput))
                return new Delegate?[outputs.Length];
            var compute = open(row);
            var position = -1L;
            TResult? result = default;
            return outputs.Select((output, i) => activeOutput(i) ? output.CreateGetter(Current) : null).ToArray();

            TResult Current()
            {
                // A row without a position, as that of a prediction engine, changes without notice.
                if (row.Position < 0 || row.Position != position || result is null)
                    (result, position) = (compute(), row.Position);
                return result;
            }
        }

        public ITransformer GetTransformer() => transformer;

        void ICanSaveModel.Save(ModelSaveContext ctx) => transformer.Save(ctx);
    }

    /// <summary>A column that is read from the result of a row.</summary>
    private protected interface IResultColumn<TResult>
    {
        DataViewSchema.DetachedColumn Column { get; }

        Delegate CreateGetter(Func<TResult> current);
    }

    /// <summary>A column of one value.</summary>
    private protected sealed record ValueColumn<TResult, T>(string Name, DataViewType Type, Func<TResult, T> Read) : IResultColumn<TResult>
    {
        public DataViewSchema.DetachedColumn Column => new(Name, Type);

        public Delegate CreateGetter(Func<TResult> current)
        {
            ValueGetter<T> getter = (ref T value) => value = Read(current());
            return getter;
        }
    }

    /// <summary>A column of vectors.</summary>
    private protected sealed record VectorColumn<TResult, T>(string Name, PrimitiveDataViewType Item, int Count, Func<TResult, T[]> Read) : IResultColumn<TResult>
    {
        public DataViewSchema.DetachedColumn Column => new(Name, new VectorDataViewType(Item, Count));

        public Delegate CreateGetter(Func<TResult> current)
        {
            ValueGetter<VBuffer<T>> getter = (ref VBuffer<T> value) =>
            {
                var editor = VBufferEditor.Create(ref value, Count);
                Read(current()).CopyTo(editor.Values);
                value = editor.Commit();
            };
            return getter;
        }
    }
}
