using Microsoft.ML;

namespace MLExtensions.Tests.LanguageModels;

/// <summary>A row of text.</summary>
internal sealed class LanguageSample
{
    public string Text { get; set; } = "";

    public float Number { get; set; }

    /// <summary>Rows that go through the alphabet's first letters over and over: after the first letter there is no doubt.</summary>
    public static string[] Cycles(int count) =>
        Enumerable.Range(0, count).Select(i => string.Concat(Enumerable.Range(i % 5, 12).Select(j => (char)('a' + (j % 5))))).ToArray();

    /// <summary>Rows without an order, of different lengths; some are empty.</summary>
    public static string[] Noise(int count, int maximumLength = 40)
    {
        var random = new Random(TestSeed.Of(5));
        return Enumerable.Range(0, count).Select(_ => string.Concat(Enumerable.Range(0, random.Next(maximumLength + 1)).Select(_ => (char)('a' + random.Next(5))))).ToArray();
    }

    public static IDataView View(MLContext ml, params IEnumerable<string> texts) =>
        ml.Data.LoadFromEnumerable(texts.Select((text, i) => new LanguageSample { Text = text, Number = i }));

    /// <summary>A tiny network over characters that trains in a second.</summary>
    public static LanguageModelEstimator.Options Options(Action<LanguageModelEstimator.Options>? change = null)
    {
        var options = new LanguageModelEstimator.Options
        {
            Tokenization = Tokenization.Characters(allowUnknown: false),
            HiddenUnits = 16,
            WindowLength = 13,
            BatchSize = 4,
            Epochs = 6,
            LearningRate = 0.02,
            Seed = TestSeed.Of(3),
            ThreadCount = 1,
        };
        change?.Invoke(options);
        return options;
    }

    public static LanguageModelTransformer Fit(MLContext ml, IEnumerable<string> texts, Action<LanguageModelEstimator.Options>? change = null) =>
        ml.LanguageModels.Trainers.Lstm(Options(change)).Fit(View(ml, texts));

    /// <summary>All weights, in the order of their names.</summary>
    public static float[] Weights(LanguageModelTransformer model) =>
        model.Model.WeightShapes.Keys.Order(StringComparer.Ordinal).SelectMany(model.Model.GetWeights).ToArray();

    public static LanguageScore[] Scores(MLContext ml, IDataView scored) => ml.Data.CreateEnumerable<LanguageScore>(scored, reuseRowObject: false).ToArray();
}

/// <summary>What the transformer says of a row.</summary>
internal sealed class LanguageScore
{
    public float LogProbability { get; set; }

    public int Tokens { get; set; }

    public float Perplexity { get; set; }
}
