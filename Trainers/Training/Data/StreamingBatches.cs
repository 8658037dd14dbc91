using Microsoft.ML;

namespace MLExtensions.Training.Data;

/// <summary>
/// Batches of rows that are read anew each epoch. A buffer of rows stands between the stream and the batches: each row that comes
/// takes the place of one drawn at random, so rows move about by some buffer lengths.
/// </summary>
internal sealed class StreamingBatches : IBatchSource
{
    private readonly IDataView _data;
    private readonly TrainingColumns _columns;
    private readonly Func<long, bool> _includes;
    private readonly int _shuffleRows;
    private readonly BatchSettings _settings;

    /// <param name="data">The data.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="rowCount">How many rows there are, found in an earlier pass.</param>
    /// <param name="includes">Which of the rows with a label, counted from 0.</param>
    /// <param name="shuffleRows">The rows of the shuffle buffer; not used where the settings don't shuffle.</param>
    /// <param name="settings">How they become batches.</param>
    public StreamingBatches(IDataView data, TrainingColumns columns, long rowCount, Func<long, bool> includes, int shuffleRows, BatchSettings settings)
    {
        _data = data;
        _columns = columns;
        RowCount = rowCount;
        _includes = includes;
        _shuffleRows = (int)Math.Min(shuffleRows, Math.Max(1, rowCount));
        _settings = settings;
    }

    public long RowCount { get; }

    public int BatchCount => _settings.CountBatches(RowCount);

    public IEnumerable<Batch> ReadEpoch(int epoch)
    {
        var size = (int)Math.Min(_settings.Size, RowCount);
        using var buffer = new BatchBuffer(size, _columns.Format.Width, _settings.Scale, _settings.Device, RowCount);
        foreach (var (features, label, weight) in Rows(epoch))
        {
            features.Span.CopyTo(buffer.NextFeatures());
            buffer.Add(label, weight);
            if (buffer.IsFull)
                yield return buffer.Take();
        }
        if (buffer.Count >= _settings.MinimumRows)
            yield return buffer.Take();
    }

    private IEnumerable<StreamedRow> Rows(int epoch)
    {
        var rows = _settings.Shuffle ? Shuffled(epoch) : InOrder();
        return _settings is { LengthOf: not null, Shuffle: true } ? Grouped(rows, epoch) : rows;
    }

    private IEnumerable<StreamedRow> Grouped(IEnumerable<StreamedRow> rows, int epoch)
    {
        var random = new SplitMix64(SeedSequence.Derive(_settings.Seed, SeedSequence.BatchOrder, epoch));
        foreach (var group in rows.Select(row => row.Copy()).Chunk(LengthGroups.GroupRows(_settings)))
        {
            LengthGroups.Arrange(group, row => _settings.LengthOf!(row.Features.Span), _settings, ref random);
            foreach (var row in group)
                yield return row;
        }
    }

    private IEnumerable<StreamedRow> InOrder()
    {
        using var reader = new RowReader(_data, _columns);
        var features = new float[_columns.Format.Width];
        for (long row = 0; reader.MoveNext(); row++)
        {
            if (!_includes(row))
                continue;
            reader.ReadFeatures(features);
            yield return new StreamedRow(features, reader.Label, reader.Weight);
        }
    }

    private IEnumerable<StreamedRow> Shuffled(int epoch)
    {
        var random = new SplitMix64(SeedSequence.Derive(_settings.Seed, SeedSequence.Shuffle, epoch));
        var kept = new StreamedRow[_shuffleRows];
        var count = 0;
        foreach (var row in InOrder())
        {
            if (count < kept.Length)
            {
                kept[count++] = row.Copy();
                continue;
            }
            var drawn = random.Next(count);
            yield return kept[drawn];
            kept[drawn].Replace(row, out kept[drawn]);
        }
        while (count > 0)
        {
            var drawn = random.Next(count);
            yield return kept[drawn];
            kept[drawn] = kept[--count];
        }
    }

    private readonly record struct StreamedRow(Memory<float> Features, float Label, float Weight)
    {
        public StreamedRow Copy() => this with { Features = Features.ToArray() };

        /// <summary>Writes another row over this one's memory.</summary>
        public void Replace(StreamedRow other, out StreamedRow replaced)
        {
            other.Features.CopyTo(Features);
            replaced = other with { Features = Features };
        }
    }
}
