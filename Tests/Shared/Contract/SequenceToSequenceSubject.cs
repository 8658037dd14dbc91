using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>A network that says again what it reads, letter by letter.</summary>
internal sealed class SequenceToSequenceSubject() : TextSubject("SequenceToSequence")
{
    public override string[] ValueColumns => ["AnswerLogProbability", "TextLogProbability"];

    public override string[] OutputColumns => ["Answer", "AnswerLogProbability", "TextLogProbability", "TextTokens"];

    protected override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> OwnBadOptions =>
    [
        ("SourceColumnName", "empty", o => Of(o).SourceColumnName = " "),
        ("TargetColumnName", "empty", o => Of(o).TargetColumnName = " "),
        ("OutputColumnName", "empty", o => Of(o).OutputColumnName = " "),
        ("MaximumSourceTokens", "0", o => Of(o).MaximumSourceTokens = 0),
        ("MaximumTargetTokens", "0", o => Of(o).MaximumTargetTokens = 0),
        ("LongSourceHandling", "9", o => Of(o).LongSourceHandling = (LongSequenceHandling)9),
        ("Attention", "9", o => Of(o).Attention = (AttentionKind)9),
        ("CopyWords", "Luong", o => (Of(o).CopyWords, Of(o).Attention) = (true, AttentionKind.None)),
        ("NumberOfSampledTokens", "CopyWords", o => (Of(o).CopyWords, Of(o).NumberOfSampledTokens) = (true, 5)),
        ("TeacherForcing.share", "1.5", o => Of(o).TeacherForcing = TeacherForcing.Constant(1.5)),
        ("TeacherForcing.last", "-1", o => Of(o).TeacherForcing = TeacherForcing.Linear(1, -1)),
        ("TeacherForcing.k", "0", o => Of(o).TeacherForcing = TeacherForcing.InverseSigmoid(0)),
        ("BeamWidth", "0", o => Of(o).Decoding = new DecodingOptions { BeamWidth = 0 }),
    ];

    public override void SetFeatureColumn(DataTrainingOptions options, string column) => Of(options).SourceColumnName = column;

    public override void SetEveryColumn(DataTrainingOptions options, string column) => (Of(options).SourceColumnName, Of(options).TargetColumnName) = (column, column);

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => ml.SequenceToSequence.Trainers.Lstm(Of(options));

    public override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) =>
        new(((SequenceToSequenceEstimator)estimator).Fit(train, validation));

    /// <summary>How much of what can be known of a letter is known: nothing where all tokens are as likely.</summary>
    public override double Quality(MLContext ml, IDataView scored)
    {
        var loss = -scored.GetColumn<float>("TextLogProbability").Average() / RowTokens;
        return 1 - (loss / Math.Log(VocabularySize));
    }

    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored)
    {
        var loss = -scored.GetColumn<float>("TextLogProbability").Sum(value => (double)value) / scored.GetColumn<int>("TextTokens").Sum();
        return [("loss", loss, 1e-4), ("perplexity", Math.Exp(loss), 1e-4)];
    }

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) =>
        PredictRows<AnswerRow>(ml, model, rows, row => [row.AnswerLogProbability, row.TextLogProbability]);

    protected override DataTrainingOptions CreateOptions() => new SequenceToSequenceEstimator.Options
    {
        Tokenization = Tokenization.Characters(minimumCount: 2),
        HiddenUnits = 12,
        BatchSize = 20,
        Epochs = 12,
        LearningRate = 0.02,
        Decoding = new DecodingOptions { AddLogProbabilities = true },
    };

    protected override void AddNoise(DataTrainingOptions options)
    {
        Of(options).NumberOfLayers = 2;
        Of(options).Dropout = 0.1;
        Of(options).TeacherForcing = TeacherForcing.Constant(0.8);
    }

    private static SequenceToSequenceEstimator.Options Of(DataTrainingOptions options) => (SequenceToSequenceEstimator.Options)options;

    private sealed class AnswerRow
    {
        public float AnswerLogProbability { get; set; }

        public float TextLogProbability { get; set; }
    }
}
