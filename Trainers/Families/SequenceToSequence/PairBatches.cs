using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.SequenceToSequence;

/// <summary>Batches of pairs of similar length, so that there is little padding.</summary>
/// <param name="pairs">The pairs; the caller disposes them.</param>
/// <param name="indices">The numbers of those to use.</param>
/// <param name="tokenizer">Says what is read in place of words beyond the vocabulary.</param>
/// <param name="startToken">What the decoder reads first.</param>
/// <param name="settings">How they become batches.</param>
/// <param name="checksum">The checksum of the data, or null.</param>
internal sealed class PairBatches(PairSet pairs, int[] indices, PairTokenizer tokenizer, int startToken, BatchSettings settings, string? checksum) : IBatchSource<PairBatch>
{
    // Sources are sorted first: batches whose sources are equally long are read at once.
    private const int MaximumTarget = 1 << 12;

    /// <summary>The number of predicted tokens of an epoch.</summary>
    public long RowCount { get; } = indices.Sum(pair => (long)pairs.TargetLength(pair));

    public int BatchCount => settings.CountBatches(indices.Length);

    public Share Share => settings.Share;

    public string? Checksum => checksum;

    public IEnumerable<PairBatch> ReadEpoch(int epoch)
    {
        var order = (int[])indices.Clone();
        var random = new SplitMix64(SeedSequence.Derive(settings.Seed, SeedSequence.Shuffle, epoch));
        if (settings.Shuffle)
            random.Shuffle(order);
        LengthGroups.Arrange(order, LengthOf, settings, ref random);
        var buffer = new int[pairs.LongestPair];
        for (var first = 0; settings.NextBatch(order.Length - first) is > 0 and var count; first += count)
            yield return Create(settings.Share.Of(order.AsSpan(first, count)), buffer, (double)first / order.Length);
    }

    private int LengthOf(int pair) => (pairs.SourceLength(pair) * MaximumTarget) + Math.Min(MaximumTarget - 1, pairs.TargetLength(pair));

    private PairBatch Create(Span<int> rows, int[] buffer, double fraction)
    {
        rows.Sort((a, b) => pairs.SourceLength(b).CompareTo(pairs.SourceLength(a)));
        var tensors = new PairTensors(rows.Length, pairs.SourceLength(rows[0]), MaximumOf(rows, pairs.TargetLength));
        for (var row = 0; row < rows.Length; row++)
        {
            var pair = pairs.ReadPair(rows[row], buffer);
            tensors.SetSource(row, pair.Source, pair.Copies);
            tensors.SetTarget(row, pair.Target, startToken, tokenizer);
        }
        return new PairBatch(fraction, tensors, tokenizer.VocabularySize, settings.Device);
    }

    private static int MaximumOf(ReadOnlySpan<int> rows, Func<int, int> length)
    {
        var most = 0;
        foreach (var row in rows)
            most = Math.Max(most, length(row));
        return most;
    }
}

/// <summary>Pairs as the network reads them.</summary>
internal sealed class PairBatch : Batch
{
    private readonly Tensor[] _all;

    public PairBatch(double epochFraction, PairTensors values, int vocabularySize, Device device)
        : base(values.TokenCount, epochFraction)
    {
        Lengths = values.Lengths;
        Source = Own(values.Source(device));
        Inputs = Own(values.Inputs(device));
        Places = Own(values.Places(device));
        Targets = Own(values.Targets(device));
        Copies = values.Copies(device) is { } copies ? Own(copies) : null;
        ExtraWords = values.ExtraWords(vocabularySize);
        _all = Copies is null ? [Source, Inputs, Places, Targets] : [Source, Inputs, Places, Targets, Copies];
    }

    /// <summary>The lengths of the sources, in descending order.</summary>
    public int[] Lengths { get; }

    /// <summary><c>[source steps, rows]</c>, int64.</summary>
    public Tensor Source { get; }

    /// <summary>The token before each token of the targets, <c>[target steps, rows]</c>, int64.</summary>
    public Tensor Inputs { get; }

    /// <summary>Where there is a target token: row * steps + step, <c>[tokens]</c>, int64.</summary>
    public Tensor Places { get; }

    /// <summary>The tokens at these places, <c>[tokens]</c>, int64.</summary>
    public Tensor Targets { get; }

    /// <summary>The sources as they can be copied, <c>[rows, source steps]</c>, int64; null if nothing is copied.</summary>
    public Tensor? Copies { get; }

    /// <summary>The number of words beyond the vocabulary.</summary>
    public int ExtraWords { get; }

    public override void Dispose()
    {
        foreach (var tensor in _all)
            tensor.Dispose();
    }

    private static Tensor Own(Tensor tensor) => tensor.DetachFromDisposeScope();
}
