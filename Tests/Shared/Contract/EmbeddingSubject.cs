using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Embeddings of rows, learned from the classes of the contract's data.</summary>
/// <param name="name">The name of the subject.</param>
/// <param name="loss">What is minimized.</param>
/// <param name="networks">What networks are called in reports.</param>
internal sealed class EmbeddingSubject(string name, MetricLoss loss, params string[] networks) : TrainingSubject(name)
{
    private const string Column = "Embedding";

    public static IEnumerable<TrainingSubject> All =>
    [
        new EmbeddingSubject("Embedding", new NormalizedTemperatureLoss { Temperature = 0.3 }, "network"),
        new EmbeddingSubject("EmbeddingTriplets", new TripletLoss { Margin = 0.5 }, "network"),
        new EmbeddingSubject("EmbeddingCenters", new ArcFaceLoss { Scale = 16, Margin = 0.2 }, "network", "class centers"),
    ];

    public override string[] OutputColumns => [Column];

    public override string[] ValueColumns => [Column];

    public override string[] ReportedNetworks => networks;

    public override string[] TrainingMetrics => ["loss", "activeTriplets", "sameDistance", "differentDistance"];

    public override string[] ValidationMetrics => ["auc", "precisionAt1", "sameDistance", "differentDistance"];

    public override bool TakesStreaming => false;

    /// <summary>Validation compares all pairs of rows; there is no loss of a batch.</summary>
    public override bool HasValidationLoss => false;

    /// <summary>A batch has as many rows as there are classes for it.</summary>
    public override bool RowsAreExamples => false;

    /// <summary>Embeddings have length 1, whatever the weights are.</summary>
    public override bool CanExplode => false;

    public override double Missed(EpochRecord epoch) => -epoch.Validation["auc"];

    /// <summary>The loss of triplets is a mean over violations, and need not fall.</summary>
    public override double Remaining(EpochRecord epoch) => epoch.Training["sameDistance"] / epoch.Training["differentDistance"];

    /// <summary>One class alone says nothing of likeness, and is refused.</summary>
    public override bool TakesOneClass => false;

    /// <summary>Guessing is right in two of five rows.</summary>
    public override double Floor => 0.7;

    public override double NoisyFloor => 0.6;

    /// <summary>Two classes, one of them with two rows.</summary>
    public override int MinimumRows => 8;

    public override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> BadOptions =>
    [
        ("FeatureColumnName", "empty", o => Of(o).FeatureColumnName = " "),
        ("LabelColumnName", "empty", o => Of(o).LabelColumnName = ""),
        ("OutputColumnName", "empty", o => Of(o).OutputColumnName = " "),
        ("EmbeddingSize", "1", o => Of(o).EmbeddingSize = 1),
        ("ExamplesPerClass", "1", o => Of(o).ExamplesPerClass = 1),
        ("BatchSize", "30", o => Of(o).BatchSize = 30),
        ("BatchSize", "4", o => Of(o).BatchSize = 4),
        ("Loss.Margin", "5", o => Of(o).Loss = new TripletLoss { Margin = 5 }),
        ("HiddenLayers[1]", "0", o => Of(o).HiddenLayers = [3, 0]),
        ("Buffering", "Streaming", o => o.Buffering = Buffering.Streaming),
        ("ShuffleBufferRows", "0", o => SetShuffleBuffer(o, 0)),
    ];

    /// <summary>All rows of all classes.</summary>
    public override void MakeOneBatch(DataTrainingOptions options, int rows) => (Of(options).ExamplesPerClass, options.BatchSize) = (rows, rows * Example.ClassCount);

    public override int ChangeArchitecture(DataTrainingOptions options)
    {
        Of(options).HiddenLayers = [7];
        return FeatureCount;
    }

    public override void SetFeatureColumn(DataTrainingOptions options, string column) => Of(options).FeatureColumnName = column;

    public override void SetEveryColumn(DataTrainingOptions options, string column) => (Of(options).FeatureColumnName, Of(options).LabelColumnName) = (column, column);

    public override void SetShuffleBuffer(DataTrainingOptions options, int rows) => Of(options).ShuffleBufferRows = rows;

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options)
    {
        // Some promises are about batches of 10 and 25 rows.
        if (options is { BatchSize: 10 or 25 })
            Of(options).ExamplesPerClass = 5;
        return ml.MetricLearning.Trainers.Dense(Of(options));
    }

    public override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) => new(((DenseEmbeddingEstimator)estimator).Fit(train, validation));

    /// <summary>The share of rows whose nearest other row has their class.</summary>
    public override double Quality(MLContext ml, IDataView scored) => Metrics(ml, scored).PrecisionAt1;

    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored) =>
        [("auc", Metrics(ml, scored).AreaUnderRocCurve, 1e-5), ("precisionAt1", Metrics(ml, scored).PrecisionAt1, 1e-6)];

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) => PredictRows<EmbeddingRow>(ml, model, rows, row => row.Embedding);

    public override double? RateOf(Optimizer optimizer) => optimizer switch { AdadeltaOptimizer => 4, AdagradOptimizer or SgdOptimizer => 0.05, _ => null };

    public override (Example First, Example Second) Exchange(Example first, Example second)
    {
        var (a, b) = (first.Copy(), second.Copy());
        (a.Class, b.Class) = (second.Class, first.Class);
        return (a, b);
    }

    protected override DataTrainingOptions CreateOptions() => new DenseEmbeddingEstimator.Options
    {
        HiddenLayers = [12],
        EmbeddingSize = 4,
        Loss = loss,
        ExamplesPerClass = 8,
        Epochs = 15,
        BatchSize = 24,
        LearningRate = 0.02,
    };

    protected override void AddNoise(DataTrainingOptions options)
    {
        (Of(options).HiddenLayers, Of(options).Dropout, Of(options).InputDropout) = ([12, 8], 0.1, 0.1);
        Of(options).BatchNormalization = true;
    }

    protected override void SetColumns(DataTrainingOptions options) => (Of(options).FeatureColumnName, Of(options).LabelColumnName, Of(options).OutputColumnName) = (nameof(Example.Features), nameof(Example.Class), Column);

    private static EmbeddingMetrics Metrics(MLContext ml, IDataView scored) => ml.MetricLearning.Evaluate(scored, nameof(Example.Class), Column);

    private static DenseEmbeddingEstimator.Options Of(DataTrainingOptions options) => (DenseEmbeddingEstimator.Options)options;

    private sealed class EmbeddingRow
    {
        public float[] Embedding { get; set; } = [];
    }
}
