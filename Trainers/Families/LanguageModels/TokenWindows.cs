using MLExtensions.Engine;
using MLExtensions.Training;
using MLExtensions.Families.Recurrent;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// Batches for truncated back-propagation through time: the text is cut into as many lanes as a batch has rows, each going on where
/// it stopped in the batch before, so that a network's state can be carried on. Batches have an order and are never shuffled.
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
    /// <param name="first">Where the part begins that is used.</param>
    /// <param name="count">How many tokens that part has, at least 2.</param>
    /// <param name="lanes">The rows of a batch, at most.</param>
    /// <param name="steps">The steps of a batch; the last has what is left.</param>
    /// <param name="device">Where batches go.</param>
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

    /// <summary>The tokens that are predicted in an epoch.</summary>
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
            tensor(inputs, [steps, _lanes], device: _device).DetachFromDisposeScope(),
            tensor(targets, device: _device).DetachFromDisposeScope());
    }
}

/// <summary>Some steps of a text, in several lanes.</summary>
/// <param name="rowCount">The number of tokens that are predicted.</param>
/// <param name="epochFraction">How much of the epoch lies before this batch, in [0, 1).</param>
/// <param name="inputs"><c>[steps, lanes]</c>, int64, on the training device.</param>
/// <param name="targets"><c>[steps * lanes]</c>, int64, on the training device.</param>
internal sealed class TokenBatch(int rowCount, double epochFraction, Tensor inputs, Tensor targets) : Batch(rowCount, epochFraction)
{
    /// <summary>The tokens, <c>[steps, lanes]</c>, int64.</summary>
    public Tensor Inputs => inputs;

    /// <summary>The tokens that follow them, <c>[steps * lanes]</c>, int64.</summary>
    public Tensor Targets => targets;

    public override void Dispose()
    {
        inputs.Dispose();
        targets.Dispose();
    }
}
