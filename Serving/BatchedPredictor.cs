using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using MLExtensions.Serving;
using MLExtensions.Serving.Blocks;
using MLExtensions.Serving.Models;
using MLExtensions.Serving.Queue;
using MLExtensions.Serving.Typed;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MLExtensions;

/// <summary>
/// Serves a saved model to any number of threads. Requests that arrive together are scored as one block, and the model can be replaced while it is asked.
/// </summary>
/// <remarks>
/// A <c>PredictionEngine</c> serves one thread and scores one row at a time. Here requests wait in a queue while a block is scored; those that have arrived then are the
/// next block. A value that the model refuses fails its own request only: its block is scored again, request by request.
/// <para>Any model of ML.NET can be served that computes each row from that row alone and was saved with its schema.</para>
/// </remarks>
/// <example>
/// <code>
/// await using var predictor = BatchedPredictor.Load("model.zip");
/// var answer = await predictor.PredictAsync&lt;House, Price&gt;(house);
/// </code>
/// </example>
public sealed class BatchedPredictor : IAsyncDisposable, IDisposable
{
    private readonly BatchedPredictorOptions _options;
    private readonly ILogger _logger;
    private readonly RequestQueue _queue;
    private readonly ServingMetrics _metrics;
    private readonly SemaphoreSlim _reloading = new(1);
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _watching = Task.CompletedTask;
    private readonly Lazy<Task> _disposing;
    private volatile ServedModel _model;
    private volatile FileStamp _stamp = FileStamp.None;

    private BatchedPredictor(string path, string name, BatchedPredictorOptions options, ILogger logger)
    {
        (Path, Name, _options, _logger) = (path, name, options, logger);
        _model = Load();
        _queue = new RequestQueue(name, options, Score);
        _metrics = new ServingMetrics(name, () => _queue.WaitingRows);
        _disposing = new(DisposeOnce);
        if (options.WatchInterval is { } interval)
            _watching = WatchAsync(interval);
    }

    /// <summary>The file of the model.</summary>
    public string Path { get; }

    /// <summary>The name of the model in metrics and log.</summary>
    public string Name { get; }

    /// <summary>The columns that a request must bring.</summary>
    public IReadOnlyList<ModelColumn> Inputs => _model.InputColumns;

    /// <summary>The columns that are answered.</summary>
    public IReadOnlyList<ModelColumn> Outputs => _model.Outputs;

    /// <summary>How many times the model was loaded.</summary>
    public int LoadCount { get; private set; }

    /// <summary>Loads a model.</summary>
    /// <param name="path">The file, as <c>ml.Model.Save(model, data.Schema, path)</c> writes it.</param>
    /// <param name="options">How it is served; null for the defaults.</param>
    /// <param name="name">Its name in metrics and log; null for that of the file.</param>
    /// <param name="logger">Takes what happens later, such as reloads; null for nobody.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidOperationException">The model was saved without a schema, or computes rows from other rows.</exception>
    /// <exception cref="NotSupportedException">A column that is needed or answered has a type that requests cannot bring; the message names it.</exception>
    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public static BatchedPredictor Load(string path, BatchedPredictorOptions? options = null, string? name = null, ILogger? logger = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        options ??= new BatchedPredictorOptions();
        options.Check();
        return new BatchedPredictor(path, name ?? System.IO.Path.GetFileNameWithoutExtension(path), options, logger ?? NullLogger.Instance);
    }

    /// <summary>Scores rows.</summary>
    /// <param name="columns">The columns of <see cref="Inputs"/>, in any order. Others that the model was trained with are ignored.</param>
    /// <param name="rows">The number of rows, at least 1.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The columns of <see cref="Outputs"/>, in that order.</returns>
    /// <exception cref="ArgumentException">Columns are missing or unknown, or have values of another type or number; the message names the column.</exception>
    /// <exception cref="FormatException">The model refuses a value, such as NaN; the message names column and row.</exception>
    /// <exception cref="PredictionQueueFullException">Too many rows wait.</exception>
    /// <exception cref="TimeoutException">There is no answer within <see cref="BatchedPredictorOptions.TimeLimit"/>.</exception>
    /// <exception cref="OperationCanceledException">The waiting was ended.</exception>
    /// <exception cref="ObjectDisposedException">The predictor was disposed.</exception>
    public async Task<IReadOnlyList<ColumnData>> PredictColumnsAsync(IReadOnlyList<ColumnData> columns, int rows, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return await AskAsync(CreateRequest(_ => columns, rows), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Scores a row.</summary>
    /// <typeparam name="TRow">A class whose properties are the columns of <see cref="Inputs"/>, as for a prediction engine; keys are what they stand for.</typeparam>
    /// <typeparam name="TAnswer">A class whose properties are columns of <see cref="Outputs"/>.</typeparam>
    /// <param name="row">The row.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="InvalidOperationException">A property has another type than its column, or there is none; the message names both.</exception>
    /// <inheritdoc cref="PredictColumnsAsync(IReadOnlyList{ColumnData}, int, CancellationToken)" path="/exception"/>
    public async Task<TAnswer> PredictAsync<TRow, TAnswer>(TRow row, CancellationToken cancellationToken = default)
        where TRow : class
        where TAnswer : class, new() => (await PredictRowsAsync<TRow, TAnswer>([row], cancellationToken).ConfigureAwait(false))[0];

    /// <summary>Scores rows.</summary>
    /// <returns>The answers, in the order of the rows.</returns>
    /// <param name="rows">The rows, at least one.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <inheritdoc cref="PredictAsync{TRow, TAnswer}(TRow, CancellationToken)"/>
    public async Task<TAnswer[]> PredictRowsAsync<TRow, TAnswer>(IReadOnlyList<TRow> rows, CancellationToken cancellationToken = default)
        where TRow : class
        where TAnswer : class, new()
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Contains(null!))
            throw new ArgumentException("A row is null.", nameof(rows));
        var request = CreateRequest(
            model =>
            {
                TypedAnswers<TAnswer>.For(model); // before anything is asked
                return TypedRows<TRow>.For(model).Columns(rows);
            },
            rows.Count);
        return TypedAnswers<TAnswer>.For(request.Model).Read(await AskAsync(request, cancellationToken).ConfigureAwait(false), rows.Count);
    }

    /// <summary>Loads the file again. Requests that came before are answered by the old model, and it goes on if the new one cannot be served.</summary>
    /// <param name="cancellationToken">Ends the waiting for another reload.</param>
    /// <exception cref="ObjectDisposedException">The predictor was disposed.</exception>
    /// <inheritdoc cref="Load(string, BatchedPredictorOptions?, string?, ILogger?)" path="/exception"/>
    public async Task ReloadAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposing.IsValueCreated, this);
        await _reloading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposing.IsValueCreated, this); // while it waited
            var next = await Task.Run(Load, cancellationToken).ConfigureAwait(false);
            Interlocked.Exchange(ref _model, next).Leave();
            _metrics.CountReload(succeeded: true);
        }
        catch (Exception e) when (e is not (OperationCanceledException or ObjectDisposedException))
        {
            _logger.NotReloaded(Name, Path, e);
            _metrics.CountReload(succeeded: false);
            throw;
        }
        finally
        {
            _reloading.Release();
        }
    }

    /// <summary>Takes no more requests, answers those that it has, and frees the model.</summary>
    public ValueTask DisposeAsync() => new(_disposing.Value);

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => _disposing.Value.GetAwaiter().GetResult();

    private async Task DisposeOnce()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        await _queue.Close().ConfigureAwait(false);
        await _reloading.WaitAsync().ConfigureAwait(false);
        _model.Leave();
        _reloading.Release(); // those that wait see that it is over
        _queue.Dispose();
        _metrics.Dispose();
        _closing.Dispose();
    }

    private ServedModel Load()
    {
        var start = Stopwatch.GetTimestamp();
        _stamp = FileStamp.Of(Path); // what is written from now on is another stamp later
        using var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var model = ServedModel.Load(file, Name, _options);
        LoadCount++;
        _logger.Loaded(Name, Path, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return model;
    }

    private ServedModel Enter()
    {
        while (true)
        {
            ObjectDisposedException.ThrowIf(_disposing.IsValueCreated, this);
            var model = _model;
            if (model.TryEnter())
                return model;
        }
    }

    private ServedRequest CreateRequest(Func<ServedModel, IReadOnlyList<ColumnData>> columns, int rows)
    {
        var model = Enter();
        var owned = new List<IDisposable>();
        try
        {
            if (rows < 1 || rows > _options.QueueCapacity)
                throw new ArgumentOutOfRangeException(nameof(rows), rows, FormattableString.Invariant($"There are {rows} rows; a request can have 1 to {_options.QueueCapacity} ({nameof(BatchedPredictorOptions.QueueCapacity)})."));
            return new ServedRequest(model, model.Accept(columns(model), rows, owned), rows, owned);
        }
        catch (Exception e)
        {
            foreach (var thing in owned)
                thing.Dispose();
            model.Leave();
            _metrics.CountFailure(e);
            throw;
        }
    }

    private async Task<IReadOnlyList<ColumnData>> AskAsync(ServedRequest request, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            _queue.Add(request);
        }
        catch (Exception e)
        {
            request.Fail(e);
            _metrics.CountFailure(e);
            throw;
        }
        try
        {
            var answer = await request.Answer.WaitAsync(_options.TimeLimit, cancellationToken).ConfigureAwait(false);
            _metrics.CountAnswer(request.Rows, request.Start);
            return answer;
        }
        catch (Exception e)
        {
            _metrics.CountFailure(e);
            if (request.Answer.IsCompleted)
                throw;
            request.Abandon();
            if (e is TimeoutException)
                throw new TimeoutException(FormattableString.Invariant($"The model '{Name}' has not answered within {_options.TimeLimit.TotalSeconds} s ({nameof(BatchedPredictorOptions.TimeLimit)}); {_queue.WaitingRows} rows wait."), e);
            throw;
        }
    }

    /// <summary>Answers requests for one model.</summary>
    private void Score(IReadOnlyList<ServedRequest> block)
    {
        if (block.Any(request => request.IsAbandoned))
        {
            foreach (var request in block.Where(request => request.IsAbandoned))
                request.Fail(new OperationCanceledException());
            block = [.. block.Where(request => !request.IsAbandoned)];
            if (block.Count == 0)
                return;
        }
        var start = Stopwatch.GetTimestamp();
        try
        {
            var answers = block[0].Model.Score(block);
            _metrics.CountBlock(block.Sum(request => request.Rows), start);
            for (var i = 0; i < answers.Length; i++)
                block[i].Succeed(answers[i]);
        }
        catch (Exception)
        {
            // Some are bad, but not all: each gets its own answer.
            foreach (var request in block)
                ScoreAlone(request);
        }
    }

    private void ScoreAlone(ServedRequest request)
    {
        try
        {
            request.Succeed(request.Model.ScoreAlone(request));
        }
        catch (Exception e)
        {
            if (e is not (FormatException or ArgumentException))
                _logger.Failed(Name, e);
            request.Fail(e);
        }
    }

    private async Task WatchAsync(TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval);
        var before = _stamp;
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token).ConfigureAwait(false))
            {
                var now = FileStamp.Of(Path);
                if (now.IsThere && now == before && now != _stamp)
                    await TryReloadAsync().ConfigureAwait(false);
                before = now;
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever is wrong with the new file, the old model goes on; it has been logged.")]
    private async Task TryReloadAsync()
    {
        try
        {
            await ReloadAsync(_closing.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
        }
    }
}
