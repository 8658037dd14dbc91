using Microsoft.ML;

namespace MLExtensions.Training.Data;

/// <summary>How a data set is read and divided.</summary>
/// <param name="Buffering">Whether it is held in memory.</param>
/// <param name="ShuffleBufferRows">The rows of the shuffle buffer of streamed data.</param>
/// <param name="ValidationFraction">The share of its rows that validate.</param>
/// <param name="Seed">The training's seed.</param>
internal sealed record RowSetSettings(Buffering Buffering, int ShuffleBufferRows, double ValidationFraction, int Seed);

/// <summary>A data set that was looked at, in memory or streamed, divided into rows that train and rows that validate.</summary>
internal sealed class RowSet : IDisposable
{
    private readonly TrainingRows? _rows;
    private readonly Func<BatchSettings, bool, IBatchSource> _createBatches;
    private readonly double _validationFraction;

    private RowSet(TrainingRows? rows, LabelSummary labels, long validationRows, long skippedRows, double validationFraction, Func<BatchSettings, bool, IBatchSource> createBatches)
    {
        _rows = rows;
        _createBatches = createBatches;
        _validationFraction = validationFraction;
        Labels = labels;
        ValidationRows = validationRows;
        SkippedRows = skippedRows;
    }

    /// <summary>What is known of the training rows' labels, their number among it.</summary>
    public LabelSummary Labels { get; }

    public long ValidationRows { get; }

    /// <summary>The number of rows without a label, which are left out.</summary>
    public long SkippedRows { get; }

    /// <summary>Reads a data set, or looks at its labels where it is streamed.</summary>
    public static RowSet Open(IDataView data, TrainingColumns columns, RowSetSettings settings, Action checkAlive) =>
        settings.Buffering == Buffering.InMemory ? Read(data, columns, settings, checkAlive) : Scan(data, columns, settings, checkAlive);

    /// <param name="settings">How rows become batches.</param>
    /// <param name="ofValidation">Whether of the rows that were set aside.</param>
    public IBatchSource CreateBatches(BatchSettings settings, bool ofValidation) => _createBatches(settings, ofValidation);

    /// <exception cref="ArgumentException">There are too few rows to train or to validate.</exception>
    public void CheckRows(int minimumRows)
    {
        var rows = Labels.RowCount;
        if (rows + ValidationRows == 0)
            throw new ArgumentException(SkippedRows == 0 ? "The training data has no rows." : $"None of the {SkippedRows} rows of the training data has a label.");
        if (rows == 0 || (_validationFraction > 0 && ValidationRows == 0))
            throw new ArgumentException($"ValidationFraction {_validationFraction} of {rows + ValidationRows} rows leaves {rows} rows to train and {ValidationRows} to validate; both need at least one.");
        if (rows < minimumRows)
            throw new ArgumentException($"Batch normalisation needs at least {minimumRows} rows; the training data has {rows}.");
    }

    public void Dispose() => _rows?.Dispose();

    private static RowSet Read(IDataView data, TrainingColumns columns, RowSetSettings settings, Action checkAlive)
    {
        var rows = TrainingRows.Read(data, columns, out var skipped, checkAlive);
        var (training, validation) = RowSplit.Stratified(rows, settings.ValidationFraction, columns.ClassCount, settings.Seed);
        return new RowSet(
            rows,
            rows.Summarize(training, columns.ClassCount),
            validation.Length,
            skipped,
            settings.ValidationFraction,
            (batches, ofValidation) => new InMemoryBatches(rows, ofValidation ? validation : training, batches));
    }

    private static RowSet Scan(IDataView data, TrainingColumns columns, RowSetSettings settings, Action checkAlive)
    {
        var labels = new LabelSummary(columns.ClassCount);
        long validationRows = 0;
        using var reader = new RowReader(data, columns, withFeatures: false);
        for (long row = 0; reader.MoveNext(); row++)
        {
            if (row % 1024 == 0)
                checkAlive();
            if (IsValidation(row))
                validationRows++;
            else
                labels.Add(reader.Label, reader.Weight);
        }
        return new RowSet(null, labels, validationRows, reader.SkippedRows, settings.ValidationFraction, (batches, ofValidation) => new StreamingBatches(
            data,
            columns,
            ofValidation ? validationRows : labels.RowCount,
            row => IsValidation(row) == ofValidation,
            settings.ShuffleBufferRows,
            batches));

        bool IsValidation(long row) => RowSplit.IsValidation(row, settings.ValidationFraction, settings.Seed);
    }
}
