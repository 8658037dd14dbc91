using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>
/// A network that paints 5 x 5 pixels in a style. The style is a color, so that what was learned can be seen without a loss network: each third of
/// the result, a channel, has the value of that color.
/// </summary>
internal sealed class FastStyleSubject() : TrainingSubject("FastStyle")
{
    private const int Side = 5;

    private static readonly byte[] Color = [225, 120, 40];

    public override int FeatureCount => 3 * Side * Side;

    public override bool TakesOneFeature => false;

    /// <summary>A picture may be large, so each is painted for itself.</summary>
    public override bool ComputesRowByRow => true;

    public override float Feature => 100;

    public override string[] OutputColumns => ["Styled"];

    public override string[] ValueColumns => OutputColumns;

    public override string[] TrainingMetrics => ["loss", "contentLoss", "styleLoss", "totalVariation"];

    public override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> BadOptions =>
    [
        ("InputColumnName", "empty", o => Of(o).InputColumnName = " "),
        ("OutputColumnName", "empty", o => Of(o).OutputColumnName = ""),
        ("StyleColumnName", "empty", o => Of(o).StyleColumnName = " "),
        ("WeightsPath", "empty", o => Of(o).WeightsPath = ""),
        ("StylePaths", "empty", o => Of(o).StyleImages = []),
        ("StyleNames", "2 names", o => Of(o).StyleNames = ["a", "b"]),
        ("StyleScale", "0", o => Of(o).StyleScale = 0),
        ("Width", "0", o => Of(o).Width = 0),
        ("ResidualBlocks", "-1", o => Of(o).ResidualBlocks = -1),
        ("CropSize", "4", o => Of(o).CropSize = 4),
        ("ImageShape", "0", o => Of(o).ImageShape = new ImageShape(3, 0, 5)),
        ("StyleWeight", "NaN", o => Of(o).StyleWeight = double.NaN),
        ("ContentWeight", "-1", o => Of(o).ContentWeight = -1),
        ("TotalVariationWeight", "-1", o => Of(o).TotalVariationWeight = -1),
        ("Pooling", "9", o => Of(o).Pooling = (LossPooling)9),
        ("LossForm", "9", o => Of(o).LossForm = (StyleLossForm)9),
        ("BorderPadding", "-1", o => Of(o).BorderPadding = -1),
        ("ShuffleBufferRows", "0", o => Of(o).ShuffleBufferRows = 0),
    ];

    public override int ChangeArchitecture(DataTrainingOptions options)
    {
        Of(options).Width = 3;
        return FeatureCount;
    }

    public override void SetFeatureColumn(DataTrainingOptions options, string column) => Of(options).InputColumnName = column;

    public override void SetEveryColumn(DataTrainingOptions options, string column) => SetFeatureColumn(options, column);

    public override void SetShuffleBuffer(DataTrainingOptions options, int rows) => Of(options).ShuffleBufferRows = rows;

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => ml.Transforms.FastStyleTransfer(Of(options));

    public override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) =>
        new(((FastStyleTransferEstimator)estimator).Fit(train, validation));

    /// <summary>Pixels are what they are.</summary>
    public override IEstimator<ITransformer> Normalizer(MLContext ml) => ml.Transforms.CopyColumns("Copy", nameof(Example.Features));

    public override float FeatureOf(float value) => 127.5f * (1 + Math.Clamp(value, -1, 1));

    /// <summary>How near the means of the channels are to the color; a gray picture has 0.</summary>
    public override double Quality(MLContext ml, IDataView scored) =>
        1 - (Outcome.Rows(scored, "Styled").Average(row => row.Chunk(Side * Side).Select((channel, i) => Math.Abs(channel.Average() - Color[i])).Average()) / Color.Average(value => Math.Abs(value - 127.5)));

    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored)
    {
        var rows = Outcome.Rows(scored, "Styled");
        var down = rows.Average(row => Enumerable.Range(0, FeatureCount).Where(i => i / Side % Side < Side - 1).Average(i => Square(row[i + Side] - row[i])));
        var right = rows.Average(row => Enumerable.Range(0, FeatureCount).Where(i => i % Side < Side - 1).Average(i => Square(row[i + 1] - row[i])));
        return [("totalVariation", down + right, 1e-5)];

        static double Square(float difference) => difference / 255.0 * (difference / 255.0);
    }

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) =>
        PredictRows<StyledRow>(ml, model, rows, row => row.Styled);

    public override double? RateOf(Optimizer optimizer) => optimizer switch { AdadeltaOptimizer => 4, RmsPropOptimizer => 0.001, _ => null };

    protected override DataTrainingOptions CreateOptions() => new FastStyleTransferEstimator.Options
    {
        ImageShape = new ImageShape(3, Side, Side),
        StyleImages = [MLImage.CreateFromPixels(8, 8, MLPixelFormat.Rgba32, Enumerable.Repeat(Color.Append(byte.MaxValue), 64).SelectMany(pixel => pixel).ToArray())],
        WeightsPath = LossNetworkSample.Path,
        Architecture = LossNetworkSample.Network,
        ContentLayers = ["relu1_1"],
        StyleLayers = ["relu1_1"],
        ContentWeight = 0.01,
        TotalVariationWeight = 20,
        Width = 4,
        ResidualBlocks = 0,
        MirrorPictures = false,
        LearningRateSchedule = LearningRateSchedule.Constant(),
        Epochs = 15,
        BatchSize = 20,
        LearningRate = 0.03,
    };

    protected override void AddNoise(DataTrainingOptions options) => Of(options).MirrorPictures = true;

    protected override void SetColumns(DataTrainingOptions options) => Of(options).InputColumnName = nameof(Example.Features);

    private static FastStyleTransferEstimator.Options Of(DataTrainingOptions options) => (FastStyleTransferEstimator.Options)options;

    private sealed class StyledRow
    {
        public float[] Styled { get; set; } = [];
    }
}
