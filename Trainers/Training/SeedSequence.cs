namespace MLExtensions.Training;

/// <summary>
/// Independent seeds from one: each use and epoch has its own, so that an epoch's random numbers do not depend on what was drawn
/// before it, and a resumed training draws what an uninterrupted one would have drawn.
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
