namespace MLExtensions.Loading;

/// <summary>The rows of one cursor of a set: every so many-th run of a few rows, so that ML.NET can put the rows in order again.</summary>
internal readonly record struct RowShare(int Index, int Count)
{
    private const int RunLength = 16;

    public int First => Index * RunLength;

    public int Next(int place) => (place + 1) % RunLength != 0 ? place + 1 : place + 1 + (RunLength * (Count - 1));

    /// <summary>The number of the run, over all cursors.</summary>
    public static long Batch(int place) => place / RunLength;
}
