using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Contract;

/// <summary>
/// A poet that writes again what its title is: the titles are the poems. Its options are those of its network, whose text column is that of the poems.
/// </summary>
internal sealed class QuatrainSubject(QuatrainArchitecture architecture) : TextSubject(architecture == QuatrainArchitecture.Plain ? "Quatrains" : "QuatrainLines")
{
    private const int Characters = 20;

    /// <summary>The first character is the class; each other follows from the one before it.</summary>
    private const string Rest = "天地玄黃，宇宙洪荒日。月盈昃辰宿，列張寒來暑。";

    private const string Firsts = "紅青白";

    /// <summary>The characters, the marks of form and lines, the end of a row, and what is none of them.</summary>
    private static readonly double Uniform = Math.Log(Characters - 1 + Firsts.Length + 6);

    /// <summary>Poem by poem, whatever is in the same block.</summary>
    public override bool ComputesRowByRow => true;

    public override string NoValidationRows => "validation";

    public override string[] ValueColumns => ["NewPoemLogProbability"];

    public override string[] OutputColumns => ["NewPoem", "NewPoemLogProbability"];

    protected override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> OwnBadOptions =>
    [
        ("ContextDropout", "1", o => Of(o).ContextDropout = 1),
        ("ValidationGroupColumnName", "null", o => Of(o).ValidationGroupColumnName = "Class"),
    ];

    public override Example[] Rows(int count, int seed = 1, int? width = null)
    {
        var rows = base.Rows(count, seed, width);
        foreach (var row in rows)
            row.Text = Firsts[(int)row.Class] + Rest;
        return rows;
    }

    public override Example MakeEqual(Example row)
    {
        var copy = row.Copy();
        copy.Text = Firsts[0] + Rest;
        return copy;
    }

    public override void SetFeatureColumn(DataTrainingOptions options, string column) => Of(options).TextColumnName = column;

    public override void SetEveryColumn(DataTrainingOptions options, string column) => SetFeatureColumn(options, column);

    public override IEstimator<ITransformer> CreateEstimator(MLContext ml, DataTrainingOptions options) => ml.LanguageModels.Trainers.Quatrains(options is null ? null! : new QuatrainEstimator.Options
    {
        Architecture = architecture,
        PoemColumnName = Of(options).TextColumnName,
        TitleColumnName = Of(options).TextColumnName,
        Network = Of(options),
        UseToneFeatures = false,
        Writing = new QuatrainOptions
        {
            LineLength = 5,
            KeepsPattern = false,
            KeepsRhyme = false,
            AllowsRepeatedCharacters = true,
            AllowsTrainingLines = true,
            BeamWidth = 1,
            Temperature = 0,
            KeywordBonus = 0,
            Seed = 1,
        },
    });

    public override TrainedModel Fit(IEstimator<ITransformer> estimator, IDataView train, IDataView validation) =>
        new(((QuatrainEstimator)estimator).Fit(train, validation));

    /// <summary>How sure the network is of what it writes: not at all where all tokens are as likely.</summary>
    public override double Quality(MLContext ml, IDataView scored) => 1 + (scored.GetColumn<float>("NewPoemLogProbability").Average() / Characters / Uniform);

    /// <summary>Of the plain network marks are measured in validation, too.</summary>
    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, IDataView scored) => [];

    public override IEnumerable<(string Metric, double Value, double Tolerance)> Evaluate(MLContext ml, TrainedModel model, IDataView data)
    {
        if (architecture == QuatrainArchitecture.Plain)
            return [];
        var measured = ((QuatrainTransformer)model.Transformer).Evaluate(data, withTitles: true);
        return [("loss", measured.CrossEntropy, 1e-4), ("perplexity", measured.Perplexity, 1e-3)];
    }

    public override float[] PredictRows(MLContext ml, ITransformer model, IEnumerable<Example> rows) =>
        PredictRows<PoemRow>(ml, model, rows, row => [row.NewPoemLogProbability]);

    protected override DataTrainingOptions CreateOptions() => new LanguageModelEstimator.Options
    {
        Tokenization = Tokenization.Characters(),
        NumberOfLayers = 1,
        HiddenUnits = 12,
        BatchSize = 20,
        Epochs = 12,
        LearningRate = 0.05,
    };

    protected override void AddNoise(DataTrainingOptions options)
    {
        Of(options).NumberOfLayers = 2;
        Of(options).Dropout = 0.1;
        Of(options).ContextDropout = 0.1;
    }

    private static LanguageModelEstimator.Options Of(DataTrainingOptions options) => (LanguageModelEstimator.Options)options;

    private sealed class PoemRow
    {
        public float NewPoemLogProbability { get; set; }
    }
}
