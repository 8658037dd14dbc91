using System.Diagnostics.Metrics;

namespace MLExtensions.Examples.Serving.Http;

/// <summary>Counts answers by their status.</summary>
internal sealed class ServerMetrics : IDisposable
{
    public const string MeterName = "MLExtensions.Examples.Serving";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _answers;

    public ServerMetrics() => _answers = _meter.CreateCounter<long>("mlextensions.server.answers", "{answer}", "Answers by HTTP status");

    public void Count(int status) => _answers.Add(1, new KeyValuePair<string, object?>("status", Boxed(status)));

    public void Dispose() => _meter.Dispose();

    private static object Boxed(int status) => status == 200 ? Success : status;

    private static readonly object Success = 200;
}
