using Microsoft.ML;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;
using MLExtensions.Supervised;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Base class of all supervised trainers.</summary>
/// <typeparam name="TTransformer">The type of the trained transformer.</typeparam>
public abstract class NetworkTrainer<TTransformer> : TrainerEstimatorBase<TTransformer, NetworkModelParameters>, ITrainerEstimator<TTransformer, NetworkModelParameters>
    where TTransformer : NetworkTransformer
{
    // The trainer reads the data once into its own memory, so ML.NET need not cache it.
    private static readonly TrainerInfo InfoOfNetworks = new(normalization: true, calibration: false, caching: false, supportValid: true);

    private readonly SupervisedTrainerOptions _options;
    private readonly SupervisedTask<TTransformer> _task;
    private readonly ColumnCheck _columns;
    private readonly int _seed;

    private protected NetworkTrainer(IHostEnvironment env, string name, SupervisedTrainerOptions options, SupervisedTask<TTransformer> task)
        : base(
            env.Register(name),
            TrainerUtils.MakeR4VecFeature(Checked(options).FeatureColumnName),
            task.LabelColumn(options.LabelColumnName),
            TrainerUtils.MakeR4ScalarWeightColumn(options.ExampleWeightColumnName))
    {
        _options = (SupervisedTrainerOptions)options.Snapshot();
        _task = task;
        _columns = new ColumnCheck(_options, task, FeatureColumn.Name, LabelColumn, WeightColumn.IsValid ? WeightColumn.Name : null);
        _seed = options.ChooseSeed(env);
    }

    /// <summary>Features should be normalized; caching is not needed.</summary>
    public override TrainerInfo Info => InfoOfNetworks;

    /// <inheritdoc/>
    protected override PredictionKind PredictionKind => _task.Kind;

    /// <summary>Trains a network.</summary>
    /// <param name="input">The training data, with the label and feature columns.</param>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type, or the data is not suitable for training.</exception>
    /// <exception cref="FormatException">A value is missing or not finite; the message names column, row and value.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    public new TTransformer Fit(IDataView input) => FitCore(input, null);

    /// <summary>Trains a network, with separate validation data.</summary>
    /// <param name="trainData">The training data.</param>
    /// <param name="validationData">
    /// The validation data, with the same columns; replaces <see cref="DataTrainingOptions.ValidationFraction"/>.
    /// </param>
    /// <inheritdoc cref="Fit(IDataView)"/>
    public TTransformer Fit(IDataView trainData, IDataView validationData)
    {
        ArgumentNullException.ThrowIfNull(validationData);
        return FitCore(trainData, validationData);
    }

    /// <summary>Returns the output schema of the transformer for an input schema.</summary>
    /// <exception cref="ArgumentException">A column is missing or of a wrong type.</exception>
    public new SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _columns.Check(inputSchema);
        var columns = inputSchema.ToDictionary(column => column.Name);
        foreach (var column in GetOutputColumnsCore(inputSchema))
            columns[column.Name] = column;
        return new SchemaShape(columns.Values);
    }

    /// <inheritdoc/>
    protected override SchemaShape.Column[] GetOutputColumnsCore(SchemaShape inputSchema) => _task.OutputColumns(inputSchema, LabelColumn.Name);

    /// <inheritdoc/>
    protected override NetworkModelParameters TrainModelCore(TrainContext trainContext) =>
        Train(trainContext.TrainingSet.Data, trainContext.ValidationSet?.Data);

    /// <inheritdoc/>
    protected override TTransformer MakeTransformer(NetworkModelParameters model, DataViewSchema trainSchema) =>
        _task.CreateTransformer(Host, model, trainSchema, FeatureColumn.Name, LabelColumn.Name);

    private static SupervisedTrainerOptions Checked(SupervisedTrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        return options;
    }

    private TTransformer FitCore(IDataView input, IDataView? validation)
    {
        ArgumentNullException.ThrowIfNull(input);
        _columns.Check(SchemaShape.Create(input.Schema));
        if (validation != null)
            ValidationData.Check(() => _columns.Check(SchemaShape.Create(validation.Schema)));
        return MakeTransformer(Train(input, validation), input.Schema);
    }

    private NetworkModelParameters Train(IDataView input, IDataView? validation)
    {
        _options.CheckValidation(input, validation);
        _options.ReportIgnored(validation, Host);
        return Distributed.Run(_options.Distributed, GetType().Name, () => new SupervisedTraining(Host, _options, _task, _columns, _seed).Run(input, validation));
    }
}
