using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Heads;
using MLExtensions.Tensors;
using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using MLExtensions.Training.Start;

namespace MLExtensions.Forecasting;

/// <summary>One training of a forecasting network: puts series, network, step and loop together.</summary>
internal sealed class ForecastTraining(IHost host, LstmForecaster.Options options, int seed)
{
    // Validation is the same windows in the same order each time, and larger batches change nothing.
    private const int ValidationBatch = 1024;

    public NetworkModelParameters Run(IDataView input)
    {
        using var channel = host.Start("Training");
        var session = new TrainingSession(host, channel, options, seed);
        session.CheckAlive();
        var architecture = options.CreateArchitecture(SeriesColumns.Find(input.Schema, options.ColumnNames).Width);
        var device = session.OpenDevice();
        using var start = StartingWeights.Open(options);
        // The steps come one after the other: what a second thread could share is a single one.
        using var threads = TorchThreads.Use(options.ThreadCount ?? TorchThreads.CountFor(architecture.MultiplyAdds * options.BatchSize));
        start.Check(architecture);
        var set = SeriesSet.Read(input, options.ColumnNames, session.CheckAlive);
        var windows = SeriesWindows.Divide(set, options.WindowSize, options.Horizon, options.ValidationFraction);
        var head = new ForecastHead(options.Horizon, ScaleOf(start.Head) ?? windows.CreateScale(set, options.Scaling));
        var settings = new BatchSettings(options.BatchSize, architecture.MinimumBatchRows, seed, Shuffle: true, LabelScale.Identity, device);
        var training = new WindowBatches(windows.Training, architecture, head, settings);
        var validation = windows.Validation.Count == 0
            ? null
            : new WindowBatches(windows.Validation, architecture, head, settings with { Shuffle = false, Size = Math.Max(ValidationBatch, options.BatchSize) });
        using var step = new ForecastStep(start.CreateNetwork(architecture, seed, channel), options, seed, device);
        var history = session.Run(step, architecture, training, validation, start.FileReport, Fingerprint(head));
        return new NetworkModelParameters(host, architecture, head, step.Export(architecture), history);
    }

    /// <summary>Weights that were learnt on another scale go on with that one.</summary>
    private SeriesScale? ScaleOf(PredictionHead? initial) =>
        initial is ForecastHead { Scale: var scale } && scale.Scaling == options.Scaling ? scale : null;

    private Dictionary<string, object?> Fingerprint(ForecastHead head) => new()
    {
        ["head"] = JsonSerializer.Serialize(head),
        [nameof(options.Loss)] = options.Loss,
        [nameof(options.ExtraColumnNames)] = string.Join(", ", options.ExtraColumnNames),
    };
}
