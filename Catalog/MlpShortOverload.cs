namespace MLExtensions;

/// <summary>How the parameters of the short overloads become options.</summary>
internal static class MlpShortOverload
{
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
