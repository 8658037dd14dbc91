namespace MLExtensions.Training;

/// <summary>
/// Derives independent seeds from one: each use and each epoch has its own. The random numbers of an epoch therefore do not depend on what
/// was drawn before, and a resumed training draws the same numbers as an uninterrupted one.
/// </summary>
internal static class SeedSequence
{
    public const int Initialization = 1;
    public const int Shuffle = 2;
    public const int Dropout = 3;
    public const int ValidationSplit = 4;
    public const int Augmentation = 5;
    public const int NumberOfSampledTokens = 6;
    public const int BatchOrder = 7;
    public const int UnitSamples = 8;

    public static ulong Derive(int seed, int purpose, int epoch = 0)
    {
        var random = new SplitMix64(unchecked((uint)seed) | ((ulong)(uint)purpose << 32));
        return random.Next() ^ new SplitMix64(unchecked((ulong)epoch * 0x9E3779B97F4A7C15ul)).Next();
    }
}
