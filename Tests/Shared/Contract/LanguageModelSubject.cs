using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>A language model over characters: after the first letter of a row there is no doubt.</summary>
/// <param name="name">The name.</param>
/// <param name="independentRows">Whether rows have nothing to do with each other; tokens have features then.</param>
internal sealed class LanguageModelSubject(string name = "LanguageModel", bool independentRows = false) : TrainingSubject(name)
{
    /// <summary>Six letters, the end of a row, and what is none of them.</summary>
    private const int VocabularySize = 8;

    /// <summary>Four letters and the end of a row.</summary>
    private const int RowTokens = 5;

    public override string InputColumn => nameof(Example.Text);

    public override bool ReadsVectors => false;

    /// <summary>Rare letters have a token, too.</summary>
    public override bool TakesAnyValue => true;

    public override bool RowsAreExamples => false;

    public override bool KeepsTokens => true;

    public override bool TakesOneFeature => false;

    public override bool TakesAnyLength => true;

    public override string NoRows => "0 tokens";

    public override string NoValidationRows => "validation text";

    /// <summary>One window over the whole text.</summary>
    public override void MakeOneBatch(DataTrainingOptions options, int rows)
    {
        Of(options).WindowLength = rows * RowTokens;
        if (independentRows)
            options.BatchSize = rows;
    }

    public override string[] ValueColumns => ["LogProbability", "Perplexity"];

    public override string[] OutputColumns => ["LogProbability", "Tokens", "Perplexity"];

    public override string[] TrainingMetrics => ["loss", "perplexity"];

    public override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> BadOptions =>
    [
        ("TextColumnName", "empty", o => Of(o).TextColumnName = " "),
        ("NumberOfLayers", "0", o => Of(o).NumberOfLayers = 0),
        ("HiddenUnits", "0", o => Of(o).HiddenUnits = 0),
        ("EmbeddingSize", "0", o => Of(o).EmbeddingSize = 0),
        ("WindowLength", "0", o => Of(o).WindowLength = 0),
        ("Dropout", "1", o => Of(o).Dropout = 1),
        ("NumberOfSampledTokens", "0", o => Of(o).NumberOfSampledTokens = 0),
        ("InitialScale", "0", o => Of(o).InitialScale = 0),
        ("ForgetBias", "NaN", o => Of(o).ForgetBias = double.NaN),
        ("Cell", "9", o => Of(o).Cell = (RecurrentCell)9),
        ("OutputPrecision", "9", o => Of(o).OutputPrecision = (Precision)9),
        ("ContextColumnName", "empty", o => Of(o).ContextColumnName = " "),
        ("ContextDropout", "1", o => Of(o).ContextDropout = 1),
    ];

    public override Example MakeEqual(Example row)
    {
        var copy = row.Copy();
        copy.Text = "rrrr";
        return copy;
    }

    public override Example Spoil(Example row, int slot, float value) => row;

    public override (Example First, Example Second) Exchange(Example first, Example second)
    {
        var (a, b) = (first.Copy(), second.Copy());
        (a.Text, b.Text) = (b.Text, a.Text);
        return (a, b);
    }

    public override int ChangeArchitecture(DataTrainingOptions options)
    {
        Of(options).HiddenUnits = 7;
        return FeatureCount;
    }

    public override void SetFeatureColumn(DataTrainingOptions options, string column) => Of(options).TextColumnName = column;

    public override void SetEveryColumn(DataTrainingOptions options, string column) => SetFeatureColumn(options, column);

    /// <summary>Text is never shuffled.</summary>
    public override void SetShuffleBuffer(DataTrainingOptions options, int rows)
    {
    }

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => ml.LanguageModels.Trainers.Lstm(Of(options));

    public override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) =>
        new(((LanguageModelEstimator)estimator).Fit(train, validation));

    public override IEstimator<ITransformer> Normalizer(MLContext ml) => ml.Transforms.CopyColumns("Copy", nameof(Example.Text));

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

    /// <summary>Adadelta's first steps are a thousandth of it.</summary>
    public override double? RateOf(Optimizer optimizer) => optimizer is AdadeltaOptimizer ? 10 : null;

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

    protected override void SetColumns(DataTrainingOptions options) => SetFeatureColumn(options, nameof(Example.Text));

    private static LanguageModelEstimator.Options Of(DataTrainingOptions options) => (LanguageModelEstimator.Options)options;

    private sealed class TextRow
    {
        public float LogProbability { get; set; }

        public float Perplexity { get; set; }
    }
}
