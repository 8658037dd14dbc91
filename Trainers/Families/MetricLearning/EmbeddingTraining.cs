using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.MetricLearning;

/// <summary>One training of embeddings.</summary>
internal sealed class EmbeddingTraining(IHost host, EmbeddingOptions options, int seed) : NetworkTraining<RowBatch>(host, options, seed)
{
    /// <summary>Validation compares all pairs of rows, so more would take long and say no more.</summary>
    public const int MostValidationRows = 4096;

    private Action<string>? _warn;
    private int _classCount;

    private protected override TrainingGoal? Goal => EmbeddingStep.Goal;

    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        var column = input.Schema[options.FeatureColumnName];
        var architecture = options.CreateArchitecture(column);
        if (validation != null && !FeatureReader.Fits(validation.Schema[options.FeatureColumnName], architecture.InputCount))
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {FeatureReader.WidthOf(validation.Schema[column.Name])} values in the validation data and {architecture.InputCount} in the training data."), nameof(validation));
        return architecture;
    }

    private protected override TrainingData<RowBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        _warn = session.Warn;
        var rows = UnlabeledData.Open(input, validation, data => ColumnsOf(data, architecture.Format), options.CreateRowSettings(Seed), session.ThrowIfCancelled);
        try
        {
            Report(rows.Counts, TrainingSession.TrainingData);
            if (rows.ValidationCounts is { } counts)
                Report(counts, TrainingSession.ValidationData);
            CheckClasses(rows.Labels.ClassCounts);
            ReportSingles(rows.Labels.ClassCounts);
            var (training, aside) = rows.CreateBatches(options.BatchSize, Seed, device, labeled: true, validationRows: int.MaxValue, examplesPerClass: options.ExamplesPerClass, share: Distributed.ShareOf(options.Distributed));
            if (rows.ValidationRows > MostValidationRows)
                session.Report(new DataCounts(), TrainingSession.ValidationData, [new DataNote(FormattableString.Invariant($"Of {rows.ValidationRows} validation rows {MostValidationRows}, drawn at random, are compared with each other."), IsWarning: false)]);
            CheckValidation(aside);
            _classCount = rows.Labels.ClassCounts.Count;
            training = new ScaledBatches<RowBatch>(training, new FeatureScale(options.FeatureColumnName, options.FirstNumber(input.Schema[options.FeatureColumnName]), session.Warn));
            return new TrainingData<RowBatch>(training, aside, head: null, rows);
        }
        catch
        {
            rows.Dispose();
            throw;
        }

        void Report(DataCounts counts, string data)
        {
            if (counts[DataCounts.RowsWithoutLabel] is > 0 and var skipped)
                session.Warn(string.Create(CultureInfo.InvariantCulture, $"{skipped} rows {(data == TrainingSession.ValidationData ? "of the validation data " : "")}have no label in column '{options.LabelColumnName}' and were skipped."));
            session.Report(counts, data, []);
        }

        void ReportSingles(IReadOnlyList<long> classCounts)
        {
            var (singles, small, classes) = (classCounts.Count(count => count == 1), classCounts.Count(count => count > 1 && count < options.ExamplesPerClass), classCounts.Count(count => count > 0));
            var counts = new DataCounts();
            counts.Add(DataCounts.ClassesOfOneExample, singles);
            session.Report(counts, TrainingSession.TrainingData, singles == 0 ? [] : [new DataNote(FormattableString.Invariant($"{singles} of {classes} classes in column '{options.LabelColumnName}' have only one example: nothing is learned to be like it, it is only a counterexample for others."), IsWarning: 2 * singles > classes)]);
            if (small > 0)
                session.Report(new DataCounts(), TrainingSession.TrainingData, [new DataNote(FormattableString.Invariant($"{small} of {classes} classes have fewer than {nameof(options.ExamplesPerClass)}, {options.ExamplesPerClass}, examples; they contribute what they have."), IsWarning: false)]);
        }
    }

    private protected override TrainingStep<RowBatch> CreateStep(TrainedNetwork network, TrainingData<RowBatch> data)
    {
        var centers = options.Loss.HasCenters ? CreateCenters(network.Device) : null;
        return new EmbeddingStep(network, centers, options, options.CreateAugmenter(network.Architecture), Seed, _warn!);
    }

    /// <summary>A center for each class: the weights of a layer without hidden ones.</summary>
    private TrainedNetwork CreateCenters(Device device)
    {
        var architecture = new MlpArchitecture { InputCount = options.EmbeddingSize, OutputCount = _classCount, HiddenLayers = [] };
        using var scope = NewDisposeScope();
        var module = architecture.CreateModule();
        WeightInitializer.Initialize(module, WeightInitialization.XavierUniform, SeedSequence.Derive(Seed, SeedSequence.ClassCenters));
        module.DetachFromDisposeScope();
        return new TrainedNetwork("class centers", architecture, module, options.Optimization with { Layers = LayerSelection.All, Precision = Precision.Float32 }, Seed, device);
    }

    /// <summary>Validation has classes of its own, which the training need not know.</summary>
    private TrainingColumns ColumnsOf(IDataView data, FeatureFormat format)
    {
        var label = data.Schema[options.LabelColumnName];
        var count = label.Type is KeyDataViewType { Count: > 0 and <= int.MaxValue } key
            ? (int)key.Count
            : throw new ArgumentException($"Label column '{label.Name}' has type {label.Type}; it must be a key with a known number of classes (use MapValueToKey).");
        return new TrainingColumns(data.Schema[options.FeatureColumnName], format, label, Weight: null, count);
    }

    private void CheckClasses(IReadOnlyList<long> counts)
    {
        var present = counts.Count(count => count > 0);
        if (present < 2)
            throw new ArgumentException(FormattableString.Invariant($"All {counts.Sum()} training rows have the same class in column '{options.LabelColumnName}'; embeddings are learned from at least 2 classes."));
        if (counts.All(count => count < 2))
            throw new ArgumentException(FormattableString.Invariant($"Each of the {present} classes in column '{options.LabelColumnName}' has only one training row; embeddings are learned from classes with at least 2."));
    }

    /// <exception cref="ArgumentException">Validation has nothing to compare.</exception>
    private void CheckValidation(IBatchSource<RowBatch>? validation)
    {
        foreach (var batch in validation?.ReadEpoch(0) ?? [])
        {
            using (batch)
            {
                var classes = ((LabeledBatch)batch).LabelValues.ToArray().GroupBy(label => label).Select(group => group.Count()).ToArray();
                if (classes.Length < 2 || classes.All(count => count < 2))
                    throw new ArgumentException(FormattableString.Invariant($"The {batch.RowCount} validation rows are of {classes.Length} {(classes.Length == 1 ? "class" : "classes")}, the largest with {classes.Max()} {(classes.Max() == 1 ? "row" : "rows")}; at least 2 classes, one of them with 2 rows, can be compared. Hold out more rows, or whole classes with {nameof(options.ValidationGroupColumnName)} = '{options.LabelColumnName}'."));
            }
        }
    }
}
