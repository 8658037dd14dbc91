using MLExtensions.Engine;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// Batches for truncated backpropagation through time. The text is divided into as many parallel streams as a batch has rows. Each stream
/// continues where it stopped in the previous batch, so that the network's state can be carried over. Batches are never shuffled.
/// </summary>
internal sealed class TokenWindows : IBatchSource<TokenBatch>
{
    private readonly TokenStore _tokens;
    private readonly long _first;
    private readonly long _laneLength;
    private readonly int _lanes;
    private readonly int _steps;
    private readonly Device _device;

    /// <param name="tokens">The text; the caller disposes it.</param>
    /// <param name="first">The first token of the part to use.</param>
    /// <param name="count">The number of tokens of that part, at least 2.</param>
    /// <param name="lanes">The maximum number of parallel streams.</param>
    /// <param name="steps">The number of time steps per batch; the last batch has the rest.</param>
    /// <param name="device">The device of the batches.</param>
    /// <param name="checksum">The checksum of the text, or null.</param>
    public TokenWindows(TokenStore tokens, long first, long count, int lanes, int steps, Device device, string? checksum)
    {
        Checksum = checksum;
        _tokens = tokens;
        _first = first;
        _lanes = (int)Math.Min(lanes, count / 2);
        _laneLength = count / _lanes;
        _steps = steps;
        _device = device;
    }

    public string? Checksum { get; }

    /// <summary>The number of predicted tokens per epoch.</summary>
    public long RowCount => (_laneLength - 1) * _lanes;

    public int BatchCount => checked((int)((_laneLength - 1 + _steps - 1) / _steps));

    public IEnumerable<TokenBatch> ReadEpoch(int epoch)
    {
        for (long at = 0; at < _laneLength - 1; at += _steps)
            yield return Read(at, (int)Math.Min(_steps, _laneLength - 1 - at));
    }

    private TokenBatch Read(long at, int steps)
    {
        var window = new int[steps + 1];
        var inputs = new long[steps * _lanes];
        var targets = new long[steps * _lanes];
        for (var lane = 0; lane < _lanes; lane++)
        {
            _tokens.Read(_first + (lane * _laneLength) + at, window);
            for (var step = 0; step < steps; step++)
            {
                inputs[(step * _lanes) + lane] = window[step];
                targets[(step * _lanes) + lane] = window[step + 1];
            }
        }
        var fraction = (double)at / (_laneLength - 1);
        return new TokenBatch(
            inputs.Length,
            fraction,
            tensor(inputs, [steps, _lanes], ScalarType.Int64, _device).DetachFromDisposeScope(),
            tensor(targets, ScalarType.Int64, _device).DetachFromDisposeScope());
    }
}

/// <summary>Several time steps of a text, in parallel streams.</summary>
/// <param name="rowCount">The number of predicted tokens.</param>
/// <param name="epochFraction">The fraction of the epoch before this batch, in [0, 1).</param>
/// <param name="inputs"><c>[steps, streams]</c>, int64, on the training device.</param>
/// <param name="targets"><c>[steps * streams]</c>, int64, on the training device.</param>
internal sealed class TokenBatch(int rowCount, double epochFraction, Tensor inputs, Tensor targets) : Batch(rowCount, epochFraction)
{
    /// <summary>The tokens, <c>[steps, streams]</c>, int64.</summary>
    public Tensor Inputs => inputs;

    /// <summary>The tokens that follow them, <c>[steps * streams]</c>, int64.</summary>
    public Tensor Targets => targets;

    public override void Dispose()
    {
        inputs.Dispose();
        targets.Dispose();
    }
}
