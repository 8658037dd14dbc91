using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>
/// What generates samples like the features. The noise of a sample is the features of its row, so that rows can be mapped. Features are a third
/// alike: those of the samples must be, too.
/// </summary>
internal abstract class AdversarialSubject(string name, int featureCount) : TrainingSubject(name)
{
    public override int FeatureCount => featureCount;

    public override bool HasGoal => false;

    public override string[] ReportedNetworks => ["generator", "discriminator"];

    /// <summary>Of an untrained generator, about a third.</summary>
    public override double Floor => 0.6;

    public override double NoisyFloor => 0.6;

    public override string[] OutputColumns => ["Sample"];

    public override string[] ValueColumns => OutputColumns;

    public override string[] TrainingMetrics => ["loss", "generatorLoss", "realRecognized", "generatedRecognized", "spread"];

    public override string[] ValidationMetrics => ["loss", "realRecognized", "generatedRecognized"];

    public override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> BadOptions =>
    [
        ("FeatureColumnName", "empty", o => Of(o).FeatureColumnName = " "),
        ("OutputColumnName", "empty", o => Of(o).OutputColumnName = ""),
        ("LabelColumnName", "empty", o => Of(o).LabelColumnName = " "),
        ("NoiseColumnName", "empty", o => Of(o).NoiseColumnName = " "),
        ("SeedColumnName", "empty", o => (Of(o).SeedColumnName, Of(o).NoiseColumnName) = (" ", null)),
        ("SeedColumnName", "Class", o => Of(o).SeedColumnName = "Class"),
        ("SamplesFolder", "empty", o => Of(o).SamplesFolder = " "),
        ("SampleInterval", "0", o => Of(o).SampleInterval = 0),
        ("Loss", "9", o => Of(o).Loss = (AdversarialLoss)9),
        ("GradientPenalty", "-1", o => Of(o).GradientPenalty = -1),
        ("DiscriminatorSteps", "0", o => Of(o).DiscriminatorSteps = 0),
        ("LabelSmoothing", "0.5", o => (Of(o).Loss, Of(o).LabelSmoothing) = (AdversarialLoss.NonSaturating, 0.5)),
        ("LabelSmoothing", "Hinge", o => (Of(o).Loss, Of(o).LabelSmoothing) = (AdversarialLoss.Hinge, 0.1)),
        ("PackSize", "0", o => Of(o).PackSize = 0),
        ("PackSize", "7", o => Of(o).PackSize = 7),
        ("Augmentation", "64", o => Of(o).Augmentation = (DifferentiableAugmentation)64),
        ("DiscriminatorLearningRate", "0", o => Of(o).DiscriminatorLearningRate = 0),
        ("DiscriminatorLearningRate", "NaN", o => Of(o).DiscriminatorLearningRate = double.NaN),
        ("Momentum", "2", o => Of(o).DiscriminatorOptimizer = new SgdOptimizer { Momentum = 2 }),
        ("WarmupEpochs", "-1", o => Of(o).DiscriminatorLearningRateSchedule = new ConstantSchedule { WarmupEpochs = -1 }),
        ("ValueRange", "[1, 0]", o => Of(o).ValueRange = new ValueRange(1, 0)),
        ("ValueRange", "NaN", o => Of(o).ValueRange = new ValueRange(0, double.NaN)),
        ("ImageShape", "0", o => Of(o).ImageShape = new ImageShape(1, 0, 2)),
        ("ShuffleBufferRows", "0", o => SetShuffleBuffer(o, 0)),
        ("EarlyStopping", "null", o => (o.EarlyStopping, o.ValidationFraction) = (new EarlyStopping(), 0.2)),
    ];

    public override int ChangeArchitecture(DataTrainingOptions options)
    {
        Of(options).Networks = Networks(hidden: 7, noisy: false);
        return FeatureCount;
    }

    public override void SetFeatureColumn(DataTrainingOptions options, string column) => Of(options).FeatureColumnName = column;

    public override void SetEveryColumn(DataTrainingOptions options, string column) =>
        (Of(options).FeatureColumnName, Of(options).LabelColumnName, Of(options).NoiseColumnName) = (column, column, column);

    public override void SetShuffleBuffer(DataTrainingOptions options, int rows) => Of(options).ShuffleBufferRows = rows;

    public override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) =>
        new(((AdversarialEstimator)estimator).Fit(train, validation));

    /// <summary>The share of the samples' variance that lies between thirds, not within them; samples that hardly vary are nothing.</summary>
    public override double Quality(MLContext ml, IDataView scored)
    {
        var samples = Outcome.Rows(scored, "Sample");
        var means = Enumerable.Range(0, FeatureCount).Select(slot => samples.Average(row => (double)row[slot])).ToArray();
        var (within, total) = (0.0, 0.0);
        foreach (var sample in samples)
        {
            foreach (var third in sample.Zip(means, (x, mean) => x - mean).Chunk(FeatureCount / 3))
            {
                within += third.Sum(x => Math.Pow(x - third.Average(), 2));
                total += third.Sum(x => x * x);
            }
        }
        return total / samples.Length / FeatureCount < 1e-3 ? 0 : 1 - (within / total);
    }

    /// <summary>Two networks play against each other; what a user sees of the metrics is in <see cref="Evaluate(MLContext, TrainedModel, IDataView)"/>.</summary>
    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored) => [];

    /// <summary>Real samples are recognized where their score is above 0.</summary>
    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, TrainedModel model, IDataView data)
    {
        var scores = ml.Transforms.DiscriminatorFeatures("Judged", nameof(Example.Features), (GanTransformer)model.Transformer, "Real").Fit(data).Transform(data);
        // One sample in a thousand may be on the other side of 0 by rounding.
        return [("realRecognized", Outcome.Values(scores, "Real").Average(score => score > 0 ? 1.0 : 0), 1.01e-3)];
    }

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) =>
        PredictRows<SampleRow>(ml, model, rows, row => row.Sample);

    public override double? RateOf(Optimizer optimizer) => optimizer is AdadeltaOptimizer ? 4 : null;

    protected abstract GanNetworks Networks(int hidden, bool noisy);

    /// <summary>Statistics of batches, an average that includes them, and random numbers in both networks.</summary>
    protected override void AddNoise(DataTrainingOptions options) => Of(options).Networks = Networks(hidden: 16, noisy: true);

    protected override void SetColumns(DataTrainingOptions options) =>
        (Of(options).FeatureColumnName, Of(options).NoiseColumnName) = (nameof(Example.Features), nameof(Example.Features));

    protected TOptions With<TOptions>(TOptions options)
        where TOptions : GanOptions
    {
        options.Networks = Networks(hidden: 16, noisy: false);
        options.Epochs = 15;
        options.BatchSize = 10;
        options.LearningRateSchedule = new ConstantSchedule();
        return options;
    }

    private static GanOptions Of(DataTrainingOptions options) => (GanOptions)options;

    private sealed class SampleRow
    {
        public float[] Sample { get; set; } = [];
    }
}

internal sealed class GanSubject() : AdversarialSubject("Gan", 9)
{
    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => ml.GenerativeModels.Trainers.Gan((GanEstimator.Options)options);

    protected override DataTrainingOptions CreateOptions()
    {
        var options = With(new GanEstimator.Options());
        (options.LearningRate, options.Epochs) = (0.005, 20);
        return options;
    }

    protected override GanNetworks Networks(int hidden, bool noisy) => new()
    {
        LatentSize = FeatureCount,
        Generator = noisy
            ? [new DenseLayer(hidden), new BatchNormalizationLayer(), new ActivationLayer(), new DenseLayer()]
            : [new DenseLayer(hidden), new ActivationLayer(), new DenseLayer()],
        Discriminator = noisy
            ? [new MaxoutLayer(hidden, 2), new DropoutLayer(0.1), new DenseLayer()]
            : [new MaxoutLayer(hidden, 2), new DenseLayer()],
    };
}

/// <summary>Images of one channel and 6 x 6 pixels; two pixel rows are a third.</summary>
internal class DcganSubject(string name = "Dcgan") : AdversarialSubject(name, Side * Side)
{
    protected const int Side = 6;

    public override bool TakesOneFeature => false;

    public override float Feature => 0.75f;

    public override IEstimator<ITransformer> Normalizer(MLContext ml) => ml.Transforms.NormalizeMinMax(nameof(Example.Features));

    public override float FeatureOf(float value) => Math.Clamp(value, -1, 1);

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => ml.GenerativeModels.Trainers.Dcgan((DcganEstimator.Options)options);

    protected override DataTrainingOptions CreateOptions()
    {
        var options = With(new DcganEstimator.Options());
        (options.LearningRate, options.EmaDecay) = (0.003, null);
        (options.ImageShape, options.ValueRange) = (new ImageShape(1, Side, Side), new ValueRange(-1, 1));
        return options;
    }

    protected override void AddNoise(DataTrainingOptions options)
    {
        base.AddNoise(options);
        ((GanOptions)options).Augmentation = DifferentiableAugmentation.Translation;
    }

    protected override GanNetworks Networks(int hidden, bool noisy)
    {
        ImageLayer[] start = [new DenseLayer(6 * 3 * 3), new ReshapeLayer(6, 3, 3)];
        return new GanNetworks
        {
            LatentSize = FeatureCount,
            Generator =
            [
                .. noisy ? [.. start, new BatchNormalizationLayer()] : start,
                new ActivationLayer(Activation.LeakyReLU) { Slope = 0.2 },
                new TransposedConvolutionLayer(1, 4) { Stride = 2, Padding = 1 },
                new ActivationLayer(Activation.Tanh),
            ],
            Discriminator =
            [
                new SpectralNormalizationLayer(new ConvolutionLayer(hidden, 4) { Stride = 2, Padding = 1 }),
                new ActivationLayer(Activation.LeakyReLU) { Slope = 0.2 },
                new DenseLayer(),
            ],
        };
    }
}
