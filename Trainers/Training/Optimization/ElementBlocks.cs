namespace MLExtensions.Training;

/// <summary>Splits a pass over elements into blocks that threads take one by one. The blocks depend on the length alone,
/// so that what is computed per block is the same whatever the number of threads.</summary>
internal static class ElementBlocks
{
    /// <summary>Small enough that a thread which comes late or is interrupted costs little.</summary>
    public const int Size = 1 << 15;

    /// <summary>Below this many elements a second thread saves too little (8 % at 1.9 million, 30 % at 20 million) for what
    /// it costs where the cores are busy.</summary>
    public const long Threshold = 1 << 22;

    public static int Count(long length) => checked((int)((length + Size - 1) / Size));

    /// <summary>Calls <paramref name="body"/> with index, start and end of each block.</summary>
    public static void Run(long length, int threads, Action<int, long, long> body)
    {
        int count = Count(length);
        void One(int block) => body(block, (long)block * Size, Math.Min(length, (block + 1L) * Size));

        if (threads == 1 || length < Threshold)
        {
            for (int block = 0; block < count; block++)
                One(block);
        }
        else
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, One);
        }
    }
}
