using System.Diagnostics;
using MLExtensions.Serving.Blocks;

namespace MLExtensions.Serving.Queue;

/// <summary>
/// Requests that wait, and those who score them: work items of the thread pool, each of which takes one block after the other until nothing waits. What arrives
/// meanwhile is the next block.
/// </summary>
internal sealed class RequestQueue : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Queue<ServedRequest> _waiting = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _name;
    private readonly BatchedPredictorOptions _options;
    private readonly Action<IReadOnlyList<ServedRequest>> _score;
    private readonly Timer? _timer;
    private int _waitingRows;
    private int _working;
    private bool _closed;

    /// <param name="name">The name of the model, for messages.</param>
    /// <param name="options">The options.</param>
    /// <param name="score">Scores requests for the same model, and answers all of them.</param>
    public RequestQueue(string name, BatchedPredictorOptions options, Action<IReadOnlyList<ServedRequest>> score)
    {
        (_name, _options, _score) = (name, options, score);
        if (options.Window > TimeSpan.Zero)
            _timer = new Timer(_ => StartWorker(), null, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>The number of rows that wait.</summary>
    public int WaitingRows => Volatile.Read(ref _waitingRows);

    /// <exception cref="ObjectDisposedException">The predictor was disposed.</exception>
    /// <exception cref="PredictionQueueFullException">There is no room.</exception>
    public void Add(ServedRequest request)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(BatchedPredictor));
            if (_waitingRows + request.Rows > _options.QueueCapacity)
                throw new PredictionQueueFullException(_name, _waitingRows, request.Rows, _options.QueueCapacity);
            _waiting.Enqueue(request);
            _waitingRows += request.Rows;
        }
        StartWorker();
    }

    /// <summary>Takes nothing more.</summary>
    /// <returns>Ends when everything taken is answered.</returns>
    public Task Close()
    {
        lock (_lock)
        {
            _closed = true;
            if (_working == 0 && _waiting.Count == 0)
                _drained.TrySetResult();
        }
        StartWorker();
        return _drained.Task;
    }

    public void Dispose() => _timer?.Dispose();

    private void StartWorker()
    {
        lock (_lock)
        {
            if (_working >= _options.Workers || !IsDue())
                return;
            _working++;
        }
        ThreadPool.UnsafeQueueUserWorkItem(new Worker(this), preferLocal: false);
    }

    /// <summary>Whether a block can be scored now. Otherwise the timer is set if something waits.</summary>
    private bool IsDue()
    {
        if (_waiting.Count == 0)
            return false;
        if (_timer == null || _closed || _waitingRows >= _options.MaximumBlockRows)
            return true;
        var remaining = _options.Window - Stopwatch.GetElapsedTime(_waiting.Peek().Start);
        if (remaining <= TimeSpan.Zero)
            return true;
        _timer.Change((long)Math.Ceiling(remaining.TotalMilliseconds), Timeout.Infinite);
        return false;
    }

    private void Work()
    {
        var block = new List<ServedRequest>();
        while (TryTake(block))
            _score(block);
    }

    private bool TryTake(List<ServedRequest> block)
    {
        block.Clear();
        lock (_lock)
        {
            if (!IsDue())
            {
                if (--_working == 0 && _closed)
                    _drained.TrySetResult();
                return false;
            }
            var rows = 0;
            do
            {
                var request = _waiting.Dequeue();
                rows += request.Rows;
                block.Add(request);
            }
            while (_waiting.TryPeek(out var next) && next.Model == block[0].Model && rows + next.Rows <= _options.MaximumBlockRows);
            _waitingRows -= rows;
        }
        if (_options.Workers > 1)
            StartWorker();
        return true;
    }

    private sealed class Worker(RequestQueue queue) : IThreadPoolWorkItem
    {
        public void Execute() => queue.Work();
    }
}
