using static TorchSharp.torch;

namespace MLExtensions.Tensors;

/// <summary>libtorch's number of threads, which belongs to the calling thread; put back when the scope ends.</summary>
internal readonly ref struct TorchThreads
{
    /// <summary>
    /// The multiply-adds below which one thread works alone: handing a small product to a second thread costs more than it saves,
    /// most of all where another process wants the core.
    /// </summary>
    private const double MultiplyAddsForThreads = 4e6;

    private readonly int _before;

    private TorchThreads(int before) => _before = before;

    /// <summary>How many threads suit some work.</summary>
    public static int CountFor(double multiplyAdds) => multiplyAdds < MultiplyAddsForThreads ? 1 : get_num_threads();

    public static TorchThreads Use(int count)
    {
        var before = get_num_threads();
        if (count != before)
            set_num_threads(count);
        return new TorchThreads(before);
    }

    public void Dispose()
    {
        if (get_num_threads() != _before)
            set_num_threads(_before);
    }
}
