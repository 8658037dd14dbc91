namespace MLExtensions;

/// <summary>Fills the options that the short overloads of all families have.</summary>
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

/// <summary>How the parameters of the short overloads become options.</summary>
internal static class MlpShortOverload
{
    public static TOptions Fill<TOptions>(TOptions options, string label, string features, int[]? hiddenLayers, int epochs, int batchSize, double learningRate)
        where TOptions : MlpOptions
    {
        if (hiddenLayers != null)
            options.HiddenLayers = hiddenLayers.Select(units => new HiddenLayer(units)).ToArray();
        return ShortOverload.Fill(options, label, features, epochs, batchSize, learningRate);
    }
}

/// <summary>How the parameters of the short overloads become options.</summary>
internal static class RecurrentShortOverload
{
    public static TOptions Fill<TOptions>(TOptions options, string label, string features, int hiddenUnits, RecurrentCell cell, int epochs, int batchSize, double learningRate)
        where TOptions : RecurrentOptions
    {
        options.HiddenUnits = hiddenUnits;
        options.Cell = cell;
        return ShortOverload.Fill(options, label, features, epochs, batchSize, learningRate);
    }
}

/// <summary>How the parameters of the short overloads become options.</summary>
internal static class ImageShortOverload
{
    public static TOptions Fill<TOptions>(TOptions options, string label, string features, IReadOnlyList<ImageLayer>? layers, int epochs, int batchSize, double learningRate)
        where TOptions : CnnOptions
    {
        if (layers != null)
            options.Layers = layers;
        return ShortOverload.Fill(options, label, features, epochs, batchSize, learningRate);
    }

    public static TOptions Fill<TOptions>(TOptions options, string label, string features, int depth, int epochs, int batchSize, double learningRate)
        where TOptions : ResNetOptions
    {
        options.Depth = depth;
        return ShortOverload.Fill(options, label, features, epochs, batchSize, learningRate);
    }
}
