namespace MLExtensions.Examples.LanguageModels;

/// <summary>The language models that the example shakespeare can train.</summary>
internal static class ShakespeareNetworks
{
    public const string Small = "small";
    public const string Large = "large";

    public static IReadOnlyList<string> Names => [Small, Large];

    public static LanguageModelEstimator.Options Create(string size) => size switch
    {
        Small => LanguageModelEstimator.Options.Characters(),
        Large => CreateLarge(),
        _ => throw new ArgumentOutOfRangeException(nameof(size), size, "No such network."),
    };

    /// <summary>A larger network memorizes a million characters unless its dropout is strong. Its results have not been measured.</summary>
    private static LanguageModelEstimator.Options CreateLarge()
    {
        var options = LanguageModelEstimator.Options.Characters();
        options.HiddenUnits = 512;
        options.Dropout = 0.4;
        options.WindowLength = 100;
        options.LearningRate = 0.002;
        options.Epochs = 20;
        return options;
    }
}
