using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>
/// Computes the log probability of token sequences. Long sequences are processed in windows with the state carried over, so memory is
/// bounded. Thread-safe.
/// </summary>
internal sealed class SequenceScorer(NetworkModelParameters model)
{
    private const int MaximumSteps = 256;
    private const int MaximumRows = 64;

    // The maximum number of values in memory: of the gates of a window, and of logits.
    private const int MaximumGateValues = 1 << 22;
    private const int MaximumLogits = 1 << 21;

    private readonly int _windowTokens = Math.Clamp(MaximumGateValues / GateValues((LanguageModelArchitecture)model.Architecture), 32, 1 << 13);
    private readonly int _logitTokens = Math.Max(1, MaximumLogits / model.Architecture.OutputCount);
    private readonly LanguageModelNetwork _network = (LanguageModelNetwork)model.Network;

    /// <summary>Scores independent sequences, in a few batches of sequences of similar length.</summary>
    /// <param name="sequences">
    /// The tokens. The first token of each sequence is given, the others are predicted; there must be at least one.
    /// </param>
    /// <param name="logProbabilities">Receives the natural logarithm of the probability of each sequence.</param>
    /// <param name="given">The number of tokens at the beginning of each sequence that are not predicted, at least 1; null for 1.</param>
    public void Score(IReadOnlyList<int[]> sequences, Span<double> logProbabilities, IReadOnlyList<int>? given = null)
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
            var sums = ScoreBatch(batch, state, given == null ? null : [.. places.ToArray().Select(place => given[place])]);
            for (var i = 0; i < sums.Length; i++)
                logProbabilities[places[i]] = sums[i];
        }
    }

    /// <summary>Scores sequences in parallel.</summary>
    /// <param name="sequences">
    /// The tokens, longest sequence first. The first token of each sequence is given, the others are predicted.
    /// </param>
    /// <param name="state">The state before the first tokens; afterwards the state of the longest sequences.</param>
    /// <param name="given">The number of tokens at the beginning of each sequence that are not predicted, at least 1; null for 1.</param>
    public double[] ScoreBatch(ArraySegment<int>[] sequences, CarriedState state, int[]? given = null)
    {
        using var lease = model.Lease();
        using var mode = TorchState.Infer();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(model.Architecture.MultiplyAdds * sequences.Length));
        using var whole = NewDisposeScope();
        var vectors = _network.Vectors();
        var sums = new double[sequences.Length];
        var steps = Math.Clamp(_windowTokens / sequences.Length, 1, MaximumSteps);
        var going = sequences.Length;
        for (var at = 0; at < sequences[0].Count - 1; at += steps)
        {
            // The shorter sequences have ended, and so have all after them.
            while (sequences[going - 1].Count - 1 <= at)
                going--;
            using var scope = NewDisposeScope();
            var window = TokenWindow.Of(sequences.AsSpan(0, going), at, Math.Min(steps, sequences[0].Count - 1 - at), given);
            var (hidden, next) = _network.Run(LanguageModelNetwork.Embed(window.Inputs(), vectors), state.First(going));
            state.Keep(next);
            window.AddTo(sums, LogProbabilities(hidden, window.Targets(), vectors));
        }
        return sums;
    }

    private static int GateValues(LanguageModelArchitecture architecture) => architecture.Recurrent.Gates * architecture.Recurrent.HiddenUnits;

    private float[] LogProbabilities(Tensor hidden, Tensor targets, Tensor vectors)
    {
        var count = (int)targets.shape[0];
        var values = new float[count];
        for (var first = 0; first < count; first += _logitTokens)
        {
            using var scope = NewDisposeScope();
            var part = Math.Min(_logitTokens, count - first);
            var logits = _network.Logits(hidden.narrow(0, first, part), vectors);
            var right = logits.gather(1, targets.narrow(0, first, part).unsqueeze(1)) - logits.logsumexp(1, keepdim: true);
            TensorMemory.Floats(right.contiguous()).CopyTo(values.AsSpan(first));
        }
        return values;
    }

    /// <summary>
    /// A range of time steps of parallel sequences, time step by time step; after the end of a sequence there is padding.
    /// </summary>
    private sealed class TokenWindow(long[] inputs, long[] targets, bool[] isReal, int rows)
    {
        public static TokenWindow Of(ReadOnlySpan<ArraySegment<int>> sequences, int at, int steps, int[]? given)
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
                    isReal[place] = at + step + 1 >= (given?[row] ?? 1);
                }
            }
            return new TokenWindow(inputs, targets, isReal, rows);
        }

        public Tensor Inputs() => tensor(inputs, [inputs.Length / rows, rows], ScalarType.Int64, CPU);

        public Tensor Targets() => tensor(targets, ScalarType.Int64, CPU);

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

/// <summary>A recurrent state that outlives the dispose scope in which it was created.</summary>
internal sealed class CarriedState : IDisposable
{
    /// <summary>The tensors <c>[1, batch, hidden units]</c>, or null at the beginning: zeros.</summary>
    public Tensor[]? Value { get; private set; }

    /// <summary>Returns the state of the first sequences of the batch; it belongs to the current dispose scope.</summary>
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
