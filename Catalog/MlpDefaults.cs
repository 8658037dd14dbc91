namespace MLExtensions;

/// <summary>What the short overloads leave at its default, and how they become options.</summary>
internal static class MlpDefaults
{
    public const int Epochs = 50;
    public const int BatchSize = 32;
    public const double LearningRate = 0.001;

    public static TOptions Fill<TOptions>(TOptions options, string label, string features, int[]? hiddenLayers, int epochs, int batchSize, double learningRate)
        where TOptions : MlpOptions
    {
        options.LabelColumnName = label;
        options.FeatureColumnName = features;
        options.Epochs = epochs;
        options.BatchSize = batchSize;
        options.LearningRate = learningRate;
        if (hiddenLayers != null)
            options.HiddenLayers = hiddenLayers.Select(units => new HiddenLayer(units)).ToArray();
        return options;
    }
}
