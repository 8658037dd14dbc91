using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Networks;

namespace MLExtensions.Families.Reinforcement;

/// <summary>Draws the batches of a training from a replay buffer, by priority if it has some.</summary>
internal sealed class ReplayBatches : IDisposable
{
    // Without it, what is known exactly would never be looked at again.
    private const float LeastError = 1e-6f;

    private readonly ReplayBuffer _buffer;
    private readonly DqnEstimator.Options _options;
    private readonly TransitionBlock _block;
    private readonly int[] _places;
    private readonly double[] _errors;
    private readonly int _first;
    private readonly ProcessGroup? _group;

    /// <param name="buffer">Where transitions are drawn from.</param>
    /// <param name="options">The options.</param>
    /// <param name="isShared">Whether all ranks have the same transitions. Otherwise each draws its part of a batch from its own.</param>
    public ReplayBatches(ReplayBuffer buffer, DqnEstimator.Options options, bool isShared)
    {
        (_buffer, _options, _group) = (buffer, options, isShared ? options.Distributed?.Group : null);
        _block = new TransitionBlock(options.RowsOfRank, buffer.Format);
        _places = new int[isShared ? options.BatchSize : options.RowsOfRank];
        _errors = new double[_places.Length];
        _first = isShared ? options.RowsOfRank * (options.Distributed?.Rank ?? 0) : 0;
    }

    /// <summary>Draws a batch; null if there are no whole transitions yet.</summary>
    /// <param name="random">The random numbers.</param>
    /// <param name="steps">The number of steps of a return.</param>
    /// <param name="done">The share of the training that is done.</param>
    /// <param name="epochFraction">The fraction of the epoch before the batch.</param>
    /// <param name="copiesTarget">Whether the target network becomes a copy before it.</param>
    public TransitionBatch? Draw(Random random, int steps, double done, double epochFraction, bool copiesTarget)
    {
        if (!_block.Fill(_buffer, random, steps, _options.DiscountFactor, _places, _first))
            return null;
        if (_buffer.Priorities is { } priorities)
            Weigh(priorities, Math.Min(1, _options.PriorityCorrection + ((1 - _options.PriorityCorrection) * done)));
        return new TransitionBatch(_block.Rows, epochFraction, _block)
        {
            CopiesTarget = copiesTarget,
            TakeErrors = _buffer.Priorities == null ? null : TakeErrors,
        };
    }

    public void Dispose() => _block.Dispose();

    /// <summary>What is drawn more often counts less each time; the largest weight is 1.</summary>
    private void Weigh(SumTree priorities, double power)
    {
        var weights = _block.Weights.Values;
        var largest = 0f;
        for (var i = 0; i < _places.Length; i++)
        {
            var weight = (float)Math.Pow(_buffer.Count * priorities[_places[i]] / priorities.Total, -power);
            largest = Math.Max(largest, weight);
            if (i >= _first && i < _first + weights.Length)
                weights[i - _first] = weight;
        }
        foreach (ref var weight in weights)
            weight /= largest;
    }

    private void TakeErrors(ReadOnlySpan<float> errors)
    {
        Array.Clear(_errors);
        for (var i = 0; i < errors.Length; i++)
            _errors[_first + i] = errors[i];
        _group?.Sum(_errors.AsSpan());
        for (var i = 0; i < _errors.Length; i++)
        {
            var priority = MathF.Pow(Math.Abs((float)_errors[i]) + LeastError, (float)_options.PriorityExponent);
            if (!float.IsFinite(priority))
                continue; // the loss is not finite either, and ends the training
            _buffer.Priorities![_places[i]] = priority;
            _buffer.NewPriority = Math.Max(_buffer.NewPriority, priority);
        }
    }
}

/// <summary>The batches of logged transitions: as many in an epoch as there are rows for.</summary>
/// <param name="buffer">The transitions; owned by this object.</param>
/// <param name="rows">The number of transitions.</param>
/// <param name="checksum">The checksum of the rows.</param>
/// <param name="options">The options.</param>
/// <param name="steps">The number of steps of a return.</param>
/// <param name="seed">The seed of what is drawn.</param>
internal sealed class LogBatches(ReplayBuffer buffer, long rows, string checksum, DqnEstimator.Options options, int steps, int seed) : IBatchSource<TransitionBatch>, IDisposable
{
    private readonly ReplayBatches _batches = new(buffer, options, isShared: true);

    public Share Share => Distributed.ShareOf(options.Distributed);

    public long RowCount => (long)BatchCount * options.BatchSize;

    public int BatchCount => (int)Math.Max(1, rows / options.BatchSize);

    public string? Checksum => checksum;

    public IReadOnlyList<(string Name, TorchSharp.torch.Tensor Value)> State => buffer.Priorities == null ? [] : [("priorities", buffer.Priorities.Leaves)];

    public IEnumerable<TransitionBatch> ReadEpoch(int epoch)
    {
        buffer.Priorities?.Rebuild();
        var random = new SeededRandom(SeedSequence.Derive(seed, SeedSequence.Shuffle, epoch));
        for (var i = 0; i < BatchCount; i++)
        {
            var step = ((epoch - 1L) * BatchCount) + i;
            var copies = options.TargetUpdateInterval is { } interval && step % interval == 0;
            yield return _batches.Draw(random, steps, (double)step / ((long)options.Epochs * BatchCount), (double)i / BatchCount, copies)
                ?? throw new ArgumentException("The log has no whole transition to learn from.");
        }
    }

    public void Dispose()
    {
        _batches.Dispose();
        buffer.Dispose();
    }
}

/// <summary>Logged transitions that nothing is learned from, all of them in order.</summary>
internal sealed class HeldOutBatches : IBatchSource<TransitionBatch>, IDisposable
{
    private readonly ReplayBuffer _buffer;
    private readonly DqnEstimator.Options _options;
    private readonly int _steps;
    private readonly int[][] _places;
    private readonly TransitionBlock _block;

    /// <param name="buffer">The transitions; owned by this object.</param>
    /// <param name="checksum">The checksum of the rows.</param>
    /// <param name="options">The options.</param>
    /// <param name="steps">The number of steps of a return.</param>
    public HeldOutBatches(ReplayBuffer buffer, string checksum, DqnEstimator.Options options, int steps)
    {
        (_buffer, Checksum, _options, _steps) = (buffer, checksum, options, steps);
        _places = buffer.WholePlaces(steps).Chunk(options.RowsOfRank).ToArray();
        _block = new TransitionBlock(options.RowsOfRank, buffer.Format);
    }

    public long RowCount => _places.Sum(places => (long)places.Length);

    public int BatchCount => _places.Length;

    public string? Checksum { get; }

    public IEnumerable<TransitionBatch> ReadEpoch(int epoch)
    {
        for (var i = 0; i < _places.Length; i++)
        {
            // The last batch can be smaller than the others: the rest of its block is there, but does not count.
            var places = _places[i];
            int[] all = [.. places, .. Enumerable.Repeat(places[^1], _block.Rows - places.Length)];
            _block.Fill(_buffer, null, _steps, _options.DiscountFactor, all);
            yield return new TransitionBatch(places.Length, (double)i / _places.Length, _block);
        }
    }

    public void Dispose()
    {
        _block.Dispose();
        _buffer.Dispose();
    }
}
