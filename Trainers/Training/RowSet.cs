using Microsoft.ML;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using TorchSharp;

namespace MLExtensions.Training;

/// <summary>How a data set is read and divided.</summary>
/// <param name="Buffering">Whether it is held in memory.</param>
/// <param name="ShuffleBufferRows">The rows of the shuffle buffer of streamed data.</param>
/// <param name="ValidationFraction">The fraction of rows that is held out for validation.</param>
/// <param name="Seed">The training's seed.</param>
/// <param name="HasChecksum">
/// Whether to compute the checksum of the rows, which checkpoints need. The first pass over streamed data then reads features too.
/// </param>
/// <param name="GroupColumnName">The column whose rows of one value stay together when rows are held out, or null.</param>
internal sealed record RowSetSettings(Buffering Buffering, int ShuffleBufferRows, double ValidationFraction, int Seed, bool HasChecksum = false, string? GroupColumnName = null)
{
    /// <summary>Finds the group column in data of which rows are to be held out.</summary>
    public TrainingColumns WithGroup(TrainingColumns columns, DataViewSchema schema) =>
        GroupColumnName == null || ValidationFraction == 0 ? columns : columns with { Group = GroupColumn.Find(schema, GroupColumnName) };
}

/// <summary>Which rows of a data set.</summary>
internal enum RowPart
{
    /// <summary>The rows to train on.</summary>
    Training,

    /// <summary>The rows that are held out for validation.</summary>
    Validation,
}

/// <summary>A data set that was scanned, in memory or streamed, divided into training rows and validation rows.</summary>
internal abstract class RowSet : IDisposable
{
    private readonly RowSetSettings _settings;
    private readonly FirstPass _found;

    private RowSet(RowSetSettings settings, FirstPass found) => (_settings, _found) = (settings, found);

    /// <summary>The summary of the training labels, including their number.</summary>
    public LabelSummary Labels => _found.Labels;

    public long ValidationRows => _found.ValidationRows;

    /// <summary>What was cut, skipped or unknown in the first pass.</summary>
    public DataCounts Counts => _found.Counts;

    /// <summary>The number of rows without a label, which are left out.</summary>
    private long SkippedRows => Counts[DataCounts.RowsWithoutLabel];

    /// <summary>The checksum of the rows; null if the settings do not ask for it.</summary>
    public string? Checksum => _found.Checksum;

    /// <summary>Reads a data set, or scans its labels if it is streamed.</summary>
    /// <param name="data">The data.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="settings">How it is read.</param>
    /// <param name="throwIfCancelled">Called regularly; throws when training is cancelled.</param>
    public static RowSet Open(IDataView data, TrainingColumns columns, RowSetSettings settings, Action throwIfCancelled)
    {
        using var checksum = settings.HasChecksum ? new RowChecksum() : null;
        columns = settings.WithGroup(columns, data.Schema);
        return settings.Buffering == Buffering.InMemory
            ? InMemory.Read(data, columns, settings, checksum, throwIfCancelled)
            : Streamed.Scan(data, columns, settings, checksum, throwIfCancelled);
    }

    /// <summary>Batches of features.</summary>
    public IBatchSource<RowBatch> CreateBatches(RowPart part, BatchSettings settings) =>
        Create<RowBatch>(part, settings, (rows, width, epochRows) => new RowBuffer(rows, width, settings.Device, epochRows));

    /// <summary>Batches of features and labels.</summary>
    public IBatchSource<LabeledBatch> CreateLabeledBatches(RowPart part, BatchSettings settings, LabelScale scale) =>
        Create<LabeledBatch>(part, settings, (rows, width, epochRows) => new LabeledBuffer(rows, width, scale, settings.Device, epochRows));

    /// <summary>Batches of several examples of each of several classes.</summary>
    /// <param name="settings">How rows become batches.</param>
    /// <param name="examplesPerClass">The examples of a class in a batch; a divisor of the batch size.</param>
    /// <param name="scale">The mapping of labels.</param>
    /// <exception cref="NotSupportedException">The rows are streamed, so that a class cannot be looked up.</exception>
    public virtual IBatchSource<LabeledBatch> CreateClassBatches(BatchSettings settings, int examplesPerClass, LabelScale scale) =>
        throw new NotSupportedException($"Batches of classes need {nameof(Buffering)} = {nameof(Buffering.InMemory)}.");

    /// <exception cref="ArgumentException">There are too few rows for training or for validation.</exception>
    public void CheckRows(int minimumRows, string? labelColumn = null)
    {
        var rows = Labels.RowCount;
        var fraction = _settings.ValidationFraction;
        if (rows + ValidationRows == 0)
            throw new ArgumentException(SkippedRows == 0 ? "The training data has no rows." : FormattableString.Invariant($"None of the {SkippedRows} rows of the training data has a label in column '{labelColumn}'."));
        if (rows == 0 || (fraction > 0 && ValidationRows == 0))
            throw new ArgumentException(FormattableString.Invariant($"ValidationFraction {fraction} of {rows + ValidationRows} rows leaves {rows} rows for training and {ValidationRows} for validation; both need at least one."));
        if (rows < minimumRows)
            throw new ArgumentException(FormattableString.Invariant($"Batch normalization needs at least {minimumRows} rows; the training data has {rows}."));
    }

    public virtual void Dispose()
    {
    }

    protected abstract IBatchSource<TBatch> Create<TBatch>(RowPart part, BatchSettings settings, CreateBuffer<TBatch> createBuffer)
        where TBatch : RowBatch;

    /// <summary>The result of the first pass over the rows.</summary>
    private sealed record FirstPass(LabelSummary Labels, long ValidationRows, DataCounts Counts, string? Checksum);

    private sealed class InMemory(TrainingRows rows, int[] training, int[] validation, RowSetSettings settings, FirstPass found) : RowSet(settings, found)
    {
        public static InMemory Read(IDataView data, TrainingColumns columns, RowSetSettings settings, RowChecksum? checksum, Action throwIfCancelled)
        {
            var rows = TrainingRows.Read(data, columns, checksum, throwIfCancelled, out var counts);
            var (training, validation) = columns.Group is { } group
                ? SplitByGroup(rows, RowGroups.Choose(RowGroups.Count(rows.Groups!), settings.ValidationFraction, settings.Seed, group.Name))
                : SplitByClass(rows, settings, columns.ClassCount);
            var found = new FirstPass(rows.Summarize(training, columns.ClassCount), validation.Length, counts, checksum?.Finish());
            return new InMemory(rows, training, validation, settings, found);
        }

        public override void Dispose() => rows.Dispose();

        public override IBatchSource<LabeledBatch> CreateClassBatches(BatchSettings batches, int examplesPerClass, LabelScale scale) =>
            new ClassBatches<LabeledBatch>(rows, training, batches, examplesPerClass, (count, width, epochRows) => new LabeledBuffer(count, width, scale, batches.Device, epochRows), Checksum);

        protected override IBatchSource<TBatch> Create<TBatch>(RowPart part, BatchSettings batches, CreateBuffer<TBatch> createBuffer) =>
            new InMemoryBatches<TBatch>(rows, part == RowPart.Training ? training : validation, batches, createBuffer, Checksum);

        private static (int[] Training, int[] Validation) SplitByGroup(TrainingRows rows, RowGroups groups)
        {
            var parts = Enumerable.Range(0, rows.Count).ToLookup(row => groups.IsHeld(rows.Groups![row]));
            return (parts[false].ToArray(), parts[true].ToArray());
        }

        /// <summary>Holds out a fraction of the rows, the same fraction of each class if there are classes.</summary>
        private static (int[] Training, int[] Validation) SplitByClass(TrainingRows rows, RowSetSettings settings, int classCount)
        {
            var all = Enumerable.Range(0, rows.Count).ToArray();
            if (settings.ValidationFraction == 0)
                return (all, []);
            var random = new SplitMix64(SeedSequence.Derive(settings.Seed, SeedSequence.ValidationSplit));
            random.Shuffle(all);
            var training = new List<int>();
            var validation = new List<int>();
            foreach (var group in all.GroupBy(row => classCount > 0 ? (int)rows.LabelOf(row) : 0))
            {
                var members = group.ToArray();
                var aside = (int)Math.Round(members.Length * settings.ValidationFraction, MidpointRounding.AwayFromZero);
                validation.AddRange(members.AsSpan(0, aside));
                training.AddRange(members.AsSpan(aside));
            }
            // In the order of the data: the epochs are shuffled anyway.
            training.Sort();
            validation.Sort();
            return (training.ToArray(), validation.ToArray());
        }
    }

    private sealed class Streamed(IDataView data, TrainingColumns columns, RowSetSettings settings, RowGroups? groups, FirstPass found) : RowSet(settings, found)
    {
        public static Streamed Scan(IDataView data, TrainingColumns columns, RowSetSettings settings, RowChecksum? checksum, Action throwIfCancelled)
        {
            var labels = new LabelSummary(columns.ClassCount);
            long validationRows = 0;
            var groups = columns.Group is { } group ? RowGroups.Choose(RowGroups.Count(ReadGroups(data, columns)), settings.ValidationFraction, settings.Seed, group.Name) : null;
            // What is cut or unknown is counted before the training, once.
            var readsFeatures = checksum != null || columns.Format.HasCounts;
            using var reader = new RowReader(data, columns, readsFeatures);
            var features = readsFeatures ? new float[columns.Format.Width] : [];
            for (long row = 0; reader.MoveNext(); row++)
            {
                throwIfCancelled();
                if (readsFeatures)
                    reader.ReadFeatures(features);
                checksum?.Add(features, reader.Label, reader.Weight, reader.Group);
                if (PartOf(row, reader.Group, groups, settings) == RowPart.Validation)
                    validationRows++;
                else
                    labels.Add(reader.Label, reader.Weight);
            }
            return new Streamed(data, columns, settings, groups, new FirstPass(labels, validationRows, reader.Counts(), checksum?.Finish()));
        }

        protected override IBatchSource<TBatch> Create<TBatch>(RowPart part, BatchSettings batches, CreateBuffer<TBatch> createBuffer) => new StreamingBatches<TBatch>(
            data,
            columns,
            part == RowPart.Training ? Labels.RowCount : ValidationRows,
            (row, group) => PartOf(row, group, groups, _settings) == part,
            _settings.ShuffleBufferRows,
            batches,
            createBuffer,
            Checksum);

        /// <summary>The part that a streamed row belongs to; the same in every pass.</summary>
        private static RowPart PartOf(long row, ulong group, RowGroups? groups, RowSetSettings settings)
        {
            var isHeld = groups?.IsHeld(group)
                ?? (settings.ValidationFraction > 0 && new SplitMix64(SeedSequence.Derive(settings.Seed, SeedSequence.ValidationSplit) ^ (ulong)row).NextDouble() < settings.ValidationFraction);
            return isHeld ? RowPart.Validation : RowPart.Training;
        }

        private static IEnumerable<ulong> ReadGroups(IDataView data, TrainingColumns columns)
        {
            using var reader = new RowReader(data, columns, withFeatures: false);
            while (reader.MoveNext())
                yield return reader.Group;
        }
    }
}

/// <summary>The training and validation batches of a training that does not predict labels; rows may have a class all the same.</summary>
internal sealed class UnlabeledData : IDisposable
{
    // Validation reads the same rows in the same order each time, so larger batches change nothing.
    private const int ValidationBatch = 1024;

    private readonly RowSet _training;
    private readonly RowSet? _validation;
    private readonly double _fraction;

    private UnlabeledData(RowSet training, RowSet? validation, double fraction)
    {
        _training = training;
        _validation = validation;
        _fraction = fraction;
    }

    /// <summary>Reads the data, or counts its rows if it is streamed.</summary>
    /// <param name="training">The training data.</param>
    /// <param name="validation">Separate validation data, or null.</param>
    /// <param name="columnName">The feature column.</param>
    /// <param name="format">The format that rows of both data sets are checked against as they are read.</param>
    /// <param name="settings">How they are read. The validation fraction is used if there is no validation data.</param>
    /// <param name="throwIfCancelled">Called regularly; throws when training is cancelled.</param>
    /// <exception cref="ArgumentException">There are too few rows.</exception>
    public static UnlabeledData Open(IDataView training, IDataView? validation, string columnName, FeatureFormat format, RowSetSettings settings, Action throwIfCancelled) =>
        Open(training, validation, data => new TrainingColumns(data.Schema[columnName], format, Label: null, Weight: null, ClassCount: 0), settings, throwIfCancelled);

    /// <param name="training">The training data.</param>
    /// <param name="validation">Separate validation data, or null.</param>
    /// <param name="columns">The columns of a data set.</param>
    /// <param name="settings">How they are read. The validation fraction is used if there is no validation data.</param>
    /// <param name="throwIfCancelled">Called regularly; throws when training is cancelled.</param>
    /// <exception cref="ArgumentException">There are too few rows.</exception>
    public static UnlabeledData Open(IDataView training, IDataView? validation, Func<IDataView, TrainingColumns> columns, RowSetSettings settings, Action throwIfCancelled)
    {
        var fraction = validation == null ? settings.ValidationFraction : 0;
        var own = Open(training, fraction);
        try
        {
            own.CheckRows(minimumRows: 1, columns(training).Label?.Name);
            var other = validation == null ? null : ValidationData.Read(() => Open(validation, 0));
            if (other?.Labels.RowCount == 0)
                throw new ArgumentException("The validation data has no rows.");
            return new UnlabeledData(own, other, fraction);
        }
        catch
        {
            own.Dispose();
            throw;
        }

        RowSet Open(IDataView data, double share) =>
            RowSet.Open(data, columns(data), settings with { ValidationFraction = share }, throwIfCancelled);
    }

    /// <summary>The classes of the training rows.</summary>
    public LabelSummary Labels => _training.Labels;

    /// <summary>What was cut, skipped or unknown in the training data.</summary>
    public DataCounts Counts => _training.Counts;

    /// <summary>The same of separate validation data; null if there is none.</summary>
    public DataCounts? ValidationCounts => _validation?.Counts;

    /// <summary>The number of rows to validate on.</summary>
    public long ValidationRows => _validation?.Labels.RowCount ?? _training.ValidationRows;

    /// <summary>Creates the batches of a training. Several trainings can share the data, one after the other.</summary>
    /// <param name="batchSize">The number of rows per training batch.</param>
    /// <param name="seed">The seed of the row order.</param>
    /// <param name="device">The device of the batches.</param>
    /// <param name="minimumRows">A smaller last batch of training is skipped.</param>
    /// <param name="multiple">The rows of a batch are a multiple of it; what is over is left out.</param>
    /// <param name="labeled">Whether batches have the classes of the rows.</param>
    /// <param name="validationRows">The number of rows per validation batch, unless training has larger ones.</param>
    /// <param name="examplesPerClass">The examples of each class of a training batch, which are labeled; null for batches of any rows.</param>
    /// <param name="share">The part of each training batch; null for the whole.</param>
    public (IBatchSource<RowBatch> Training, IBatchSource<RowBatch>? Validation) CreateBatches(int batchSize, int seed, torch.Device device, int minimumRows = 1, int multiple = 1, bool labeled = false, int validationRows = ValidationBatch, int? examplesPerClass = null, Share? share = null)
    {
        var scale = new LabelScale(Mean: 0, StandardDeviation: 1, ClassWeights: null, WeightFactor: 1, HasExampleWeights: false);
        var settings = new BatchSettings(batchSize, minimumRows, seed, Shuffle: true, device) { Multiple = multiple };
        var unshuffled = settings with { Shuffle = false, MinimumRows = multiple, Size = Math.Max(validationRows / multiple * multiple, batchSize) };
        var validation = _validation != null ? Create(_validation, RowPart.Training, unshuffled) : _fraction > 0 ? Create(_training, RowPart.Validation, unshuffled) : null;
        return (examplesPerClass is { } each ? _training.CreateClassBatches(settings.For(share ?? Share.Whole), each, scale) : Create(_training, RowPart.Training, settings.For(share ?? Share.Whole)), validation);

        IBatchSource<RowBatch> Create(RowSet rows, RowPart part, BatchSettings batches) => labeled
            ? rows.CreateLabeledBatches(part, batches, scale)
            : rows.CreateBatches(part, batches);
    }

    public void Dispose()
    {
        _training.Dispose();
        _validation?.Dispose();
    }
}
