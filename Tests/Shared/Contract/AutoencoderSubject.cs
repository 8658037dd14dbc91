using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

internal sealed class AutoencoderSubject() : CodeSubject("Autoencoder")
{
    public override string[] OutputColumns => ["Code", "Reconstruction"];

    public override string[] TrainingMetrics => ["loss", "mse"];

    public override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> BadOptions =>
    [
        ("InputColumnName", "empty", o => Of(o).InputColumnName = " "),
        ("OutputColumnName", "empty", o => Of(o).OutputColumnName = ""),
        ("ReconstructionColumnName", "empty", o => Of(o).ReconstructionColumnName = " "),
        ("HiddenLayers[1]", "0", o => Of(o).HiddenLayers = [3, 0]),
        ("LatentSize", "0", o => Of(o).LatentSize = 0),
        ("Output", "9", o => Of(o).Output = (AutoencoderOutput)9),
        ("ShuffleBufferRows", "0", o => Of(o).ShuffleBufferRows = 0),
    ];

    public override int ChangeArchitecture(DataTrainingOptions options)
    {
        Of(options).LatentSize = 5;
        return FeatureCount;
    }

    public override void SetFeatureColumn(DataTrainingOptions options, string column) => Of(options).InputColumnName = column;

    public override void SetShuffleBuffer(DataTrainingOptions options, int rows) => Of(options).ShuffleBufferRows = rows;

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => ml.Transforms.Autoencoder(Of(options));

    public override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) =>
        new(((AutoencoderEstimator)estimator).Fit(train, validation));

    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored) =>
        [("mse", Errors(Outcome.Rows(scored, nameof(Example.Features)), Outcome.Rows(scored, "Reconstruction")).Average(), 1e-5)];

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) =>
        PredictRows<CodeRow>(ml, model, rows, row => row.Code.Concat(row.Reconstruction));

    public override double? RateOf(Optimizer optimizer) => optimizer is AdadeltaOptimizer ? 4 : null;

    protected override DataTrainingOptions CreateOptions() => new AutoencoderEstimator.Options
    {
        HiddenLayers = [12],
        LatentSize = 4,
        Output = AutoencoderOutput.Gaussian, // whose loss can become 0
        ReconstructionColumnName = "Reconstruction",
        Epochs = 15,
        BatchSize = 10,
        LearningRate = 0.02,
    };

    /// <summary>There is nothing random in the training, and no state beside the weights.</summary>
    protected override void AddNoise(DataTrainingOptions options)
    {
    }

    protected override void SetColumns(DataTrainingOptions options) => (Of(options).InputColumnName, Of(options).OutputColumnName) = (nameof(Example.Features), "Code");

    private static AutoencoderEstimator.Options Of(DataTrainingOptions options) => (AutoencoderEstimator.Options)options;

    private sealed class CodeRow
    {
        public float[] Code { get; set; } = [];

        public float[] Reconstruction { get; set; } = [];
    }
}
