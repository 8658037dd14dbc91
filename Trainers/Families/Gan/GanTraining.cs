using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Gan;

/// <summary>One training of a generator and its discriminator.</summary>
internal sealed class GanTraining(IHost host, GanOptions options, int seed, GanDesign design) : NetworkTraining<RowBatch>(host, options, seed)
{
    private const int DiscriminatorSeed = 0x44;

    // Of what the generator can make; samples of less are lost in its first noise.
    private const double LeastShareOfRange = 0.05;

    private Func<nn.Module<Tensor, Tensor>>? _createDiscriminator;
    private Action<string>? _warn;

    private protected override string NetworkName => "generator";

    /// <summary>The losses of a game do not say which epoch is best.</summary>
    private protected override TrainingGoal? Goal => null;

    private protected override NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session)
    {
        if (validation != null)
            CheckValidation(input, validation);
        var known = start.Model as GanWeights;
        if (known is { ClassNames: { } names } && design.ClassNames is { } wanted && !names.SequenceEqual(wanted))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.InitialModel)} was trained for the classes {NameList.Of(names)}; the training data has {NameList.Of(wanted)}. They must be the same, in the same order: use the MapValueToKey of the first training."), nameof(options.InitialModel));
        _createDiscriminator = () => CreateDiscriminator(known, session);
        return design.Generator;
    }

    private protected override TrainingData<RowBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        _warn = session.Warn;
        var format = design.FormatOf(options);
        var rows = UnlabeledData.Open(input, validation, data => ColumnsOf(data, input, format), options.CreateRowSettings(Seed), session.ThrowIfCancelled);
        try
        {
            Report(rows.Counts, TrainingSession.TrainingData);
            ReportClasses(rows.Labels.ClassCounts);
            if (rows.ValidationCounts is { } counts)
                Report(counts, TrainingSession.ValidationData);
            var least = options.PackSize * Math.Max(architecture.MinimumBatchRows, design.Discriminator.MinimumBatchRows);
            if (options.BatchSize < least)
                throw new ArgumentOutOfRangeException(nameof(options.BatchSize), options.BatchSize, FormattableString.Invariant($"{nameof(options.BatchSize)} is {options.BatchSize}; it must be at least {least}: batch normalization needs several packs of {nameof(options.PackSize)}, {options.PackSize}."));
            if (rows.Labels.RowCount < least)
                throw new ArgumentException(FormattableString.Invariant($"The training data has {rows.Labels.RowCount} rows; a step of this GAN needs at least {least}."));
            if ((validation != null || options.ValidationFraction > 0) && rows.ValidationRows < options.PackSize)
                throw new ArgumentException(FormattableString.Invariant($"There are {rows.ValidationRows} rows to validate on; there must be at least {options.PackSize}, which is {nameof(options.PackSize)}."));
            var (training, aside) = rows.CreateBatches(options.BatchSize, Seed, device, least, options.PackSize, labeled: options.LabelColumnName != null, share: Distributed.ShareOf(options.Distributed));
            training = new ScaledBatches<RowBatch>(training, new FeatureScale(options.FeatureColumnName, firstNumber: design.Generator.Values == null ? 0 : null, session.Warn));
            return new TrainingData<RowBatch>(training, aside, head: null, rows);
        }
        catch
        {
            rows.Dispose();
            throw;
        }

        void ReportClasses(IReadOnlyList<long> counts)
        {
            var absent = Enumerable.Range(0, counts.Count).Where(place => counts[place] == 0).Select(place => design.ClassNames?[place] ?? (place + 1).ToString(CultureInfo.InvariantCulture)).ToArray();
            if (options.LabelColumnName != null && absent.Length > 0)
                session.Warn($"There are no rows of {NameList.Of(absent)} in column '{options.LabelColumnName}': what is generated of {(absent.Length == 1 ? "this class" : "these classes")} was not learned.");
        }

        void Report(DataCounts counts, string data)
        {
            if (counts[DataCounts.RowsWithoutLabel] is > 0 and var skipped)
                session.Warn(string.Create(CultureInfo.InvariantCulture, $"{skipped} rows {(data == TrainingSession.ValidationData ? "of the validation data " : "")}have no label in column '{options.LabelColumnName}' and were skipped."));
            session.Report(counts, data, []);
        }
    }

    private protected override TrainingStep<RowBatch> CreateStep(TrainedNetwork network, TrainingData<RowBatch> data)
    {
        // Reads rows, which may be bad: before there is anything to dispose.
        var spread = SampleSpread.Take(data.Training, design.Generator);
        if (design.Generator is { Values: { } values, OutputRange: { } range } && spread.RealRange / (range.Maximum - range.Minimum) is var share and < LeastShareOfRange)
            _warn?.Invoke(string.Create(CultureInfo.InvariantCulture, $"The real samples fill {share:P1} of {nameof(options.ValueRange)}, {values}: the generator can hardly make anything as small. Set {nameof(options.ValueRange)} to the range of column '{options.FeatureColumnName}', or scale it."));
        var discriminator = new TrainedNetwork("discriminator", design.Discriminator, _createDiscriminator!(), options.DiscriminatorOptimization, Seed + DiscriminatorSeed, network.Device);
        return new GanStep(network, discriminator, options, spread, Seed);
    }

    private nn.Module<Tensor, Tensor> CreateDiscriminator(GanWeights? known, TrainingSession session)
    {
        using var scope = NewDisposeScope();
        var module = design.Discriminator.CreateModule();
        options.InitializeWeights(module, SeedSequence.Derive(Seed, SeedSequence.Initialization, DiscriminatorSeed));
        if (known != null)
            session.Say($"{nameof(options.InitialModel)}, discriminator: {WarmStart.Copy(known.Discriminator, design.Discriminator, module)}");
        module.DetachFromDisposeScope();
        return module;
    }

    private TrainingColumns ColumnsOf(IDataView data, IDataView training, FeatureFormat format)
    {
        var label = options.LabelColumnName == null ? (DataViewSchema.Column?)null : data.Schema[options.LabelColumnName];
        return new TrainingColumns(data.Schema[options.FeatureColumnName], format, label, Weight: null, design.Generator.ClassCount)
        {
            Classes = label == null || ReferenceEquals(data, training) ? null : KeyMap.Create(label.Value, design.ClassNames, "the training data"),
        };
    }

    private void CheckValidation(IDataView input, IDataView validation)
    {
        var (column, other) = (FeatureRows.Find(input.Schema, options.FeatureColumnName), FeatureRows.Find(validation.Schema, options.FeatureColumnName));
        if (!FeatureReader.Fits(other, design.Generator.OutputCount))
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {FeatureReader.WidthOf(other)} values in the validation data and {design.Generator.OutputCount} in the training data."), nameof(validation));
        if (design.Generator.Image is { } image && !image.HasSidesOf(other.Type))
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has images of type {other.Type} in the validation data and {image}, channel after channel, in the training data."), nameof(validation));
    }
}
