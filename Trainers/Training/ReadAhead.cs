using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using MLExtensions.Tensors;

namespace MLExtensions.Training;

/// <summary>
/// Fills buffers on a thread of its own while the caller works with those that are full. Their order is that in which they were filled, and
/// an exception comes after the buffers that were filled before it: a caller finds what it would find without the thread.
/// </summary>
/// <typeparam name="T">The type of the buffers.</typeparam>
internal sealed class ReadAhead<T> : IDisposable
    where T : class, IDisposable
{
    private readonly object _lock = new(); // of both threads, which never wait at the same time
    private readonly Queue<T> _free;
    private readonly Queue<T> _full = [];
    private readonly T[] _all;
    private readonly Thread _thread;
    private T? _used;
    private ExceptionDispatchInfo? _failure;
    private bool _isDone;
    private volatile bool _isStopped;

    /// <param name="buffers">The buffers, at least two; disposed with this object.</param>
    /// <param name="fill">
    /// Runs on the other thread: takes empty buffers from this object and gives them back full, until it has no more or there is no buffer.
    /// </param>
    public ReadAhead(IEnumerable<T> buffers, Action<ReadAhead<T>> fill)
    {
        _all = buffers.ToArray();
        _free = new Queue<T>(_all);
        var threads = TorchThreads.Current;
        _thread = new Thread(() => Run(fill, threads)) { IsBackground = true, Name = "MLExtensions reader" };
        _thread.Start();
    }

    /// <summary>Whether nobody needs more buffers.</summary>
    public bool IsStopped => _isStopped;

    /// <summary>Waits for an empty buffer; null if nobody needs more. For the filling thread.</summary>
    public T? NextFree()
    {
        lock (_lock)
        {
            // To be woken costs more than to fill a small buffer: it must be worth half of them.
            var enough = _free.Count > 0 ? 0 : _all.Length / 2;
            while (!_isStopped && _free.Count < enough)
                Monitor.Wait(_lock);
            return _isStopped ? null : _free.Dequeue();
        }
    }

    /// <summary>Takes a full buffer. For the filling thread.</summary>
    public void Give(T buffer)
    {
        lock (_lock)
        {
            _full.Enqueue(buffer);
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Waits for the next full buffer, which the caller has until the next call.</summary>
    /// <returns>False if there are no more.</returns>
    public bool TryTake([NotNullWhen(true)] out T? buffer)
    {
        lock (_lock)
        {
            if (_used != null)
                _free.Enqueue(_used);
            if (_free.Count >= _all.Length / 2)
                Monitor.Pulse(_lock);
            while (_full.Count == 0 && !_isDone)
                Monitor.Wait(_lock);
            if (_full.TryDequeue(out _used))
            {
                buffer = _used;
                return true;
            }
        }
        buffer = null;
        _failure?.Throw();
        return false;
    }

    /// <summary>Ends the thread, and waits until it has left the data.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isStopped = true;
            Monitor.Pulse(_lock);
        }
        _thread.Join();
        foreach (var buffer in _all)
            buffer.Dispose();
    }

    private void Run(Action<ReadAhead<T>> fill, int threads)
    {
        try
        {
            // Networks among the steps before this training compute as they would on the caller's thread.
            using var used = TorchThreads.Use(threads);
            fill(this);
        }
        catch (Exception e)
        {
            _failure = ExceptionDispatchInfo.Capture(e);
        }
        lock (_lock)
        {
            _isDone = true;
            Monitor.Pulse(_lock);
        }
    }
}
