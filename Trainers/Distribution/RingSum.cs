using System.Runtime.InteropServices;

namespace MLExtensions.Distribution;

/// <summary>
/// Long sums over processes, each of which adds one part and hands the others on to the next one (ring all-reduce, Patarasuk and Yuan, 2009). Open
/// MPI's sums that do not block take three times as long within a machine, and those that block wait for ever for a process that hangs.
/// </summary>
/// <param name="mpi">The library.</param>
/// <param name="rank">The number of this process.</param>
/// <param name="size">The number of processes.</param>
/// <param name="wait">Waits for an operation.</param>
internal sealed unsafe class RingSum(MpiLibrary mpi, int rank, int size, Action<nint> wait)
{
    /// <summary>The shortest sums that are faster so.</summary>
    public const int Least = 1 << 16;

    private const int Tag = 72;

    // Never freed: an operation of a broken training may still write into it.
    private byte* _received;
    private long _capacity;

    public delegate void AddTo<T>(ReadOnlySpan<T> values, Span<T> sums);

    /// <summary>Sums numbers in place. All processes get the same bits: each part is added in one order.</summary>
    public void Sum<T>(T* values, int count, AddTo<T> add)
        where T : unmanaged
    {
        var (next, before) = ((rank + 1) % size, (rank + size - 1) % size);
        var longest = (count + size - 1) / size;
        Reserve((long)longest * sizeof(T));
        for (var step = 0; step < 2 * (size - 1); step++)
        {
            var (sent, taken) = (Part(rank - step), Part(rank - step - 1));
            var isAdding = step < size - 1; // afterwards sums go around
            var target = isAdding ? _received : (byte*)(values + taken.First);
            var receiving = mpi.BeginReceive(target, taken.Count * sizeof(T), before, Tag);
            wait(mpi.BeginSend((byte*)(values + sent.First), sent.Count * sizeof(T), next, Tag));
            wait(receiving);
            if (isAdding)
                add(new ReadOnlySpan<T>(_received, taken.Count), new Span<T>(values + taken.First, taken.Count));
        }

        (int First, int Count) Part(int number)
        {
            var first = (int)Math.Min(count, (long)longest * (((number % size) + size) % size));
            return (first, Math.Min(longest, count - first));
        }
    }

    private void Reserve(long bytes)
    {
        if (bytes <= _capacity)
            return;
        _received = (byte*)NativeMemory.Alloc((nuint)bytes);
        _capacity = bytes;
    }
}
