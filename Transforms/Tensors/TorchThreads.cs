using static TorchSharp.torch;

namespace MLExtensions.Tensors;

/// <summary>Sets libtorch's number of threads, which belongs to the calling thread, and restores it when the scope ends.</summary>
/// <remarks>
/// A thread that is new to libtorch starts with the number that was set last on any thread. While a thread is in a scope that number is
/// temporary, so a new thread gets the previous one.
/// </remarks>
internal readonly ref struct TorchThreads
{
    /// <summary>
    /// Below this number of multiply-adds one thread works alone: a second thread for a small product costs more than it saves, especially
    /// if another process uses the core. Measured with perceptrons, LeNet-5 and LSTMs: around it two threads are as fast as one.
    /// </summary>
    public const double MultiplyAddsForThreads = 5e7;

    private static int s_open;
    private static volatile int s_settled;

    [ThreadStatic]
    private static bool t_known;

    private readonly int _before;

    private TorchThreads(int before) => _before = before;

    /// <summary>The number of the calling thread.</summary>
    public static int Current
    {
        get
        {
            if (!t_known)
            {
                t_known = true;
                if (Volatile.Read(ref s_open) > 0 && s_settled > 0)
                    set_num_threads(s_settled);
            }
            return get_num_threads();
        }
    }

    /// <summary>
    /// Returns the number of threads for an amount of work: one for little work, otherwise the number of the calling thread.
    /// </summary>
    public static int CountFor(double multiplyAdds) => multiplyAdds < MultiplyAddsForThreads ? 1 : Current;

    public static TorchThreads Use(int count)
    {
        var before = Current;
        if (Interlocked.Increment(ref s_open) == 1)
            s_settled = before;
        if (count != before)
            set_num_threads(count);
        return new TorchThreads(before);
    }

    public void Dispose()
    {
        if (get_num_threads() != _before)
            set_num_threads(_before);
        Interlocked.Decrement(ref s_open);
    }
}
