using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.Forecasting;

/// <summary>One training of a forecasting network.</summary>
internal sealed class ForecastTraining(IHost host, LstmForecastingEstimator.Options options, int seed) : NetworkTraining<WindowBatch>(host, options, seed)
{
    // Validation reads the same windows in the same order each time, so larger batches change nothing.
    private const int ValidationBatch = 1024;

    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        var width = SeriesColumns.Find(input.Schema, options.ColumnNames).Width;
        if (validation != null && SeriesColumns.Find(validation.Schema, options.ColumnNames).Width is var other && other != width)
            throw new ArgumentException(FormattableString.Invariant($"The extra columns {string.Join(", ", options.ExtraColumnNames)} have {other - 1} values in the validation data and {width - 1} in the training data."), nameof(validation));
        return options.CreateArchitecture(width);
    }

    private protected override TrainingData<WindowBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        var set = SeriesSet.Read(input, options.ColumnNames, session.ThrowIfCancelled);
        var other = validation == null ? null : SeriesSet.Read(validation, options.ColumnNames, session.ThrowIfCancelled);
        if (validation == null && options.ValidationGroupColumnName is { } column)
        {
            var held = SeriesSet.ChooseHeld(input, options.GroupColumnName, column, options.ValidationFraction, Seed);
            (set, other) = (set.Where(series => !held.Contains(series.Group)), set.Where(series => held.Contains(series.Group)));
        }
        WarnOfConstants(set, session);
        var windows = SeriesWindows.Divide(set, options.WindowSize, options.Horizon, other == null ? options.ValidationFraction : 0, options.ShortSeriesHandling);
        var aside = other == null ? windows.Validation : SeriesWindows.All(other, options.WindowSize, options.Horizon);
        Report(set, windows.TooShort, windows.NotHeldOut, TrainingSession.TrainingData, session);
        if (other != null)
            Report(other, other.Series.Count(series => series.Length < options.WindowSize + options.Horizon), 0, TrainingSession.ValidationData, session);
        var head = new ForecastHead(options.Horizon, ScaleOf(start.Head) ?? windows.CreateScale(set, options.Scaling ?? windows.ChooseScaling(set.Width, options.WindowSize), options.WindowSize));
        session.Say(FormattableString.Invariant($"{windows.Training.Count} windows for training, {aside.Count} for validation; Scaling is {head.Scale.Scaling}."));
        var settings = new BatchSettings(options.BatchSize, architecture.MinimumBatchRows, Seed, Shuffle: true, device);
        var unshuffled = settings with { Shuffle = false, Size = Math.Max(ValidationBatch, options.BatchSize) };
        return new TrainingData<WindowBatch>(
            Batches(windows.Training, set, settings.For(Distributed.ShareOf(options.Distributed))),
            aside.Count == 0 ? null : Batches(aside, other ?? set, unshuffled),
            head);

        WindowBatches Batches(IReadOnlyList<WindowPlace> places, SeriesSet of, BatchSettings batches) =>
            new(places, (ForecastArchitecture)architecture, head, batches, options.NeedsChecksum ? of.Checksum() : null);
    }

    private protected override bool ReadsAgain(IDataView input) => options.ValidationGroupColumnName != null;

    private protected override bool NeedsOrder => true;

    private protected override TrainingStep<WindowBatch> CreateStep(TrainedNetwork network, TrainingData<WindowBatch> data) => new ForecastStep(network, options.Loss);

    /// <summary>The scale can come from the initial model; the checksum of the weights does not cover it.</summary>
    private protected override IReadOnlyDictionary<string, string> Fingerprint(TrainingData<WindowBatch> data) =>
        new Dictionary<string, string> { ["head"] = JsonSerializer.Serialize(data.Head) };

    private static void WarnOfConstants(SeriesSet set, TrainingSession session)
    {
        var constant = set.Series.Where(series => series.Length > 1 && series.IsConstant).ToArray();
        if (constant.Length > 0)
            session.Warn(FormattableString.Invariant($"{constant.Length} of {set.Series.Count} series have the same value in all rows{(constant[0].Group.Length == 0 ? "" : $", such as '{constant[0].Group}'")}; nothing can be learned from them."));
    }

    private void Report(SeriesSet set, int tooShort, int notHeldOut, string data, TrainingSession session)
    {
        var counts = new DataCounts();
        counts.Add(DataCounts.SeriesTooShort, tooShort);
        counts.Add(DataCounts.SeriesNotHeldOut, notHeldOut);
        counts.Add(DataCounts.TimeGaps, set.Gaps);
        session.Report(counts, data, Notes());

        IEnumerable<DataNote> Notes()
        {
            if (tooShort > 0)
                yield return new DataNote(FormattableString.Invariant($"{tooShort} of {set.Series.Count} series of the {data} have fewer than {options.WindowSize + options.Horizon} rows ({nameof(options.WindowSize)} + {nameof(options.Horizon)}) and were skipped."), IsWarning: true);
            if (notHeldOut > 0)
                yield return new DataNote(FormattableString.Invariant($"{notHeldOut} of {set.Series.Count} series are too short for a part that is held out ({nameof(options.ValidationFraction)}); all of their rows are for training."), IsWarning: true);
            if (set.Gaps > 0)
                yield return new DataNote(FormattableString.Invariant($"{set.Gaps} rows of the {data} follow a gap in column '{options.TimeColumnName}'; each row counts as the next time step."), IsWarning: false);
        }
    }

    /// <summary>Weights that were learned with another scale keep it.</summary>
    private SeriesScale? ScaleOf(PredictionHead? initial) =>
        initial is ForecastHead { Scale: var scale } && scale.Scaling == (options.Scaling ?? scale.Scaling) ? scale : null;
}
