using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// The log-probability of sequences of tokens. Long ones go through the network a window at a time, the state carried on: memory is
/// bounded, whatever their length. Thread-safe.
/// </summary>
internal sealed class SequenceScorer(LanguageModelArchitecture architecture, LanguageModelNetwork network)
{
    private const int MaximumSteps = 256;
    private const int MaximumRows = 64;

    // Values that are held at once: of a window's gates, and of logits.
    private const int MaximumGateValues = 1 << 22;
    private const int MaximumLogits = 1 << 21;

    private readonly int _windowTokens = Math.Clamp(MaximumGateValues / (architecture.Recurrent.Gates * architecture.Recurrent.HiddenUnits), 32, 1 << 13);
    private readonly int _logitTokens = Math.Max(1, MaximumLogits / architecture.OutputCount);

    /// <summary>Scores sequences on their own, as a few batches of sequences of much the same length.</summary>
    /// <param name="sequences">The tokens. The first of each is given, the others are predicted; at least one is.</param>
    /// <param name="logProbabilities">Takes the natural logarithm of each sequence's probability.</param>
    public void Score(IReadOnlyList<int[]> sequences, Span<double> logProbabilities)
    {
        var order = Enumerable.Range(0, sequences.Count).OrderByDescending(i => sequences[i].Length).ToArray();
        var rows = Math.Min(MaximumRows, _windowTokens);
        for (var first = 0; first < order.Length; first += rows)
        {
            var places = order.AsSpan(first, Math.Min(rows, order.Length - first));
            var batch = new ArraySegment<int>[places.Length];
            for (var i = 0; i < batch.Length; i++)
                batch[i] = sequences[places[i]];
            using var state = new CarriedState();
            var sums = ScoreBatch(batch, state);
            for (var i = 0; i < sums.Length; i++)
                logProbabilities[places[i]] = sums[i];
        }
    }

    /// <summary>Scores sequences side by side.</summary>
    /// <param name="sequences">The tokens, the longest first. The first of each is given, the others are predicted.</param>
    /// <param name="state">The state before the first tokens; afterwards that of the sequences which are longest.</param>
    public double[] ScoreBatch(ArraySegment<int>[] sequences, CarriedState state)
    {
        using var mode = inference_mode();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(architecture.MultiplyAdds * sequences.Length));
        var sums = new double[sequences.Length];
        var steps = Math.Clamp(_windowTokens / sequences.Length, 1, MaximumSteps);
        var going = sequences.Length;
        for (var at = 0; at < sequences[0].Count - 1; at += steps)
        {
            // The shorter ones have come to their ends: those behind them are as short.
            while (sequences[going - 1].Count - 1 <= at)
                going--;
            using var scope = NewDisposeScope();
            var window = TokenWindow.Of(sequences.AsSpan(0, going), at, Math.Min(steps, sequences[0].Count - 1 - at));
            var (hidden, next) = network.Run(network.Embed(window.Inputs()), state.First(going));
            state.Keep(next);
            window.AddTo(sums, LogProbabilities(hidden, window.Targets()));
        }
        return sums;
    }

    private float[] LogProbabilities(Tensor hidden, Tensor targets)
    {
        var count = (int)targets.shape[0];
        var values = new float[count];
        for (var first = 0; first < count; first += _logitTokens)
        {
            using var scope = NewDisposeScope();
            var part = Math.Min(_logitTokens, count - first);
            var logits = network.Logits(hidden.narrow(0, first, part));
            var right = logits.gather(1, targets.narrow(0, first, part).unsqueeze(1)) - logits.logsumexp(1, keepdim: true);
            TensorMemory.Floats(right.contiguous()).CopyTo(values.AsSpan(first));
        }
        return values;
    }

    /// <summary>Some steps of sequences side by side, step by step; behind a sequence's end there is padding.</summary>
    private sealed class TokenWindow(long[] inputs, long[] targets, bool[] isReal, int rows)
    {
        public static TokenWindow Of(ReadOnlySpan<ArraySegment<int>> sequences, int at, int steps)
        {
            var rows = sequences.Length;
            var inputs = new long[steps * rows];
            var targets = new long[steps * rows];
            var isReal = new bool[steps * rows];
            for (var row = 0; row < rows; row++)
            {
                var tokens = sequences[row].AsSpan();
                var end = Math.Min(steps, tokens.Length - 1 - at);
                for (var step = 0; step < end; step++)
                {
                    var place = (step * rows) + row;
                    inputs[place] = tokens[at + step];
                    targets[place] = tokens[at + step + 1];
                    isReal[place] = true;
                }
            }
            return new TokenWindow(inputs, targets, isReal, rows);
        }

        public Tensor Inputs() => tensor(inputs, [inputs.Length / rows, rows]);

        public Tensor Targets() => tensor(targets);

        public void AddTo(Span<double> sums, ReadOnlySpan<float> values)
        {
            for (var i = 0; i < values.Length; i++)
            {
                if (isReal[i])
                    sums[i % rows] += values[i];
            }
        }
    }
}

/// <summary>A recurrent state that outlives the dispose scope that it was made in.</summary>
internal sealed class CarriedState : IDisposable
{
    /// <summary>The tensors <c>[1, batch, hidden units]</c>, or null at the beginning: zeros.</summary>
    public Tensor[]? Value { get; private set; }

    /// <summary>The state of the first sequences of the batch alone; belongs to the current dispose scope.</summary>
    public Tensor[]? First(int count) => Value == null || Value[0].shape[1] == count
        ? Value
        : Array.ConvertAll(Value, part => part.narrow(1, 0, count));

    public void Keep(Tensor[] state)
    {
        Clear();
        Value = Array.ConvertAll(state, part => part.detach().DetachFromDisposeScope());
    }

    public void Clear()
    {
        foreach (var part in Value ?? [])
            part.Dispose();
        Value = null;
    }

    public void Dispose() => Clear();
}
