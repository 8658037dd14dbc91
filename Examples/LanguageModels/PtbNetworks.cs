namespace MLExtensions.Examples.LanguageModels;

/// <summary>The language models that the example ptb can train.</summary>
internal static class PtbNetworks
{
    public const string Small = "small";
    public const string Medium = "medium";
    public const string Large = "large";
    public const string Best = "best";

    public static IReadOnlyList<string> Names => [Small, Medium, Large, Best];

    public static LanguageModelEstimator.Options Create(string size) => size switch
    {
        Small => LanguageModelEstimator.Options.Small(),
        Medium => LanguageModelEstimator.Options.Medium(),
        Large => LanguageModelEstimator.Options.Large(),
        Best => CreateBest(),
        _ => throw new ArgumentOutOfRangeException(nameof(size), size, "No such network."),
    };

    /// <summary>
    /// The best use of an hour of one core: dropout lets a wider network than the small one continue to learn, the embedding as
    /// output layer (Press and Wolf, 2017; Inan et al., 2017) halves the number of weights, and the sampled softmax makes it no slower.
    /// </summary>
    private static LanguageModelEstimator.Options CreateBest() => new()
    {
        HiddenUnits = 300,
        TieEmbeddings = true,
        Dropout = 0.3,
        NumberOfSampledTokens = 2000,
        WindowLength = 35,
        Optimizer = new SgdOptimizer(),
        LearningRate = 20,
        LearningRateSchedule = LearningRateSchedule.Cosine(warmupEpochs: 0.3),
        GradientClipNorm = 0.25,
        Epochs = 11,
    };
}
