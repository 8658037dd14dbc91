using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>A trainer under contract: it learns a label. A new family adds a subject a task, and one line to <see cref="Subjects"/>.</summary>
internal abstract class Subject(string name, ContractTask task) : TrainingSubject(name)
{
    public ContractTask Task => task;

    /// <summary>The learning rate of gradient descent without momentum on all rows at once.</summary>
    public virtual double FullBatchRate => 0.3;

    public sealed override string[] OutputColumns => Task.OutputColumns;

    public sealed override string[] ValueColumns => ["Score"];

    public sealed override string[] TrainingMetrics => ["loss", Task.Metric];

    public sealed override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> BadOptions =>
    [
        ("ShuffleBufferRows", "0", o => SetShuffleBuffer(o, 0)),
        ("FeatureColumnName", "empty", o => SetFeatureColumn(o, " ")),
        ("LabelColumnName", "empty", o => ((SupervisedTrainerOptions)o).LabelColumnName = ""),
    ];

    /// <summary>Adadelta decides on the length of a step itself, and begins with short ones; Adagrad's steps become shorter and shorter, and gradients alone are small.</summary>
    public override double? RateOf(Optimizer optimizer) => optimizer switch { AdadeltaOptimizer => 4, AdagradOptimizer or SgdOptimizer => 0.05, _ => null };

    /// <summary>Guessing is right in half of the rows, or in two of five; the mean explains nothing.</summary>
    public override double Floor => Task == ContractTask.Multiclass ? 0.7 : Task == ContractTask.Binary ? 0.8 : 0.85;

    public override double NoisyFloor => Task == ContractTask.Multiclass ? 0.65 : 0.75;

    public abstract IEstimator<NetworkTransformer> CreateTrainer(MLContext ml, SupervisedTrainerOptions options);

    public abstract NetworkTransformer Fit(IEstimator<NetworkTransformer> trainer, IDataView train, IDataView validation);

    public sealed override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => CreateTrainer(ml, (SupervisedTrainerOptions)options);

    public sealed override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) =>
        new(Fit((IEstimator<NetworkTransformer>)estimator, train, validation));

    public override int ChangeArchitecture(DataTrainingOptions options) => FeatureCount + 3;

    public sealed override void SetFeatureColumn(DataTrainingOptions options, string column) => ((SupervisedTrainerOptions)options).FeatureColumnName = column;

    public sealed override void SetEveryColumn(DataTrainingOptions options, string column)
    {
        SetFeatureColumn(options, column);
        ((SupervisedTrainerOptions)options).LabelColumnName = column;
    }

    public sealed override void SetShuffleBuffer(DataTrainingOptions options, int rows) => ((SupervisedTrainerOptions)options).ShuffleBufferRows = rows;

    public sealed override double Quality(MLContext ml, IDataView scored) => Task.Quality(ml, scored);

    public sealed override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored) =>
        [Task == ContractTask.Regression ? (Task.Metric, ml.Regression.Evaluate(scored, Task.LabelColumn).RootMeanSquaredError, 1e-4) : (Task.Metric, Task.Quality(ml, scored), 1e-6)];

    public sealed override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) => Task.PredictRows(ml, model, rows, FeatureCount);

    public sealed override (Example First, Example Second) Exchange(Example first, Example second)
    {
        var (a, b) = (first.Copy(), second.Copy());
        (a.Flag, a.Class, a.Target) = (second.Flag, second.Class, second.Target);
        (b.Flag, b.Class, b.Target) = (first.Flag, first.Class, first.Target);
        return (a, b);
    }

    /// <inheritdoc cref="TrainingSubject.Options"/>
    public SupervisedTrainerOptions Options(Action<SupervisedTrainerOptions>? change = null, bool noisy = false)
    {
        var options = (SupervisedTrainerOptions)base.Options(null, noisy);
        change?.Invoke(options);
        return options;
    }

    public NetworkTransformer Fit(IEnumerable<Example> rows, Action<SupervisedTrainerOptions>? change = null, bool noisy = false, MLContext? ml = null)
    {
        ml ??= new MLContext(1);
        return CreateTrainer(ml, Options(change, noisy)).Fit(Example.View(ml, rows, FeatureCount));
    }

    protected abstract override SupervisedTrainerOptions CreateOptions();

    protected sealed override void SetColumns(DataTrainingOptions options)
    {
        SetFeatureColumn(options, nameof(Example.Features));
        ((SupervisedTrainerOptions)options).LabelColumnName = Task.LabelColumn;
    }
}

/// <summary>A subject with its transformer's type.</summary>
internal abstract class Subject<TTransformer>(string name, ContractTask task) : Subject(name, task)
    where TTransformer : NetworkTransformer
{
    public sealed override NetworkTransformer Fit(IEstimator<NetworkTransformer> trainer, IDataView train, IDataView validation) =>
        ((NetworkTrainer<TTransformer>)trainer).Fit(train, validation);
}
