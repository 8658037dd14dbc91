using MLExtensions.Distribution;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Tests;

/// <summary>Ranks that are threads of this process: what they do together is tested without anything installed.</summary>
internal sealed class ThreadRanks(int count)
{
    private readonly Lock _lock = new();
    private readonly double[][] _values = new double[count][];
    private readonly byte[][] _bytes = new byte[count][];
    private readonly SemaphoreSlim[] _open = Enumerable.Range(0, count).Select(_ => new SemaphoreSlim(0)).ToArray();
    private int _arrived;
    private (int Rank, bool IsCancelled, string Reason)? _notice;

    /// <summary>Runs the same on all ranks. Throws what the lowest rank that failed has thrown, unless failures are wanted.</summary>
    public static T[] Run<T>(int count, Func<Distributed, T> body) =>
        Try(count, body).Select(result => result.Error == null ? result.Value! : throw new AggregateException(result.Error)).ToArray();

    /// <summary>Runs the same on all ranks, and returns what each has returned or thrown.</summary>
    public static (T? Value, Exception? Error)[] Try<T>(int count, Func<Distributed, T> body)
    {
        var ranks = new ThreadRanks(count);
        var results = new (T? Value, Exception? Error)[count];
        var threads = Enumerable.Range(0, count).Select(rank => new Thread(() =>
        {
            try
            {
                results[rank].Value = body(Distributed.Of(new Group(ranks, rank)));
            }
            catch (Exception e)
            {
                results[rank].Error = e;
            }
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        return results;
    }

    /// <summary>Waits until all have come.</summary>
    private void Meet(int rank, TimeSpan timeout)
    {
        lock (_lock)
        {
            if (_notice == null && ++_arrived == count)
            {
                _arrived = 0;
                foreach (var open in _open)
                    open.Release();
            }
        }
        if (!_open[rank].Wait(timeout))
            throw new TimeoutException($"Rank {rank} waited for the others in vain.");
        if (_notice is { } notice)
            throw Group.Of(notice.Rank, notice.IsCancelled, notice.Reason);
    }

    private void Tell(int rank, bool isCancelled, string reason)
    {
        lock (_lock)
        {
            _notice ??= (rank, isCancelled, reason);
            foreach (var open in _open)
                open.Release(2);
        }
    }

    private sealed class Group(ThreadRanks ranks, int rank) : ProcessGroup
    {
        public override int Rank => rank;

        public override int Size => ranks._values.Length;

        public static Exception Of(int rank, bool isCancelled, string reason) => NoticeOf(rank, isCancelled, reason);

        private protected override void SumOnHost(Span<double> values)
        {
            ranks._values[rank] = values.ToArray();
            ranks.Meet(rank, Timeout);
            var sum = new double[values.Length];
            foreach (var others in ranks._values)
            {
                for (var i = 0; i < sum.Length; i++)
                    sum[i] += others[i];
            }
            sum.CopyTo(values);
            ranks.Meet(rank, Timeout);
        }

        private protected override byte[] BroadcastOnHost(byte[] value, int root)
        {
            ranks._bytes[rank] = value;
            ranks.Meet(rank, Timeout);
            var all = ranks._bytes[root];
            ranks.Meet(rank, Timeout);
            return all;
        }

        private protected override double SumOnHost(Tensor values, double number, Precision precision)
        {
            var numbers = TensorMemory.Floats(values);
            var sums = new double[numbers.Length + 1];
            for (var i = 0; i < numbers.Length; i++)
                sums[i] = numbers[i];
            sums[^1] = number;
            SumOnHost(sums.AsSpan());
            for (var i = 0; i < numbers.Length; i++)
                numbers[i] = (float)sums[i];
            return sums[^1];
        }

        private protected override void Notify(bool isCancelled, string reason) => ranks.Tell(rank, isCancelled, reason);
    }
}
