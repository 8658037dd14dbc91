using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MLExtensions.Serving;

/// <summary>What is counted, with the name of the model as the tag <c>model</c>.</summary>
internal sealed class ServingMetrics : IDisposable
{
    public const string MeterName = "MLExtensions.Serving";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _requests;
    private readonly Counter<long> _rows;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _reloads;
    private readonly Histogram<int> _blockRows;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _blockDuration;
    private readonly KeyValuePair<string, object?> _model;

    public ServingMetrics(string model, Func<int> waitingRows)
    {
        _model = new("model", model);
        _requests = _meter.CreateCounter<long>("mlextensions.serving.requests", "{request}", "Requests that were answered, refused or failed");
        _rows = _meter.CreateCounter<long>("mlextensions.serving.rows", "{row}", "Rows that were answered");
        _failures = _meter.CreateCounter<long>("mlextensions.serving.failures", "{request}", "Requests without an answer, by reason: bad_request, queue_full, timeout, canceled, error");
        _reloads = _meter.CreateCounter<long>("mlextensions.serving.reloads", "{reload}", "Reloads of the model, by result: loaded, failed");
        _blockRows = _meter.CreateHistogram<int>("mlextensions.serving.block.rows", "{row}", "Rows of a block", null, new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] });
        double[] seconds = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
        _duration = _meter.CreateHistogram("mlextensions.serving.request.duration", "s", "From the arrival of a request to its answer", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = seconds });
        _blockDuration = _meter.CreateHistogram("mlextensions.serving.block.duration", "s", "How long a block was scored", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = seconds });
        _meter.CreateObservableGauge("mlextensions.serving.queue.rows", () => new Measurement<int>(waitingRows(), _model), "{row}", "Rows that wait");
    }

    public void CountAnswer(int rows, long start)
    {
        _requests.Add(1, _model);
        _rows.Add(rows, _model);
        if (_duration.Enabled)
            _duration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, _model);
    }

    public void CountFailure(Exception exception)
    {
        _requests.Add(1, _model);
        _failures.Add(1, _model, new("reason", exception switch
        {
            PredictionQueueFullException => "queue_full",
            TimeoutException => "timeout",
            OperationCanceledException => "canceled",
            ArgumentException or FormatException => "bad_request",
            _ => "error",
        }));
    }

    public void CountBlock(int rows, long start)
    {
        _blockRows.Record(rows, _model);
        if (_blockDuration.Enabled)
            _blockDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, _model);
    }

    public void CountReload(bool succeeded) => _reloads.Add(1, _model, new("result", succeeded ? "loaded" : "failed"));

    public void Dispose() => _meter.Dispose();
}
