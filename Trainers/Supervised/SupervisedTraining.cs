using System.Globalization;
using System.Text.Json;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Training;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>One training of a supervised network.</summary>
internal sealed class SupervisedTraining(IHost host, SupervisedTrainerOptions options, SupervisedTask task, ColumnCheck columns, int seed)
    : NetworkTraining<LabeledBatch>(host, options, seed)
{
    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        var features = columns.FindFeatures(input);
        var format = options.CreateFormat(input, features, start.Architecture, session.ThrowIfCancelled);
        start.MatchClasses(columns.ClassNames(input));
        return options.CreateArchitecture(features, format, columns.OutputCount(input));
    }

    private protected override TrainingData<LabeledBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session) =>
        new SupervisedData(options, task, session, Seed)
            .Open(input, validation, view => columns.Find(view, architecture.Format), architecture.MinimumBatchRows, start.Head, device);

    private protected override bool ReadsAgain(IDataView input) => base.ReadsAgain(input) || options.ScansRows(columns.FindFeatures(input));

    private protected override TrainingStep<LabeledBatch> CreateStep(TrainedNetwork network, TrainingData<LabeledBatch> data) =>
        new SupervisedStep(network, task, (ScoreHead)data.Head!, options.CreateAugmenter(network.Architecture), Seed);

    /// <summary>The head can come from the initial model; the checksum of the weights does not cover it.</summary>
    private protected override IReadOnlyDictionary<string, string> Fingerprint(TrainingData<LabeledBatch> data) =>
        new Dictionary<string, string> { ["head"] = JsonSerializer.Serialize(data.Head) };
}

/// <summary>Reads the data of a supervised training.</summary>
internal sealed class SupervisedData(SupervisedTrainerOptions options, SupervisedTask task, TrainingSession session, int seed)
{
    // Validation reads the same rows in the same order each time, so larger batches change nothing but the padding of sequences.
    private const int ValidationRows = 1024;
    private const int ValidationSequences = 128;

    /// <summary>Reads the data, or scans its labels if it is streamed.</summary>
    /// <param name="training">The training data.</param>
    /// <param name="validation">Separate validation data, or null.</param>
    /// <param name="columns">The columns of a data set.</param>
    /// <param name="minimumRows">The minimum number of rows of a batch.</param>
    /// <param name="initialHead">The head of the initial model, or null.</param>
    /// <param name="device">The device of the batches.</param>
    public TrainingData<LabeledBatch> Open(IDataView training, IDataView? validation, Func<IDataView, TrainingColumns> columns, int minimumRows, PredictionHead? initialHead, torch.Device device)
    {
        var fraction = validation == null ? options.ValidationFraction : 0;
        var trainingColumns = columns(training);
        var set = Read(training, trainingColumns, fraction, TrainingSession.TrainingData);
        RowSet? other = null;
        try
        {
            set.CheckRows(minimumRows, trainingColumns.Label!.Value.Name);
            if (set.Labels.WeightSum <= 0)
                throw new ArgumentException("Every example weight of the training data is 0.");
            WarnOfLabels(set.Labels, trainingColumns.Label!.Value);
            var head = task.CreateHead(set.Labels, initialHead, options);
            var scale = task.CreateScale(set.Labels, head, options.ClassWeighting, trainingColumns.Weight != null);
            var settings = new BatchSettings(options.BatchSize, minimumRows, seed, Shuffle: true, device, trainingColumns.Format.LengthOf);
            var unshuffled = settings with { Shuffle = false, MinimumRows = 1, Size = Math.Max(settings.LengthOf == null ? ValidationRows : ValidationSequences, options.BatchSize) };
            if (validation != null)
            {
                other = ValidationData.Read(() => Read(validation, ForValidation(columns(validation), trainingColumns), 0, TrainingSession.ValidationData));
                if (other.Labels.RowCount == 0)
                    throw new ArgumentException($"The validation data has no row with a label in column '{trainingColumns.Label!.Value.Name}'.");
            }
            var aside = other?.CreateLabeledBatches(RowPart.Training, unshuffled, scale)
                ?? (fraction > 0 ? set.CreateLabeledBatches(RowPart.Validation, unshuffled, scale) : null);
            var features = new FeatureScale(trainingColumns.Features.Name, options.FirstNumber(trainingColumns.Features, trainingColumns.Format), session.Warn);
            return new TrainingData<LabeledBatch>(new ScaledBatches<LabeledBatch>(set.CreateLabeledBatches(RowPart.Training, settings.For(Distributed.ShareOf(options.Distributed)), scale), features), aside, head, set, other);
        }
        catch
        {
            set.Dispose();
            other?.Dispose();
            throw;
        }
    }

    private RowSet Read(IDataView data, TrainingColumns columns, double validationFraction, string name)
    {
        var set = RowSet.Open(data, columns, options.CreateRowSettings(seed) with { ValidationFraction = validationFraction }, session.ThrowIfCancelled);
        try
        {
            if (set.Counts[DataCounts.RowsWithoutLabel] is > 0 and var skipped)
                session.Warn(string.Create(CultureInfo.InvariantCulture, $"{skipped} rows have no label in column '{columns.Label!.Value.Name}' and were skipped."));
            columns.Format.CheckContent(set.Counts, columns.Features.Name, name);
            session.Report(set.Counts, name, columns.Format.Review(set.Counts, columns.Features.Name, name));
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>The columns of validation data, whose classes are found by name: their keys may have other numbers.</summary>
    private static TrainingColumns ForValidation(TrainingColumns columns, TrainingColumns training) => columns with
    {
        ClassCount = training.ClassCount,
        Classes = training.ClassCount > 0 ? KeyMap.Create(columns.Label!.Value, KeyNames.Of(training.Label!.Value), "the training data") : null,
    };

    private void WarnOfLabels(LabelSummary labels, DataViewSchema.Column column)
    {
        var present = Enumerable.Range(0, labels.ClassCounts.Count).Where(place => labels.ClassCounts[place] > 0).ToArray();
        if (present.Length == 1)
            session.Warn(string.Create(CultureInfo.InvariantCulture, $"All {labels.RowCount} training rows have the same class in column '{column.Name}': {ClassName(column, present[0])}. The network will predict it for every row."));
        else if (present.Length == 0 && !labels.Varies)
            session.Warn(string.Create(CultureInfo.InvariantCulture, $"All {labels.RowCount} training rows have the same label in column '{column.Name}' as far as float32 can tell: about {labels.Mean:R}. The network will predict it for every row; subtract a constant if labels are large numbers that differ little."));
    }

    private static string ClassName(DataViewSchema.Column column, int place) =>
        KeyNames.Of(column) is { } names && place < names.Count ? FormattableString.Invariant($"'{names[place]}'") : column.Type is BooleanDataViewType ? place == 1 ? "true" : "false" : FormattableString.Invariant($"key {place + 1}");
}

/// <summary>The training step of all supervised families: one network, one loss.</summary>
/// <param name="network">The network; owned by the step.</param>
/// <param name="task">The task.</param>
/// <param name="head">Its head.</param>
/// <param name="augmenter">The augmentation of training examples, or null.</param>
/// <param name="seed">The seed of the augmenter.</param>
internal sealed class SupervisedStep(TrainedNetwork network, SupervisedTask task, ScoreHead head, IFeatureAugmenter? augmenter, int seed) : PredictionStep<LabeledBatch>(network)
{
    private SplitMix64 _augmentationRandom;

    public override void BeginEpoch(int epoch)
    {
        base.BeginEpoch(epoch);
        _augmentationRandom = new SplitMix64(SeedSequence.Derive(seed, SeedSequence.Augmentation, epoch));
    }

    public override double Train(LabeledBatch batch, double learningRate, MetricSums metrics)
    {
        if (augmenter == null)
            return base.Train(batch, learningRate, metrics);
        var augmented = augmenter.Apply(batch.Features, ref _augmentationRandom);
        var outputs = Network.Forward(augmented.Features);
        var loss = Network.Descend(Loss(outputs, batch, augmented), learningRate);
        Measure(outputs.detach(), batch, metrics);
        return loss;
    }

    protected override Tensor InputsOf(LabeledBatch batch) => batch.Features;

    protected override Tensor Loss(Tensor outputs, LabeledBatch batch) => task.Loss(outputs, batch.Labels, batch.Weights);

    protected override void Measure(Tensor outputs, LabeledBatch batch, MetricSums metrics) =>
        task.Measure(TensorMemory.Floats(outputs.cpu().contiguous()), batch.LabelValues, head, metrics);

    private Tensor Loss(Tensor outputs, LabeledBatch batch, AugmentedFeatures augmented)
    {
        var loss = Loss(outputs, batch);
        if (augmented is not { Partner: { } partner, PartnerShare: { } share })
            return loss;
        var ofPartners = task.Loss(outputs, batch.Labels.index_select(0, partner), batch.Weights?.index_select(0, partner));
        return loss.mul(Number.Of(1 - share)).add(ofPartners, Number.Of(share));
    }
}

/// <summary>Changes training examples at random, so that a network sees more variants than the data has.</summary>
internal interface IFeatureAugmenter
{
    /// <summary>Augments a batch. The results belong to the caller's dispose scope.</summary>
    /// <param name="features"><c>[rows, width]</c>; not changed.</param>
    /// <param name="random">The source of all random numbers.</param>
    AugmentedFeatures Apply(Tensor features, ref SplitMix64 random);
}

/// <summary>The augmented features.</summary>
/// <param name="Features">The input of the network.</param>
/// <param name="Partner">The row that each row is blended with, Int64 <c>[rows]</c>; null without blending.</param>
/// <param name="PartnerShare">The partner's share of the blend, in [0, 1]; null without blending.</param>
internal sealed record AugmentedFeatures(Tensor Features, Tensor? Partner = null, float? PartnerShare = null);
