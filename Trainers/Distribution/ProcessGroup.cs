using System.Runtime.ExceptionServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Distribution;

/// <summary>
/// The processes that train one network together. All of them call the same members in the same order. One that fails tells the others, so that
/// none waits for it.
/// </summary>
internal abstract class ProcessGroup
{
    private string? _broken;
    private bool _isRunning;
    private bool _isApart;
    private ExceptionDispatchInfo? _failure;

    public abstract int Rank { get; }

    public abstract int Size { get; }

    /// <summary>How long the others are waited for. Set at the beginning of a training; seeds are shared before.</summary>
    public TimeSpan Timeout { get; private set; } = Distributed.UsualTimeout;

    /// <summary>What sums tensors on GPUs; null for host memory.</summary>
    internal NcclSum? OnDevice { get; set; }

    /// <summary>Runs a training. If it fails here, it fails in all processes.</summary>
    /// <param name="timeout">How long the others are waited for.</param>
    /// <param name="training">The training.</param>
    /// <exception cref="DistributedException">It failed in another process.</exception>
    public T Run<T>(TimeSpan timeout, Func<T> training)
    {
        CheckTogether();
        if (_isRunning)
            return training();
        if (_broken != null)
            throw new DistributedException($"The ranks are no longer together since a training of theirs ended early ({_broken}). End the processes and start them again.");
        (_isRunning, Timeout) = (true, timeout);
        try
        {
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
    public byte[][] Map(int count, Func<int, byte[]> compute) => Run(System.Threading.Timeout.InfiniteTimeSpan, () =>
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

    /// <summary>Returns what each process has, in the order of their ranks.</summary>
    public byte[][] Gather(byte[] value) => Enumerable.Range(0, Size).Select(rank => Broadcast(value, rank)).ToArray();

    private protected abstract double SumOnHost(Tensor values, double number, Precision precision);

    private protected abstract void SumOnHost(Span<double> values);

    private protected abstract byte[] BroadcastOnHost(byte[] value, int root);

    /// <summary>What one process does alone must not wait for the others.</summary>
    private void CheckTogether()
    {
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

    private void ThrowFailure() => _failure?.Throw();

    /// <summary>Tells the others that this process has ended its part.</summary>
    private protected abstract void Notify(bool isCancelled, string reason);

    /// <summary>What another process has told.</summary>
    private protected static Exception NoticeOf(int rank, bool isCancelled, string reason) =>
        isCancelled ? new OtherRankCancelledException(rank) : new DistributedException(FormattableString.Invariant($"Rank {rank} ended the training: {reason}"));
}

/// <summary>Another process was told to cancel.</summary>
internal sealed class OtherRankCancelledException(int rank) : OperationCanceledException(FormattableString.Invariant($"Rank {rank} cancelled the training."));
