using System.Diagnostics;
using MLExtensions.Serving.Models;

namespace MLExtensions.Serving.Blocks;

/// <summary>Rows that someone waits for.</summary>
/// <param name="model">The model that they are for, with a lease for them.</param>
/// <param name="columns">The values, in the order of the model's inputs.</param>
/// <param name="rows">The number of rows, at least 1.</param>
/// <param name="owned">What was made for the request, and goes with it.</param>
internal sealed class ServedRequest(ServedModel model, ColumnData[] columns, int rows, IReadOnlyList<IDisposable> owned)
{
    private readonly TaskCompletionSource<IReadOnlyList<ColumnData>> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _ended;

    public ServedModel Model => model;

    public ColumnData[] Columns => columns;

    public int Rows => rows;

    /// <summary>When the request came.</summary>
    public long Start { get; } = Stopwatch.GetTimestamp();

    public Task<IReadOnlyList<ColumnData>> Answer => _answer.Task;

    /// <summary>Whether nobody waits anymore.</summary>
    public bool IsAbandoned { get; private set; }

    /// <summary>Says that nobody waits anymore. The values may be in use still.</summary>
    public void Abandon() => IsAbandoned = true;

    public void Succeed(IReadOnlyList<ColumnData> answer)
    {
        _answer.TrySetResult(answer);
        End();
    }

    public void Fail(Exception exception)
    {
        _answer.TrySetException(exception);
        _ = _answer.Task.Exception; // nobody may be there to see it
        End();
    }

    private void End()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        foreach (var thing in owned)
            thing.Dispose();
        model.Leave();
    }
}
