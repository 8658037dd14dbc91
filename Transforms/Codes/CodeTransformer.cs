using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Codes;
using MLExtensions.Scoring;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>What transformers share that turn a column of features into a code learnt without labels, and perhaps back again.</summary>
/// <remarks>
/// <see cref="Transform"/> is lazy: every pass over the rows computes the code again, so cache it before a trainer that goes through it
/// more than once. Rows are computed in blocks, in a prediction engine one by one. One transformer can be used by several threads.
/// </remarks>
public abstract class CodeTransformer : ITransformer, IDisposable
{
    private protected CodeTransformer(IHost host, string outputColumnName, string inputColumnName, string? reconstructionColumnName)
    {
        Host = host;
        OutputColumnName = outputColumnName;
        InputColumnName = inputColumnName;
        ReconstructionColumnName = reconstructionColumnName;
    }

    /// <summary>The column of the code.</summary>
    public string OutputColumnName { get; }

    /// <summary>The column of the features, a <c>Vector&lt;Single&gt;</c> of known size, or a <c>Single</c>.</summary>
    public string InputColumnName { get; }

    /// <summary>The column of what the code says the features were; null where there is none.</summary>
    public string? ReconstructionColumnName { get; }

    private protected IHost Host { get; }

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>The number of features.</summary>
    internal abstract int InputCount { get; }

    /// <summary>The columns that are added.</summary>
    internal abstract IReadOnlyList<CodeOutput> Outputs { get; }

    /// <summary>The multiplications and additions of a row.</summary>
    internal abstract double MultiplyAdds { get; }

    /// <summary>Adds the code to data that has the features.</summary>
    /// <param name="input">Data with the column of features. Values must be finite.</param>
    /// <exception cref="ArgumentException">The column is missing, or of another type or size.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var mapper = CreateMapper(input.Schema);
        var blocks = new LookAheadDataView(input, InputColumnName);
        return new BatchScoredDataView(new RowToRowMapperTransform(Host, blocks, mapper, CreateMapper));
    }

    /// <summary>The schema of what <see cref="Transform"/> makes of data with a schema.</summary>
    /// <exception cref="ArgumentException">The column is missing, or of another type or size.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return RowToRowMapperTransform.GetOutputSchema(inputSchema, CreateMapper(inputSchema));
    }

    /// <summary>Frees the weights.</summary>
    public abstract void Dispose();

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) =>
        new RowToRowMapperTransform(Host, new EmptyDataView(Host, inputSchema), CreateMapper(inputSchema), CreateMapper);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(CreateVersionInfo());
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.SaveStringOrNull(ReconstructionColumnName);
        SaveModels(ctx);
    }

    /// <summary>Computes some of the columns, each <c>[rows, values]</c>. Thread-safe.</summary>
    /// <param name="features"><c>[rows, features]</c>.</param>
    /// <param name="active">Which of <see cref="Outputs"/>, in ascending order.</param>
    internal abstract Tensor[] Compute(Tensor features, int[] active);

    private protected abstract VersionInfo CreateVersionInfo();

    private protected abstract void SaveModels(ModelSaveContext ctx);

    /// <summary>The mean of a measure over all rows of data.</summary>
    /// <exception cref="ArgumentException">The column is missing, of another type or size, or there are no rows.</exception>
    private protected double MeanOf(IDataView data, CodeRows.RowMeasure measure)
    {
        ArgumentNullException.ThrowIfNull(data);
        return CodeRows.Mean(data, FindColumn(data.Schema), InputCount, MultiplyAdds, measure);
    }

    /// <summary>The column of the features in data.</summary>
    /// <exception cref="ArgumentException">The column is missing, or of another type or size.</exception>
    private DataViewSchema.Column FindColumn(DataViewSchema schema)
    {
        var column = CodeColumns.Find(schema, InputColumnName);
        if (FeatureReader.WidthOf(column) != InputCount)
            throw new ArgumentException($"Column '{column.Name}' has {FeatureReader.WidthOf(column)} values ({column.Type}); the model was trained on {InputCount}.", nameof(schema));
        return column;
    }

    private CodeMapper CreateMapper(DataViewSchema schema) => new(this, FindColumn(schema));
}
