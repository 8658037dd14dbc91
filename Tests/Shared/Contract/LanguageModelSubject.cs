using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>A language model over characters: after the first letter of a row there is no doubt.</summary>
/// <param name="name">The name.</param>
/// <param name="independentRows">Whether rows have nothing to do with each other; tokens have features then.</param>
internal sealed class LanguageModelSubject(string name = "LanguageModel", bool independentRows = false) : TextSubject(name)
{
    public override string NoRows => "0 tokens";

    public override string NoValidationRows => "validation text";

    /// <summary>A letter that occurs once is no token.</summary>
    public override int MinimumRows => 2;

    /// <summary>One window over the whole text.</summary>
    public override void MakeOneBatch(DataTrainingOptions options, int rows)
    {
        Of(options).WindowLength = rows * RowTokens;
        if (independentRows)
            options.BatchSize = rows;
    }

    public override string[] ValueColumns => ["LogProbability", "Perplexity"];

    public override string[] OutputColumns => ["LogProbability", "Tokens", "Perplexity"];

    protected override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> OwnBadOptions =>
    [
        ("TextColumnName", "empty", o => Of(o).TextColumnName = " "),
        ("WindowLength", "0", o => Of(o).WindowLength = 0),
        ("ContextColumnName", "empty", o => Of(o).ContextColumnName = " "),
        ("ContextDropout", "1", o => Of(o).ContextDropout = 1),
    ];

    public override void SetFeatureColumn(DataTrainingOptions options, string column) => Of(options).TextColumnName = column;

    public override void SetEveryColumn(DataTrainingOptions options, string column) => SetFeatureColumn(options, column);

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => ml.LanguageModels.Trainers.Lstm(Of(options));

    public override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) =>
        new(((LanguageModelEstimator)estimator).Fit(train, validation));

    /// <summary>How much of what can be known of a letter is known: nothing where all tokens are as likely, all where only the class is in doubt.</summary>
    public override double Quality(MLContext ml, IDataView scored)
    {
        var loss = -scored.GetColumn<float>("LogProbability").Average() / RowTokens;
        var (most, least) = (Math.Log(VocabularySize), Math.Log(Example.ClassCount) / RowTokens);
        return (most - loss) / (most - least);
    }

    /// <summary>In validation the state goes on from row to row; the transformer judges each row on its own.</summary>
    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored) => [];

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) =>
        PredictRows<TextRow>(ml, model, rows, row => [row.LogProbability, row.Perplexity]);

    protected override DataTrainingOptions CreateOptions() => new LanguageModelEstimator.Options
    {
        Tokenization = Tokenization.Characters(minimumCount: 2),
        NumberOfLayers = 1,
        HiddenUnits = 12,
        // The transformer judges rows on their own: what was before them had better be forgotten, and texts that begin with the end of a row be known.
        ForgetBias = -2,
        WindowLength = 13,
        BatchSize = 30,
        Epochs = 15,
        LearningRate = 0.05,
        IndependentRows = independentRows,
        TieEmbeddings = independentRows,
        TokenFeatures = independentRows ? token => char.IsLetter(token[0]) ? ["letter"] : [] : null,
    };

    protected override void AddNoise(DataTrainingOptions options)
    {
        Of(options).NumberOfLayers = 2;
        Of(options).Dropout = 0.1;
    }

    private static LanguageModelEstimator.Options Of(DataTrainingOptions options) => (LanguageModelEstimator.Options)options;

    private sealed class TextRow
    {
        public float LogProbability { get; set; }

        public float Perplexity { get; set; }
    }
}
