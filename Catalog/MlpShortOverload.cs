namespace MLExtensions;

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
