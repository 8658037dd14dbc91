namespace MLExtensions;

/// <summary>What the short overloads of every family have in common.</summary>
internal static class ShortOverload
{
    public static TOptions Fill<TOptions>(TOptions options, string label, string features, int epochs, int batchSize, double learningRate)
        where TOptions : SupervisedTrainerOptions
    {
        options.LabelColumnName = label;
        options.FeatureColumnName = features;
        options.Epochs = epochs;
        options.BatchSize = batchSize;
        options.LearningRate = learningRate;
        return options;
    }
}
