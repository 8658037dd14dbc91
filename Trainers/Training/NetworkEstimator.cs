using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Base class of the estimators that train a network and add columns to rows with it.</summary>
/// <typeparam name="TTransformer">The type of the trained transformer.</typeparam>
public abstract class NetworkEstimator<TTransformer> : IEstimator<TTransformer>
    where TTransformer : class, ITransformer
{
    private protected NetworkEstimator(IHostEnvironment env, string name, DataTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        Host = env.Register(name);
        Settings = (DataTrainingOptions)options.Snapshot();
        Seed = options.ChooseSeed(env);
    }

    private protected IHost Host { get; }

    /// <summary>A copy of the options.</summary>
    private protected DataTrainingOptions Settings { get; }

    private protected int Seed { get; }

    /// <summary>Trains the network.</summary>
    /// <param name="input">The training data.</param>
    /// <exception cref="ArgumentException">
    /// A column is missing or of a wrong type, an option does not fit the data, or the data is not suitable for training; the message names
    /// column or option.
    /// </exception>
    /// <exception cref="FormatException">A value is not suitable for training; the message names column, row and value.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    public TTransformer Fit(IDataView input) => FitCore(input, null);

    /// <summary>Trains the network, with separate validation data.</summary>
    /// <param name="trainData">The training data.</param>
    /// <param name="validationData">
    /// The validation data, with the same columns; replaces <see cref="DataTrainingOptions.ValidationFraction"/>.
    /// </param>
    /// <inheritdoc cref="Fit(IDataView)" path="/exception"/>
    public TTransformer Fit(IDataView trainData, IDataView validationData)
    {
        ArgumentNullException.ThrowIfNull(validationData);
        return FitCore(trainData, validationData);
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

    /// <summary>The columns that the transformer adds.</summary>
    private protected abstract IEnumerable<SchemaShape.Column> AddedColumns();

    /// <summary>The columns that the transformer adds, where what they say depends on the input.</summary>
    private protected virtual IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input) => AddedColumns();

    /// <summary>Trains on data whose schema was checked.</summary>
    private protected abstract TTransformer Train(IDataView input, IDataView? validation);

    private TTransformer FitCore(IDataView input, IDataView? validation)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckSchema(SchemaShape.Create(input.Schema));
        if (validation != null)
            ValidationData.Check(() => CheckSchema(SchemaShape.Create(validation.Schema)));
        Settings.CheckValidation(input, validation);
        Settings.ReportIgnored(validation, Host);
        return Distributed.Run(Settings.Distributed, GetType().Name, () => Train(input, validation));
    }
}
