using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>A recurrent network that reads texts letter by letter, and whose options are those of all such networks and some of its own.</summary>
internal abstract class TextSubject(string name) : TrainingSubject(name)
{
    /// <summary>Six letters, the end of a row, and what is none of them.</summary>
    protected const int VocabularySize = 8;

    /// <summary>Four letters and the end of a row.</summary>
    protected const int RowTokens = 5;

    public sealed override string InputColumn => nameof(Example.Text);

    public sealed override bool ReadsVectors => false;

    /// <summary>Rare letters have a token, too.</summary>
    public sealed override bool TakesAnyValue => true;

    public sealed override bool RowsAreExamples => false;

    public sealed override bool KeepsTokens => true;

    public sealed override bool TakesOneFeature => false;

    public sealed override bool TakesAnyLength => true;

    public sealed override string[] TrainingMetrics => ["loss", "perplexity"];

    public sealed override IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> BadOptions =>
    [
        .. OwnBadOptions,
        Bad("NumberOfLayers", 0),
        Bad("HiddenUnits", 0),
        Bad("EmbeddingSize", 0),
        Bad("Dropout", 1.0, "1"),
        Bad("NumberOfSampledTokens", 0),
        Bad("InitialScale", 0.0, "0"),
        Bad("ForgetBias", double.NaN, "NaN"),
        Bad("Cell", (RecurrentCell)9),
        Bad("OutputPrecision", (Precision)9),
    ];

    /// <summary>Those that the others do not have.</summary>
    protected abstract IEnumerable<(string Option, string Value, Action<DataTrainingOptions> Set)> OwnBadOptions { get; }

    public override Example MakeEqual(Example row)
    {
        var copy = row.Copy();
        copy.Text = "rrrr";
        return copy;
    }

    public sealed override Example Spoil(Example row, int slot, float value) => row;

    public sealed override (Example First, Example Second) Exchange(Example first, Example second)
    {
        var (a, b) = (first.Copy(), second.Copy());
        (a.Text, b.Text) = (b.Text, a.Text);
        return (a, b);
    }

    public sealed override int ChangeArchitecture(DataTrainingOptions options)
    {
        Set(options, "HiddenUnits", 7);
        return FeatureCount;
    }

    /// <summary>Texts are read once; their tokens are kept.</summary>
    public sealed override void SetShuffleBuffer(DataTrainingOptions options, int rows)
    {
    }

    public sealed override IEstimator<ITransformer> Normalizer(MLContext ml) => ml.Transforms.CopyColumns("Copy", nameof(Example.Text));

    /// <summary>Adadelta's first steps are a thousandth of it.</summary>
    public sealed override double? RateOf(Optimizer optimizer) => optimizer is AdadeltaOptimizer ? 10 : null;

    protected sealed override void SetColumns(DataTrainingOptions options) => SetEveryColumn(options, nameof(Example.Text));

    private static (string, string, Action<DataTrainingOptions>) Bad(string option, object value, string? said = null) => (option, said ?? $"{value}", o => Set(o, option, value));

    /// <summary>The options of language models and of pairs have the same names, but no type in common that has them.</summary>
    private static void Set(DataTrainingOptions options, string option, object value) => options.GetType().GetProperty(option)!.SetValue(options, value);
}
