namespace MLExtensions;

/// <summary>How the parameters of the short overloads become options.</summary>
internal static class LstmShortOverload
{
    public static TOptions Fill<TOptions>(TOptions options, string label, string features, int hiddenUnits, int epochs, int batchSize, double learningRate)
        where TOptions : LstmOptions
    {
        options.HiddenUnits = hiddenUnits;
        return ShortOverload.Fill(options, label, features, epochs, batchSize, learningRate);
    }
}
