using System.Runtime.ExceptionServices;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Distribution;

/// <summary>
/// The processes that train one network together. All of them call the same members in the same order. One that fails tells the others, so that
/// none waits for it.
/// </summary>
internal abstract class ProcessGroup
{
    private const int LongestCall = 128;

    private string? _broken;
    private bool _isRunning;
    private bool _isApart;
    private int _thread;
    private ExceptionDispatchInfo? _failure;

    public abstract int Rank { get; }

    public abstract int Size { get; }

    /// <summary>How long the others are waited for. Set at the beginning of a training; seeds are shared before.</summary>
    public TimeSpan Timeout { get; private set; } = Distributed.UsualTimeout;

    /// <summary>What sums tensors on GPUs; null for host memory.</summary>
    internal NcclSum? OnDevice { get; set; }

    /// <summary>Runs a training. If it fails here, it fails in all processes.</summary>
    /// <param name="call">What it is, in words: it must be the same on all ranks.</param>
    /// <param name="timeout">How long the others are waited for.</param>
    /// <param name="training">The training.</param>
    /// <exception cref="DistributedException">It failed in another process, or another process does something else.</exception>
    public T Run<T>(string call, TimeSpan timeout, Func<T> training)
    {
        CheckTogether();
        if (_isRunning)
            return training();
        if (_broken != null)
            throw new DistributedException($"The ranks are no longer together since a training of theirs ended early ({_broken}). End the processes and start them again.");
        (_isRunning, _thread, Timeout) = (true, Environment.CurrentManagedThreadId, timeout);
        try
        {
            CheckCall(call);
            var result = training();
            Sum([0.0]); // nobody goes on before all have a result
            OnDevice?.Dispose();
            return result;
        }
        catch (Exception e)
        {
            _broken = e.Message;
            if (e is not DistributedException and not OtherRankCancelledException)
                Notify(e is OperationCanceledException, e.Message);
            OnDevice?.Abort();
            throw;
        }
        finally
        {
            (_isRunning, OnDevice) = (false, null);
        }
    }

    /// <summary>Computes each item in one process, and returns the results of all, in order. There is no limit of time.</summary>
    /// <param name="call">What is computed, in words: it must be the same on all ranks.</param>
    /// <param name="count">The number of items.</param>
    /// <param name="compute">Computes one.</param>
    /// <exception cref="DistributedException">A rank does something else, or failed.</exception>
    public byte[][] Map(string call, int count, Func<int, byte[]> compute) => Run(call, System.Threading.Timeout.InfiniteTimeSpan, () =>
    {
        var own = new byte[count][];
        _isApart = true;
        try
        {
            for (var i = Rank; i < count; i += Size)
                own[i] = compute(i);
        }
        finally
        {
            _isApart = false;
        }
        return Enumerable.Range(0, count).Select(i => Broadcast(own[i] ?? [], i % Size)).ToArray();
    });

    /// <summary>Sums a flat, contiguous float32 tensor over all processes, in place.</summary>
    public void Sum(Tensor values)
    {
        ThrowFailure();
        if (!SumOnDevice(values))
            Sum(values, 0, Precision.Float32);
    }

    /// <summary>Sums a flat, contiguous float32 tensor over all processes, in place, and a number.</summary>
    /// <param name="values">The tensor.</param>
    /// <param name="number">The number.</param>
    /// <param name="precision">The format in which the tensor travels; from GPU to GPU it is always 32 bits.</param>
    /// <returns>The sum of the numbers.</returns>
    public double Sum(Tensor values, double number, Precision precision)
    {
        ThrowFailure();
        if (SumOnDevice(values))
        {
            Span<double> numbers = [number];
            SumOnHost(numbers);
            return numbers[0];
        }
        using var host = values.device_type == DeviceType.CPU ? values.alias() : values.cpu();
        var sum = SumOnHost(host, number, precision);
        if (values.device_type != DeviceType.CPU)
            values.copy_(host);
        return sum;
    }

    /// <summary>Waits for something that needs the other processes, and sees when one of them ends or does not answer.</summary>
    public virtual void WaitUntil(Func<bool> isDone) => SpinWait.SpinUntil(isDone);

    /// <summary>Sums numbers over all processes, in place.</summary>
    public void Sum(Span<double> values)
    {
        ThrowFailure();
        SumOnHost(values);
    }

    /// <summary>
    /// Sums numbers while libtorch computes gradients: it would not survive an exception there. A failure leaves the numbers as they are, and is
    /// thrown by the next sum of this object.
    /// </summary>
    public void SumStatistics(Span<double> values)
    {
        if (_failure != null)
            return;
        try
        {
            SumOnHost(values);
        }
        catch (Exception e)
        {
            _failure = ExceptionDispatchInfo.Capture(e);
        }
    }

    /// <summary>Returns what one process has.</summary>
    /// <param name="value">What it has; the others give anything.</param>
    /// <param name="root">The process.</param>
    public byte[] Broadcast(byte[] value, int root = 0)
    {
        CheckTogether();
        return BroadcastOnHost(value, root);
    }

    /// <summary>Returns what rank 0 has, before a training.</summary>
    public byte[] Share(TimeSpan timeout, byte[] value)
    {
        if (!_isRunning)
            Timeout = timeout;
        return Broadcast(value);
    }

    /// <summary>Returns what each process has, in the order of their ranks.</summary>
    public byte[][] Gather(byte[] value) => Enumerable.Range(0, Size).Select(rank => Broadcast(value, rank)).ToArray();

    private protected abstract double SumOnHost(Tensor values, double number, Precision precision);

    private protected abstract void SumOnHost(Span<double> values);

    private protected abstract byte[] BroadcastOnHost(byte[] value, int root);

    /// <summary>What one process does alone must not wait for the others.</summary>
    private void CheckTogether()
    {
        if (_isRunning && _thread != Environment.CurrentManagedThreadId)
            throw new InvalidOperationException($"Another training of the ranks is under way on another thread. {nameof(TrainingOptions.Distributed)} works with one at a time: ranks could not tell the messages of two apart.");
        if (_isApart)
            throw new InvalidOperationException($"A training that one rank does alone, such as that of a fold or of an item of {nameof(Distributed.Map)}, cannot be divided among the ranks as well. Set its {nameof(TrainingOptions.Distributed)} to null.");
    }

    private bool SumOnDevice(Tensor values)
    {
        if (OnDevice is not { } sum || values.device_type != DeviceType.CUDA)
            return false;
        sum.Sum(values);
        return true;
    }

    /// <summary>Ranks that do not do the same would take each other's messages for something else.</summary>
    private void CheckCall(string call)
    {
        // All messages have the same length, whatever the ranks do.
        Span<byte> own = stackalloc byte[LongestCall];
        own.Clear();
        var text = Encoding.UTF8.GetBytes(call);
        text.AsSpan(0, Math.Min(text.Length, LongestCall)).CopyTo(own);
        var all = new double[Size * LongestCall];
        for (var i = 0; i < LongestCall; i++)
            all[(Rank * LongestCall) + i] = own[i];
        SumOnHost(all);
        var calls = Enumerable.Range(0, Size).Select(rank => Encoding.UTF8.GetString(all.Skip(rank * LongestCall).Take(LongestCall).Select(value => (byte)value).TakeWhile(value => value != 0).ToArray())).ToArray();
        for (var rank = 1; rank < Size; rank++)
        {
            if (calls[rank] != calls[0])
                throw new DistributedException(FormattableString.Invariant($"Rank {rank} does something else: {calls[rank]}, but {calls[0]} on rank 0. All ranks must do the same in the same order."));
        }
    }

    private void ThrowFailure() => _failure?.Throw();

    /// <summary>Tells the others that this process has ended its part.</summary>
    private protected abstract void Notify(bool isCancelled, string reason);

    /// <summary>What another process has told.</summary>
    private protected static Exception NoticeOf(int rank, bool isCancelled, string reason) =>
        isCancelled ? new OtherRankCancelledException(rank) : new DistributedException(FormattableString.Invariant($"Rank {rank} ended the training: {reason}"));
}

/// <summary>Another process was told to cancel.</summary>
internal sealed class OtherRankCancelledException(int rank) : OperationCanceledException(FormattableString.Invariant($"Rank {rank} cancelled the training."));
