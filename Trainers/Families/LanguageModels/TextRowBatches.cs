using System.Runtime.InteropServices;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>Where a row of text is among the tokens.</summary>
/// <param name="First">Its first token, that of its context if it has one.</param>
/// <param name="Context">The number of tokens of the context with its end; 0 without one.</param>
/// <param name="Count">The number of tokens of all, with the end of the row.</param>
internal readonly record struct TextRow(long First, int Context, int Count);

/// <summary>How rows are mixed in training.</summary>
/// <param name="Seed">The seed of the training.</param>
/// <param name="ContextDropout">The fraction of rows without their context.</param>
internal sealed record RowShuffle(int Seed, double ContextDropout);

/// <summary>
/// Batches of whole rows of text that have nothing to do with each other. Rows of similar length are read together; the rest is filled up
/// and neither predicted nor counted.
/// </summary>
internal sealed class TextRowBatches : IBatchSource<TokenBatch>
{
    /// <summary>Rows are sorted by length among this number of batches, so that the order of an epoch remains random.</summary>
    private const int PoolBatches = 50;

    private readonly TokenStore _tokens;
    private readonly TextRow[] _rows;
    private readonly int _batchSize;
    private readonly int _endOfSequence;
    private readonly RowShuffle? _shuffle;
    private readonly Device _device;

    /// <param name="tokens">The text; the caller disposes it.</param>
    /// <param name="rows">The rows to read, at least one.</param>
    /// <param name="batchSize">The number of rows of a batch.</param>
    /// <param name="endOfSequence">The token at the end of rows, before which everything begins.</param>
    /// <param name="shuffle">How rows are mixed; null for their order and all contexts.</param>
    /// <param name="device">The device of the batches.</param>
    /// <param name="checksum">The checksum of the text, or null.</param>
    /// <param name="share">The part of each batch that is read here.</param>
    public TextRowBatches(TokenStore tokens, List<TextRow> rows, int batchSize, int endOfSequence, RowShuffle? shuffle, Device device, string? checksum, Share share)
    {
        Share = share;
        (_tokens, _rows, _batchSize, _endOfSequence, _shuffle, _device) = (tokens, [.. rows], batchSize, endOfSequence, shuffle, device);
        RowCount = rows.Sum(row => (long)row.Count - row.Context);
        // The rows belong to the data: the same tokens can be divided in another way.
        Checksum = checksum == null ? null : FormattableString.Invariant($"{checksum} in {rows.Count} rows, {rows.Aggregate(17L, (hash, row) => unchecked((hash * 31) + (row.First * 7) + row.Context))}");
    }

    public string? Checksum { get; }

    public Share Share { get; }

    /// <summary>The number of predicted tokens per epoch.</summary>
    public long RowCount { get; }

    /// <summary>The number of rows of text.</summary>
    public int Rows => _rows.Length;

    public int BatchCount => (_rows.Length / _batchSize) + (_rows.Length % _batchSize >= Share.Count ? 1 : 0);

    public IEnumerable<TokenBatch> ReadEpoch(int epoch)
    {
        var order = Enumerable.Range(0, _rows.Length).ToArray();
        var dropped = new bool[_rows.Length];
        if (_shuffle != null)
        {
            var random = new SplitMix64(SeedSequence.Derive(_shuffle.Seed, SeedSequence.Shuffle, epoch));
            random.Shuffle(order);
            var drops = new SplitMix64(SeedSequence.Derive(_shuffle.Seed, SeedSequence.ContextDropout, epoch));
            for (var row = 0; row < dropped.Length && _shuffle.ContextDropout > 0; row++)
                dropped[row] = drops.NextDouble() < _shuffle.ContextDropout;
        }
        var read = 0L;
        foreach (var rows in Batches(order, dropped, epoch))
        {
            if (rows.Length < Share.Count)
                continue; // not a row for each rank
            yield return Read(Share.Of(rows.AsSpan(0, rows.Length - (rows.Length % Share.Count))).ToArray(), dropped, (double)read / RowCount);
            read += rows.Sum(row => (long)_rows[row].Count - _rows[row].Context);
        }
    }

    /// <summary>Divides the rows into batches of rows of similar length.</summary>
    private List<int[]> Batches(int[] order, bool[] dropped, int epoch)
    {
        var batches = new List<int[]>();
        foreach (var pool in order.Chunk(_batchSize * PoolBatches))
            batches.AddRange(pool.OrderBy(row => LengthOf(row, dropped)).Chunk(_batchSize));
        if (_shuffle != null)
        {
            var places = Enumerable.Range(0, batches.Count).ToArray();
            new SplitMix64(SeedSequence.Derive(_shuffle.Seed, SeedSequence.BatchOrder, epoch)).Shuffle(places);
            batches = [.. places.Select(place => batches[place])];
        }
        return batches;
    }

    private int LengthOf(int row, bool[] dropped) => _rows[row].Count - (dropped[row] ? _rows[row].Context : 0);

    private TokenBatch Read(int[] rows, bool[] dropped, double fraction)
    {
        var (steps, width) = (rows.Max(row => LengthOf(row, dropped)), rows.Length);
        var inputs = new long[steps * width];
        Array.Fill(inputs, _endOfSequence);
        var (targets, places) = (new List<long>(inputs.Length), new List<long>(inputs.Length));
        var tokens = new int[steps];
        for (var i = 0; i < width; i++)
        {
            var row = _rows[rows[i]];
            var count = LengthOf(rows[i], dropped);
            var context = dropped[rows[i]] ? 0 : row.Context;
            _tokens.Read(row.First + row.Count - count, tokens.AsSpan(0, count));
            for (var step = 0; step < count; step++)
            {
                if (step + 1 < count)
                    inputs[((step + 1) * width) + i] = tokens[step];
                if (step < context)
                    continue;
                targets.Add(tokens[step]);
                places.Add((step * width) + i);
            }
        }
        return new TokenBatch(
            targets.Count,
            fraction,
            tensor(inputs, [steps, width], ScalarType.Int64, _device).DetachFromDisposeScope(),
            Vector(targets),
            Vector(places));
    }

    private Tensor Vector(List<long> values) => tensor(CollectionsMarshal.AsSpan(values).ToArray(), ScalarType.Int64, _device).DetachFromDisposeScope();
}
