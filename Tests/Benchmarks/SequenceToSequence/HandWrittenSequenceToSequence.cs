using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>
/// What a TorchSharp user writes from PyTorch's tutorial: batches of ready tensors, padded; the decoder goes step by step with Luong's attention, and
/// the loss of each step leaves padding out.
/// </summary>
internal sealed class HandWrittenSequenceToSequence : IDisposable
{
    private readonly Embedding _embedding;
    private readonly LSTM _encoder;
    private readonly LSTM _decoder;
    private readonly Linear _keys;
    private readonly Linear _readout;
    private readonly Linear _output;
    private readonly Parameter[] _parameters;
    private readonly optim.Optimizer _optimizer;
    private readonly List<(Tensor Source, Tensor Padding, Tensor Target)> _batches = [];

    /// <param name="pairs">Tokens of sources and targets, from 1.</param>
    /// <param name="vocabulary">The number of tokens; 0 is padding.</param>
    /// <param name="units">The number of hidden units.</param>
    /// <param name="batchSize">The number of pairs of a batch.</param>
    public HandWrittenSequenceToSequence(IReadOnlyList<(long[] Source, long[] Target)> pairs, int vocabulary, int units, int batchSize)
    {
        _embedding = nn.Embedding(vocabulary, units);
        _encoder = nn.LSTM(units, units);
        _decoder = nn.LSTM(units, units);
        _keys = nn.Linear(units, units, hasBias: false);
        _readout = nn.Linear(2 * units, units);
        _output = nn.Linear(units, vocabulary);
        _parameters = [.. _embedding.parameters(), .. _encoder.parameters(), .. _decoder.parameters(), .. _keys.parameters(), .. _readout.parameters(), .. _output.parameters()];
        _optimizer = optim.Adam(_parameters);
        foreach (var batch in pairs.Chunk(batchSize))
        {
            var source = Pad([.. batch.Select(pair => pair.Source)]);
            _batches.Add((source, source.eq(0).t().unsqueeze(1), Pad([.. batch.Select(pair => pair.Target)])));
        }
    }

    /// <summary>An epoch.</summary>
    public void Run(int threads)
    {
        var before = get_num_threads();
        set_num_threads(threads);
        foreach (var (source, padding, target) in _batches)
        {
            using var scope = NewDisposeScope();
            _optimizer.zero_grad();
            var (outputs, h, c) = _encoder.call(_embedding.call(source));
            var memory = outputs.transpose(0, 1);
            var keys = _keys.call(memory).transpose(1, 2);
            var loss = zeros(1);
            var input = ones(1, source.shape[1], ScalarType.Int64);
            for (var step = 0; step < target.shape[0]; step++)
            {
                (var hidden, h, c) = _decoder.call(_embedding.call(input), (h, c));
                var question = hidden.transpose(0, 1);
                var weights = question.bmm(keys).masked_fill(padding, float.NegativeInfinity).softmax(2);
                var features = _readout.call(cat([weights.bmm(memory), question], 2)).tanh();
                var right = target[step];
                loss = loss + nn.functional.cross_entropy(_output.call(features).squeeze(1), right, ignore_index: 0, reduction: nn.Reduction.Sum);
                input = right.unsqueeze(0);
            }
            loss = loss / target.ne(0).sum();
            loss.backward();
            nn.utils.clip_grad_norm_(_parameters, 5);
            _optimizer.step();
            loss.item<float>();
        }
        set_num_threads(before);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        foreach (var module in (nn.Module[])[_embedding, _encoder, _decoder, _keys, _readout, _output])
            module.Dispose();
        foreach (var (source, padding, target) in _batches)
        {
            source.Dispose();
            padding.Dispose();
            target.Dispose();
        }
    }

    private static Tensor Pad(long[][] rows)
    {
        var steps = rows.Max(row => row.Length);
        var values = new long[steps * rows.Length];
        for (var row = 0; row < rows.Length; row++)
        {
            for (var step = 0; step < rows[row].Length; step++)
                values[(step * rows.Length) + row] = rows[row][step];
        }
        return tensor(values, [steps, rows.Length]);
    }
}
