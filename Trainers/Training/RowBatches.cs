using MLExtensions.Distribution;
using MLExtensions.Engine;

namespace MLExtensions.Training;

/// <summary>Creates the buffer of an epoch from the rows per batch, their width and the rows of the epoch.</summary>
internal delegate BatchBuffer<TBatch> CreateBuffer<TBatch>(int batchRows, int width, long epochRows)
    where TBatch : RowBatch;

/// <summary>Batches of the rows of a data set.</summary>
internal abstract class RowBatches<TBatch>(BatchSettings settings, CreateBuffer<TBatch> createBuffer, string? checksum) : IBatchSource<TBatch>
    where TBatch : RowBatch
{
    public abstract long RowCount { get; }

    public int BatchCount => Settings.CountBatches(RowCount);

    public long LeftOut => Settings.LeftOut(RowCount);

    public string? Checksum => checksum;

    protected BatchSettings Settings => settings;

    public abstract IEnumerable<TBatch> ReadEpoch(int epoch);

    public Share Share => Settings.Share;

    protected BatchBuffer<TBatch> CreateBuffer(int width)
    {
        var rows = Math.Max(1, RowCount / Share.Count);
        return createBuffer((int)Math.Min(Settings.Size / Share.Count, rows), width, rows);
    }
}

/// <summary>Batches of rows that are in memory.</summary>
/// <param name="rows">The rows; the caller disposes them.</param>
/// <param name="indices">The indices of the rows to use.</param>
/// <param name="settings">How they become batches.</param>
/// <param name="createBuffer">Creates the buffer of an epoch.</param>
/// <param name="checksum">The checksum of the data set, or null.</param>
internal sealed class InMemoryBatches<TBatch>(TrainingRows rows, int[] indices, BatchSettings settings, CreateBuffer<TBatch> createBuffer, string? checksum)
    : RowBatches<TBatch>(settings, createBuffer, checksum)
    where TBatch : RowBatch
{
    public override long RowCount => indices.Length;

    public override IEnumerable<TBatch> ReadEpoch(int epoch)
    {
        using var buffer = CreateBuffer(rows.Features.Width);
        var order = Order(epoch);
        var kept = Settings.KeepsFeaturesOnDevice ? rows.FeaturesOn(Settings.Device) : null;
        for (var first = 0; Settings.NextBatch(order.Length - first) is > 0 and var count; first += count)
        {
            var which = Settings.Share.Of(order.AsSpan(first, count));
            buffer.Fill(rows, which, withFeatures: kept == null);
            yield return buffer.Take(buffer.Count, kept?.Take(which));
        }
    }

    private int[] Order(int epoch)
    {
        if (!Settings.Shuffle && Settings.LengthOf == null)
            return indices;
        var order = (int[])indices.Clone();
        var random = new SplitMix64(SeedSequence.Derive(Settings.Seed, SeedSequence.Shuffle, epoch));
        if (Settings.Shuffle)
            random.Shuffle(order);
        if (Settings.LengthOf is { } lengthOf)
            LengthGroups.Arrange(order, row => lengthOf(rows.Features[row]), Settings, ref random);
        return order;
    }
}

/// <summary>
/// Puts rows of similar length into one batch, so that there is little padding, and still shuffles: only rows within a few batches of each
/// other are sorted, and the batches are in random order.
/// </summary>
internal static class LengthGroups
{
    private const int BatchesPerGroup = 50;

    /// <summary>The rows that are sorted together.</summary>
    public static int GroupRows(BatchSettings settings) => (int)Math.Min(int.MaxValue, (long)settings.Size * BatchesPerGroup);

    /// <param name="rows">The rows, already shuffled if wanted; changed in place.</param>
    /// <param name="lengthOf">The length of a row.</param>
    /// <param name="settings">How rows become batches. Without shuffling, all rows are sorted together.</param>
    /// <param name="random">Draws the order of the batches.</param>
    public static void Arrange<T>(Span<T> rows, Func<T, int> lengthOf, BatchSettings settings, ref SplitMix64 random)
    {
        var group = settings.Shuffle ? GroupRows(settings) : rows.Length;
        for (var first = 0; first < rows.Length; first += group)
        {
            var part = rows.Slice(first, Math.Min(group, rows.Length - first));
            var lengths = new (int Length, int Place)[part.Length];
            for (var i = 0; i < part.Length; i++)
                lengths[i] = (lengthOf(part[i]), i);
            Array.Sort(lengths);
            Reorder(part, lengths.Select(entry => entry.Place).ToArray());
            if (settings.Shuffle)
                ShuffleBatches(part, settings.Size, ref random);
        }
    }

    /// <summary>A last batch that is not full must stay the last.</summary>
    private static void ShuffleBatches<T>(Span<T> rows, int size, ref SplitMix64 random)
    {
        var batches = Enumerable.Range(0, rows.Length / size).ToArray();
        random.Shuffle(batches);
        var places = batches.SelectMany(batch => Enumerable.Range(batch * size, size)).ToArray();
        Reorder(rows[..places.Length], places);
    }

    private static void Reorder<T>(Span<T> rows, int[] places)
    {
        var before = rows.ToArray();
        for (var i = 0; i < places.Length; i++)
            rows[i] = before[places[i]];
    }
}
