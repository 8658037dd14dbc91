using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions;

/// <summary>Base class of estimators that add columns without a network, in managed code; see <see cref="ManagedTransformer"/>.</summary>
/// <typeparam name="TTransformer">The type of the transformer.</typeparam>
public abstract class ManagedEstimator<TTransformer> : IEstimator<TTransformer>
    where TTransformer : class, ITransformer
{
    private protected ManagedEstimator(IHostEnvironment env, string name) => Host = env.Register(name);

    private protected IHost Host { get; }

    /// <summary>Checks the columns, reads what is needed of the data, and returns the transformer.</summary>
    /// <param name="input">The data.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or an option does not suit the data; the message names it.</exception>
    /// <exception cref="FormatException">A value is not suitable; the message names column, row and value.</exception>
    /// <exception cref="OperationCanceledException">It was canceled by an option.</exception>
    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckSchema(SchemaShape.Create(input.Schema));
        return FitChecked(input);
    }

    /// <summary>Returns the output schema of the transformer for an input schema.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckSchema(inputSchema);
        var columns = inputSchema.ToDictionary(column => column.Name);
        foreach (var column in AddedColumns(inputSchema))
            columns[column.Name] = column;
        return new SchemaShape(columns.Values);
    }

    /// <exception cref="ArgumentException">A column is missing or of a wrong type; the message names it.</exception>
    private protected abstract void CheckSchema(SchemaShape schema);

    /// <summary>The columns that the transformer adds to data whose schema was checked.</summary>
    private protected abstract IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input);

    /// <summary>Fits on data whose schema was checked.</summary>
    private protected abstract TTransformer FitChecked(IDataView input);

    /// <summary>A column that is added.</summary>
    /// <param name="name">The name.</param>
    /// <param name="type">The type; of known size if it is a vector.</param>
    private protected static SchemaShape.Column Added(string name, DataViewType type) => type is VectorDataViewType vector
        ? new(name, SchemaShape.Column.VectorKind.Vector, vector.ItemType, isKey: false)
        : new(name, SchemaShape.Column.VectorKind.Scalar, type, isKey: false);
}
