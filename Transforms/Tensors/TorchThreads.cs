using static TorchSharp.torch;

namespace MLExtensions.Tensors;

/// <summary>libtorch's number of threads, which belongs to the calling thread; put back when the scope ends.</summary>
/// <remarks>
/// A thread that is new to libtorch starts with the number that was set last, on whatever thread. While some thread is in a
/// scope, that number is a passing one: a new thread then gets the one from before.
/// </remarks>
internal readonly ref struct TorchThreads
{
    /// <summary>
    /// The multiply-adds below which one thread works alone: handing a small product to a second thread costs more than it saves,
    /// most of all where another process wants the core.
    /// </summary>
    private const double MultiplyAddsForThreads = 4e6;

    private static int s_open;
    private static volatile int s_settled;

    [ThreadStatic]
    private static bool t_known;

    private readonly int _before;

    private TorchThreads(int before) => _before = before;

    /// <summary>The calling thread's number.</summary>
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

    /// <summary>How many threads suit some work: one for little, else the calling thread's number.</summary>
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
