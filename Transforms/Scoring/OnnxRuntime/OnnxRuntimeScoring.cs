using MLExtensions.Models;
using MLExtensions.Tensors;

namespace MLExtensions.Scoring.OnnxRuntime;

/// <summary>Scores blocks with ONNX Runtime.</summary>
internal abstract unsafe class OnnxRuntimeScoring : IBlockScoring
{
    /// <summary>To be called with a lease.</summary>
    /// <param name="computation">What is computed.</param>
    /// <param name="options">The options.</param>
    /// <param name="block">The rows.</param>
    /// <param name="scores">Takes the scores.</param>
    /// <param name="rows">The number of rows of a pass.</param>
    private OnnxRuntimeScoring(IRowComputation computation, ScoringOptions options, FeatureBlock block, float[] scores, int rows)
    {
        (Computation, Block, Scores, PassRows) = (computation, block, scores, rows);
        // Threads belong to a network, so that how many there are is decided here and not with each block.
        var threads = options.ThreadCount ?? (computation.MultiplyAdds * rows < TorchThreads.MultiplyAddsForThreads ? 1 : Environment.ProcessorCount);
        Network = computation.Networks[0].Weights.Keep(
            FormattableString.Invariant($"{computation.Name} {threads} {options.Gpu}"),
            () => new OnnxRuntimeNetwork(GraphFile.Of(computation), threads, options.Gpu));
    }

    private IRowComputation Computation { get; }

    private FeatureBlock Block { get; }

    private float[] Scores { get; }

    private int PassRows { get; }

    private OnnxRuntimeNetwork Network { get; }

    /// <inheritdoc cref="ScoringEngines.Open"/>
    /// <param name="computation">What is computed.</param>
    /// <param name="options">The options.</param>
    /// <param name="block">The rows.</param>
    /// <param name="scores">Takes the scores.</param>
    public static OnnxRuntimeScoring Open(IRowComputation computation, ScoringOptions options, FeatureBlock block, float[] scores)
    {
        using var lease = NetworkLease.Of(computation.Networks); // until everything is there: a binding, too, is made with the network
        return computation.Format.HasLengths ? new OfSequences(computation, options, block, scores)
            : block.Capacity == 1 ? new OfRow(computation, options, block, scores)
            : new OfRows(computation, options, block, scores);
    }

    public void Score(int rows)
    {
        using var lease = NetworkLease.Of(Computation.Networks);
        ScoreRows(rows);
    }

    public virtual void Dispose()
    {
    }

    protected abstract void ScoreRows(int rows);

    /// <summary>Blocks of rows, in passes.</summary>
    private sealed class OfRows(IRowComputation computation, ScoringOptions options, FeatureBlock block, float[] scores)
        : OnnxRuntimeScoring(computation, options, block, scores, Math.Min(block.Capacity, computation.PassRows))
    {
        protected override void ScoreRows(int rows)
        {
            fixed (float* outputs = Scores)
            {
                for (var first = 0; first < rows; first += PassRows)
                    Network.Compute(Block.AddressOf(first), Math.Min(PassRows, rows - first), Block.Width, outputs + ((long)first * Computation.OutputCount), Computation.OutputCount);
            }
        }
    }

    /// <summary>Single rows, over memory that is fixed.</summary>
    private sealed class OfRow : OnnxRuntimeScoring
    {
        private readonly OnnxRuntimeNetwork.Binding _binding;

        public OfRow(IRowComputation computation, ScoringOptions options, FeatureBlock block, float[] scores)
            : base(computation, options, block, scores, rows: 1)
        {
            fixed (float* outputs = scores) // pinned for good: the address stays
                _binding = Network.Bind(block.AddressOf(0), 1, block.Width, outputs, computation.OutputCount);
        }

        public override void Dispose() => _binding.Dispose();

        protected override void ScoreRows(int rows) => _binding.Compute();
    }

    /// <summary>Rows of different lengths: those of similar length at once, without what is filled up.</summary>
    private sealed class OfSequences(IRowComputation computation, ScoringOptions options, FeatureBlock block, float[] scores)
        : OnnxRuntimeScoring(computation, options, block, scores, Math.Min(block.Capacity, MostRows))
    {
        private const int MostRows = 128;

        private float[] _rows = [];
        private float[] _outputs = [];

        protected override void ScoreRows(int rows)
        {
            var widths = new int[rows];
            var order = new int[rows];
            for (var row = 0; row < rows; row++)
                (widths[row], order[row]) = (Computation.Format.UsedWidth(Block.Row(row)), row);
            Array.Sort(widths, order);
            for (var end = rows; end > 0; end -= PassRows)
            {
                var first = Math.Max(0, end - PassRows);
                ScoreChunk(order.AsSpan(first, end - first), widths[end - 1]);
            }
        }

        private void ScoreChunk(ReadOnlySpan<int> places, int width)
        {
            var outputs = Computation.OutputCount;
            if (_rows.Length < places.Length * width)
                _rows = GC.AllocateUninitializedArray<float>(places.Length * width, pinned: true);
            if (_outputs.Length < places.Length * outputs)
                _outputs = GC.AllocateUninitializedArray<float>(places.Length * outputs, pinned: true);
            for (var i = 0; i < places.Length; i++)
                Block.Row(places[i])[..width].CopyTo(_rows.AsSpan(i * width));
            fixed (float* rows = _rows, results = _outputs)
                Network.Compute(rows, places.Length, width, results, outputs);
            for (var i = 0; i < places.Length; i++)
                _outputs.AsSpan(i * outputs, outputs).CopyTo(Scores.AsSpan(places[i] * outputs));
        }
    }
}
