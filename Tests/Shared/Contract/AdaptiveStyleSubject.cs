using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>
/// A decoder that paints 6 x 6 pixels. Content and style are the same picture, so that the answer is known: the encoder's features keep their
/// statistics, and the decoder is to paint the picture itself.
/// </summary>
internal sealed class AdaptiveStyleSubject() : TrainingSubject("AdaptiveStyle")
{
    private const int Side = 6;

    public override int FeatureCount => 3 * Side * Side;

    public override bool TakesOneFeature => false;

    /// <summary>A picture may be large, so each is painted for itself.</summary>
    public override bool ComputesRowByRow => true;

    public override string[] ReportedNetworks => ["decoder"];

    public override float Feature => 100;

    /// <summary>Of a gray picture 0.</summary>
    public override double Floor => 0.25;

    public override double NoisyFloor => 0.25;

    public override string[] OutputColumns => ["Styled"];

    public override string[] ValueColumns => OutputColumns;

    public override string[] TrainingMetrics => ["loss", "contentLoss", "styleLoss", "totalVariation"];

    public override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> BadOptions =>
    [
        ("InputColumnName", "empty", o => Of(o).InputColumnName = " "),
        ("OutputColumnName", "empty", o => Of(o).OutputColumnName = ""),
        ("StyleColumnName", "empty", o => Of(o).StyleColumnName = " "),
        ("StrengthColumnName", "empty", o => Of(o).StrengthColumnName = " "),
        ("WeightsPath", "empty", o => Of(o).WeightsPath = ""),
        ("StyleScale", "0", o => Of(o).StyleScale = 0),
        ("Strength", "1.5", o => Of(o).Strength = 1.5),
        ("ImageShape", "0", o => Of(o).ImageShape = new ImageShape(3, 0, 5)),
        ("StyleWeight", "NaN", o => Of(o).StyleWeight = double.NaN),
        ("ContentWeight", "-1", o => Of(o).ContentWeight = -1),
        ("TotalVariationWeight", "-1", o => Of(o).TotalVariationWeight = -1),
        ("Pooling", "9", o => Of(o).Pooling = (LossPooling)9),
        ("ShuffleBufferRows", "0", o => Of(o).ShuffleBufferRows = 0),
    ];

    public override int ChangeArchitecture(DataTrainingOptions options)
    {
        Of(options).EncoderLayer = "relu1_1";
        Of(options).StyleLayers = ["relu1_1"];
        return FeatureCount;
    }

    public override void SetFeatureColumn(DataTrainingOptions options, string column) => (Of(options).InputColumnName, Of(options).StyleColumnName) = (column, column);

    public override void SetEveryColumn(DataTrainingOptions options, string column) => SetFeatureColumn(options, column);

    public override void SetShuffleBuffer(DataTrainingOptions options, int rows) => Of(options).ShuffleBufferRows = rows;

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => ml.Transforms.AdaptiveStyleTransfer(Of(options));

    public override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) =>
        new(((AdaptiveStyleTransferEstimator)estimator).Fit(train, validation));

    /// <summary>Pixels are what they are.</summary>
    public override IEstimator<ITransformer> Normalizer(MLContext ml) => ml.Transforms.CopyColumns("Copy", nameof(Example.Features));

    public override float FeatureOf(float value) => 127.5f * (1 + Math.Clamp(value, -1, 1));

    /// <summary>The share of the pictures' variance that is painted.</summary>
    public override double Quality(MLContext ml, IDataView scored)
    {
        var (painted, pictures) = (Outcome.Rows(scored, "Styled"), Outcome.Rows(scored, nameof(Example.Features)));
        var mean = pictures.Average(row => row.Average());
        return 1 - (painted.Zip(pictures).Sum(pair => pair.First.Zip(pair.Second, (a, b) => Math.Pow(a - b, 2)).Sum()) / pictures.Sum(row => row.Sum(x => Math.Pow(x - mean, 2))));
    }

    /// <summary>Losses are those of pairs of different pictures; the total variation is of what is not cut off.</summary>
    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored) => [];

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) =>
        PredictRows<StyledRow>(ml, model, rows, row => row.Styled);

    public override double? RateOf(Optimizer optimizer) => optimizer switch { AdadeltaOptimizer => 4, RmsPropOptimizer => 0.001, _ => null };

    protected override DataTrainingOptions CreateOptions() => new AdaptiveStyleTransferEstimator.Options
    {
        ImageShape = new ImageShape(3, Side, Side),
        WeightsPath = LossNetworkSample.Path,
        Architecture = LossNetworkSample.Network,
        EncoderLayer = "relu2_1",
        StyleLayers = ["relu1_1", "relu2_1"],
        StyleWeight = 1,
        TotalVariationWeight = 0,
        LearningRateSchedule = LearningRateSchedule.Constant(),
        Epochs = 25,
        BatchSize = 10,
        LearningRate = 0.003,
    };

    /// <summary>Nothing in it is random but the pairs.</summary>
    protected override void AddNoise(DataTrainingOptions options)
    {
    }

    protected override void SetColumns(DataTrainingOptions options) => SetFeatureColumn(options, nameof(Example.Features));

    private static AdaptiveStyleTransferEstimator.Options Of(DataTrainingOptions options) => (AdaptiveStyleTransferEstimator.Options)options;

    private sealed class StyledRow
    {
        public float[] Styled { get; set; } = [];
    }
}
