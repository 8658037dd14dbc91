using Microsoft.ML;
using MLExtensions.Distribution;
using MLExtensions.Engine;

namespace MLExtensions.Training;

/// <summary>
/// Batches of rows that are read again in each epoch, on a thread of its own, some batches ahead of the training. A shuffle buffer lies
/// between the stream and the batches.
/// </summary>
/// <param name="data">The data.</param>
/// <param name="columns">Its columns.</param>
/// <param name="rowCount">The number of rows, known from an earlier pass.</param>
/// <param name="includes">Which of the labeled rows to use, by their number from 0 and their group.</param>
/// <param name="shuffleRows">The number of rows of the shuffle buffer; not used if the settings do not shuffle.</param>
/// <param name="settings">How they become batches.</param>
/// <param name="createBuffer">Creates the buffer of an epoch.</param>
/// <param name="checksum">The checksum of the data set, or null.</param>
internal sealed class StreamingBatches<TBatch>(
    IDataView data,
    TrainingColumns columns,
    long rowCount,
    Func<long, ulong, bool> includes,
    int shuffleRows,
    BatchSettings settings,
    CreateBuffer<TBatch> createBuffer,
    string? checksum) : RowBatches<TBatch>(settings, createBuffer, checksum)
    where TBatch : RowBatch
{
    // One batch is in use while the next is filled; small ones are worth a larger distance, as reading is not even.
    private const int BytesAhead = 4 << 20;
    private const int MostBuffers = 32;

    public override long RowCount => rowCount;

    private int OwnRows => (int)Math.Min(int.MaxValue, Math.Max(1, rowCount / Share.Count));

    public override IEnumerable<TBatch> ReadEpoch(int epoch)
    {
        var first = CreateBuffer(columns.Format.Width);
        var more = (int)Math.Clamp(BytesAhead / Math.Max(1L, first.Bytes), 1, MostBuffers - 1);
        var buffers = Enumerable.Range(0, more).Select(_ => CreateBuffer(columns.Format.Width)).Prepend(first);
        using var ahead = new ReadAhead<BatchBuffer<TBatch>>(buffers, ahead => Fill(ahead, epoch));
        for (long rowsBefore = 0; ahead.TryTake(out var buffer);)
        {
            var batch = buffer.Take(Settings.Own.NextBatch(buffer.Count), rowsBefore);
            rowsBefore += batch.RowCount;
            yield return batch;
        }
    }

    private void Fill(ReadAhead<BatchBuffer<TBatch>> ahead, int epoch)
    {
        if (ahead.NextFree() is not { } buffer)
            return;
        foreach (var row in Rows(epoch))
        {
            if (ahead.IsStopped)
                return;
            row.ReadFeatures(buffer.NextFeatures());
            buffer.Add(row.Label, row.Weight);
            if (!buffer.IsFull || Settings.Own.NextBatch(buffer.Count) == 0)
                continue;
            ahead.Give(buffer);
            if (ahead.NextFree() is not { } next)
                return;
            buffer = next;
        }
        if (Settings.Own.NextBatch(buffer.Count) > 0)
            ahead.Give(buffer);
    }

    /// <summary>The rows of an epoch. Each is there until the next one is asked for.</summary>
    private IEnumerable<IStreamedRow> Rows(int epoch)
    {
        var rows = Settings.Shuffle ? Shuffled(epoch) : InOrder();
        return Settings is { LengthOf: not null, Shuffle: true } ? Grouped(rows, epoch) : rows;
    }

    private IEnumerable<IStreamedRow> Grouped(IEnumerable<IStreamedRow> rows, int epoch)
    {
        var random = new SplitMix64(SeedSequence.Derive(Settings.Seed, SeedSequence.BatchOrder, epoch));
        foreach (var group in rows.Select(row => new RowCopy(row, columns.Format.Width)).Chunk(LengthGroups.GroupRows(Settings)))
        {
            LengthGroups.Arrange(group, row => Settings.LengthOf!(row.Features), Settings, ref random);
            foreach (var row in group)
                yield return row;
        }
    }

    private IEnumerable<IStreamedRow> InOrder()
    {
        using var reader = new RowReader(data, columns);
        var (included, all) = (0L, rowCount / Share.Count * Share.Count);
        for (long row = 0; reader.MoveNext(); row++)
        {
            // Ranks take turns. Features of the others' rows are not computed.
            if (includes(row, reader.Group) && included++ % Share.Count == Share.Rank && included <= all)
                yield return reader;
        }
    }

    /// <summary>
    /// Each row that comes takes the place of a randomly drawn one, which goes: it stays for as many rows as the buffer has on average, and
    /// with probability e^-k for more than k times as many.
    /// </summary>
    private IEnumerable<IStreamedRow> Shuffled(int epoch)
    {
        var random = new SplitMix64(SeedSequence.Derive(Settings.Seed, SeedSequence.Shuffle, epoch));
        using var kept = new ShuffleBuffer(columns, Math.Min(shuffleRows, OwnRows));
        foreach (var row in InOrder())
        {
            if (!kept.IsFull)
            {
                kept.Add(row);
                continue;
            }
            yield return kept.Choose(random.Next(kept.Count));
            kept.Replace(row);
        }
        while (kept.Count > 0)
        {
            yield return kept.Choose(random.Next(kept.Count));
            kept.Remove();
        }
    }
}
