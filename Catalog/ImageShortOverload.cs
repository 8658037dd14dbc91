namespace MLExtensions;

/// <summary>How the parameters of the short overloads become options.</summary>
internal static class ImageShortOverload
{
    public static TOptions Fill<TOptions>(TOptions options, string label, string features, IReadOnlyList<NetworkLayer>? layers, int epochs, int batchSize, double learningRate)
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
