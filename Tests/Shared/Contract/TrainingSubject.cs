using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>A training under contract, with labels (<see cref="Subject"/>) or without. A new one adds one line to <see cref="Subjects"/>.</summary>
internal abstract class TrainingSubject(string name)
{
    public string Name => name;

    /// <summary>The width of the feature column; a multiple of 3.</summary>
    public virtual int FeatureCount => 6;

    /// <summary>
    /// Whether the network always normalizes by the statistics of a batch: the rows of a batch then affect each other, and there are
    /// running statistics that change at any learning rate.
    /// </summary>
    public virtual bool HasBatchStatistics => false;

    /// <summary>The column that is read.</summary>
    public virtual string InputColumn => nameof(Example.Features);

    /// <summary>Every column that the transformer reads.</summary>
    public virtual string[] InputColumns => [InputColumn];

    /// <summary>Whether that column has vectors.</summary>
    public virtual bool ReadsVectors => true;

    /// <summary>Whether any value of it can be trained on.</summary>
    public virtual bool TakesAnyValue => false;

    /// <summary>Whether an example is a row; else, what the rows are together is cut into examples.</summary>
    public virtual bool RowsAreExamples => true;

    /// <summary>Whether rows are read twice, for a vocabulary and then for tokens, which are kept: streamed or not, no epoch reads rows.</summary>
    public virtual bool KeepsTokens => false;

    /// <summary>Whether what is added to a row comes from the row alone, so that there can be a prediction engine.</summary>
    public virtual bool MapsRows => true;

    /// <summary>Whether a training can start from the transformer.</summary>
    public virtual bool IsInitialModel => true;

    /// <summary>Whether a row is computed apart from all others, so that it has the same bits in a block and alone.</summary>
    public virtual bool ComputesRowByRow => false;

    /// <summary>The least number of rows that can be trained on.</summary>
    public virtual int MinimumRows => 1;

    /// <summary>What the message says where there are no rows to train on.</summary>
    public virtual string NoRows => "no rows";

    /// <summary>What the message says where there are no rows to validate on.</summary>
    public virtual string NoValidationRows => "validation data";

    /// <summary>Whether a feature column that is one number makes sense to the family.</summary>
    public virtual bool TakesOneFeature => true;

    /// <summary>Whether rows may have any number of values: the family reads sequences.</summary>
    public virtual bool TakesAnyLength => false;

    /// <summary>Whether validation has the loss; else it has other metrics only.</summary>
    public virtual bool HasValidationLoss => true;

    /// <summary>Whether the loss becomes larger at a learning rate that is far too high.</summary>
    public virtual bool CanExplode => true;

    /// <summary>What early stopping makes small in validation.</summary>
    public virtual double Missed(EpochRecord epoch) => epoch.ValidationLoss!.Value;

    /// <summary>What training makes small on its own rows.</summary>
    public virtual double Remaining(EpochRecord epoch) => epoch.TrainingLoss;

    /// <summary>Whether rows of one class can be trained on.</summary>
    public virtual bool TakesOneClass => true;

    /// <summary>Whether data can be streamed instead of held in memory.</summary>
    public virtual bool TakesStreaming => true;

    public Buffering[] Bufferings => TakesStreaming ? [Buffering.InMemory, Buffering.Streaming] : [Buffering.InMemory];

    /// <summary>Whether the loss says which epoch is best, so that it falls and a training can stop early. That of a game does not.</summary>
    public virtual bool HasGoal => true;

    /// <summary>The number of networks that are trained, one after the other. Each has a history, reports and a checkpoint of its own.</summary>
    public virtual int NetworkCount => 1;

    /// <summary>What networks are called in reports.</summary>
    public virtual string[] ReportedNetworks => ["network"];

    /// <summary>A value that features may have.</summary>
    public virtual float Feature => 3;

    /// <summary>The least <see cref="Quality"/> of a training that worked.</summary>
    public virtual double Floor => 0.9;

    /// <summary>The least <see cref="Quality"/> of a training with noise that worked.</summary>
    public virtual double NoisyFloor => 0.8;

    /// <summary>A learning rate at which validation losses jump about.</summary>
    public virtual double WildRate => 0.3;

    /// <summary>One training step an epoch.</summary>
    public virtual void MakeOneBatch(DataTrainingOptions options, int rows) => options.BatchSize = rows;

    /// <summary>What it takes to learn with noise: longer.</summary>
    public virtual void LearnDespiteNoise(DataTrainingOptions options) => options.Epochs = 25;

    /// <summary>The columns that the transformer adds, in order.</summary>
    public abstract string[] OutputColumns { get; }

    /// <summary>Those of them that hold what the network computes.</summary>
    public abstract string[] ValueColumns { get; }

    /// <summary>What a record holds of the training data.</summary>
    public abstract string[] TrainingMetrics { get; }

    /// <summary>What a record holds of the validation data.</summary>
    public virtual string[] ValidationMetrics => TrainingMetrics;

    /// <summary>Options out of range that not every training has: name, what the message must say, and how to set it.</summary>
    public abstract IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> BadOptions { get; }

    /// <summary>Changes options to those of a network whose weights have other shapes.</summary>
    /// <returns>The width of the feature column for it, a multiple of 3.</returns>
    public abstract int ChangeArchitecture(DataTrainingOptions options);

    public abstract void SetFeatureColumn(DataTrainingOptions options, string column);

    /// <summary>Names a column for everything that is read.</summary>
    public abstract void SetEveryColumn(DataTrainingOptions options, string column);

    public abstract void SetShuffleBuffer(DataTrainingOptions options, int rows);

    public abstract IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options);

    public abstract TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation);

    /// <summary>What normalization the family is for.</summary>
    public virtual IEstimator<ITransformer> Normalizer(MLContext ml) => ml.Transforms.NormalizeMeanVariance(nameof(Example.Features));

    /// <summary>How well the known answer was found: 1 is best.</summary>
    public abstract double Quality(MLContext ml, IDataView scored);

    /// <summary>Validation metrics of the last network as a user finds them in what the transformer computes, and how exactly.</summary>
    public abstract IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored);

    /// <summary>The same, of what can be found only with the model at hand.</summary>
    public virtual IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, TrainedModel model, IDataView data) => Evaluate(ml, model.Transform(data));

    /// <summary>The values of rows, one after the other through a prediction engine, in the order of <see cref="Values"/>.</summary>
    public abstract float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows);

    /// <summary>The learning rate at which an optimizer learns; null for that of the options.</summary>
    public virtual double? RateOf(Optimizer optimizer) => null;

    /// <summary>A feature as the family can take it.</summary>
    /// <param name="value">About from -1 to 1.</param>
    public virtual float FeatureOf(float value) => value;

    /// <summary>A row whose value, or one of whose values, cannot be trained on.</summary>
    /// <param name="row">The row.</param>
    /// <param name="slot">Which of several values.</param>
    /// <param name="value">What cannot be trained on.</param>
    public virtual Example Spoil(Example row, int slot, float value) => row.With(row.Features.DenseValues().Select((x, i) => i == slot ? value : x).ToArray());

    /// <summary>How a message says where such a value is.</summary>
    public virtual string PlaceOf(int row, int slot) => $"'{InputColumn}', row {row} (the first row is 0), slot {slot}";

    /// <summary>A row with the values that all rows have.</summary>
    public virtual Example MakeEqual(Example row) => row.With(Enumerable.Repeat(Feature, FeatureCount).ToArray());

    /// <summary>Rows to train on, and a fifth of them to test on.</summary>
    public virtual (IDataView Train, IDataView Test) Split(MLContext ml, IDataView data)
    {
        var split = ml.Data.TrainTestSplit(data, testFraction: 0.2);
        return (split.TrainSet, split.TestSet);
    }

    /// <summary>Two rows that have exchanged something that training looks at: a label, where there are labels.</summary>
    public virtual (Example First, Example Second) Exchange(Example first, Example second)
    {
        var (a, b) = (first.Features.DenseValues().ToArray(), second.Features.DenseValues().ToArray());
        (a[0], b[0]) = (b[0], a[0]);
        return (first.With(a), second.With(b));
    }

    /// <summary>Options on the contract's columns, seed 1, one thread.</summary>
    public DataTrainingOptions Options(Action<DataTrainingOptions>? change = null, bool noisy = false)
    {
        var options = CreateOptions();
        SetColumns(options);
        options.Seed = TestSeed.Of(1);
        options.ThreadCount = 1;
        if (noisy)
            AddNoise(options);
        change?.Invoke(options);
        return options;
    }

    public TrainedModel Fit(IEnumerable<Example> rows, Action<DataTrainingOptions>? change = null, bool noisy = false, MLContext? ml = null)
    {
        ml ??= new MLContext(1);
        return Fit(CreateEstimator(ml, Options(change, noisy)), Example.View(ml, rows, FeatureCount));
    }

    public TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView data) => new(estimator.Fit(data));

    /// <summary>What the network computed, row after row.</summary>
    public float[] Values(IDataView scored) => Outcome.Values(scored, ValueColumns);

    public virtual Example[] Rows(int count, int seed = 1, int? width = null) => Array.ConvertAll(Example.Create(count, width ?? FeatureCount, seed), row => row.With(Array.ConvertAll(row.Features.DenseValues().ToArray(), FeatureOf)));

    public IDataView View(MLContext ml, int count, int seed = 1) => Example.View(ml, Rows(count, seed));

    /// <summary>Rows through a prediction engine.</summary>
    protected float[] PredictRows<TRow>(MLContext ml, ITransformer model, IEnumerable<Example> rows, Func<TRow, IEnumerable<float>> values)
        where TRow : class, new()
    {
        // An engine that owns its transformer would take it away from the test.
        var options = new PredictionEngineOptions { InputSchemaDefinition = Example.Schema(FeatureCount), OwnsTransformer = false };
        using var engine = ml.Model.CreatePredictionEngine<Example, TRow>(model, options);
        return rows.Select(row => engine.Predict(row)).SelectMany(values).ToArray();
    }

    /// <summary>The family's options for a network that learns the known answer quickly; nothing in it may be random but the seed's doing.</summary>
    protected abstract DataTrainingOptions CreateOptions();

    /// <summary>Turns on whatever keeps state beside the weights or draws random numbers while training: dropout, batch normalization.</summary>
    protected abstract void AddNoise(DataTrainingOptions options);

    /// <summary>Names the contract's columns.</summary>
    protected abstract void SetColumns(DataTrainingOptions options);
}
