using MLExtensions.Distribution;
using MLExtensions.Engine;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// Batches for truncated backpropagation through time. The text is divided into as many parallel streams as a batch has rows, but each has
/// at least one window. Each stream continues where it stopped in the previous batch, so that the network's state can be carried over.
/// Batches are never shuffled.
/// </summary>
/// <remarks>
/// Every token but the first is predicted. Streams have equal length: where the text cannot be divided evenly, neighbors overlap by a token,
/// so at most one token fewer than there are streams is read twice.
/// </remarks>
internal sealed class TokenWindows : IBatchSource<TokenBatch>
{
    private readonly TokenStore _tokens;
    private readonly long _first;
    private readonly long _targets;
    private readonly long _streamLength;
    private readonly int _streams;
    private readonly int _steps;
    private readonly Device _device;

    /// <param name="tokens">The text; the caller disposes it.</param>
    /// <param name="first">The first token of the part to use.</param>
    /// <param name="count">The number of tokens of that part, at least 2.</param>
    /// <param name="streams">The maximum number of parallel streams.</param>
    /// <param name="steps">The number of time steps per batch; the last batch has the rest.</param>
    /// <param name="device">The device of the batches.</param>
    /// <param name="checksum">The checksum of the text, or null.</param>
    /// <param name="share">The part of the streams that is read here.</param>
    /// <exception cref="ArgumentException">The text is too short for a stream on each rank.</exception>
    public TokenWindows(TokenStore tokens, long first, long count, int streams, int steps, Device device, string? checksum, Share share)
    {
        (Checksum, Share) = (checksum, share);
        _tokens = tokens;
        _first = first;
        _targets = count - 1;
        _streams = (int)Math.Clamp(_targets / steps, 1, streams);
        _streams -= _streams % share.Count;
        if (_streams == 0)
            throw new ArgumentException(FormattableString.Invariant($"The training text has {count} tokens, too few for {share.Count} ranks: each needs at least one window of {steps}."));
        _streamLength = (_targets + _streams - 1) / _streams;
        _steps = steps;
        _device = device;
    }

    public string? Checksum { get; }

    /// <summary>The number of predicted tokens per epoch.</summary>
    public long RowCount => _streamLength * _streams;

    public int BatchCount => checked((int)((_streamLength + _steps - 1) / _steps));

    /// <summary>The number of parallel streams that are read here.</summary>
    public int Streams => _streams / Share.Count;

    public Share Share { get; }

    /// <summary>The network's state is carried from one to the next.</summary>
    public bool HasIndependentBatches => false;

    public IEnumerable<TokenBatch> ReadEpoch(int epoch)
    {
        for (long at = 0; at < _streamLength; at += _steps)
            yield return Read(at, (int)Math.Min(_steps, _streamLength - at));
    }

    private TokenBatch Read(long at, int steps)
    {
        var window = new int[steps + 1];
        var inputs = new long[steps * Streams];
        var targets = new long[steps * Streams];
        for (var stream = 0; stream < Streams; stream++)
        {
            // Spread evenly, the last stream ends with the text.
            var start = _streams == 1 ? 0 : (_targets - _streamLength) * ((Share.Rank * Streams) + stream) / (_streams - 1);
            _tokens.Read(_first + start + at, window);
            for (var step = 0; step < steps; step++)
            {
                inputs[(step * Streams) + stream] = window[step];
                targets[(step * Streams) + stream] = window[step + 1];
            }
        }
        var fraction = (double)at / _streamLength;
        return new TokenBatch(
            inputs.Length,
            fraction,
            tensor(inputs, [steps, Streams], ScalarType.Int64, _device).DetachFromDisposeScope(),
            tensor(targets, ScalarType.Int64, _device).DetachFromDisposeScope());
    }
}

/// <summary>Several time steps of a text, in parallel streams.</summary>
/// <param name="rowCount">The number of predicted tokens.</param>
/// <param name="epochFraction">The fraction of the epoch before this batch, in [0, 1).</param>
/// <param name="inputs"><c>[steps, streams]</c>, int64, on the training device.</param>
/// <param name="targets">One of each predicted token, int64, on the training device; all of <c>[steps * streams]</c> without places.</param>
/// <param name="places">Whole rows instead of parts of a text: where a token is predicted, as positions of <c>[steps * rows]</c>; null for everywhere.</param>
internal sealed class TokenBatch(int rowCount, double epochFraction, Tensor inputs, Tensor targets, Tensor? places = null) : Batch(rowCount, epochFraction)
{
    /// <summary>Whether the batch has whole rows, before which there is nothing.</summary>
    public bool StartsRows => places is not null;

    /// <summary>Returns the hidden values from which tokens are predicted.</summary>
    /// <param name="hidden"><c>[steps * streams, width]</c>.</param>
    public Tensor Predicted(Tensor hidden) => places is null ? hidden : hidden.index_select(0, places);

    /// <summary>The tokens, <c>[steps, streams]</c>, int64.</summary>
    public Tensor Inputs => inputs;

    /// <summary>The tokens that are predicted, int64.</summary>
    public Tensor Targets => targets;

    public override void Dispose()
    {
        inputs.Dispose();
        targets.Dispose();
        places?.Dispose();
    }
}
