using MLExtensions.Models;
using MLExtensions.Tensors;

namespace MLExtensions.Scoring.OnnxRuntime;

/// <summary>Scores blocks with ONNX Runtime.</summary>
internal abstract unsafe class OnnxRuntimeScoring(IRowComputation computation, ScoringOptions options, FeatureBlock block, float[] scores) : IBlockScoring
{
    private OnnxRuntimeNetwork? _network;
    private int _threads;

    protected IRowComputation Computation => computation;

    protected FeatureBlock Block => block;

    protected float[] Scores => scores;

    /// <inheritdoc cref="ScoringEngines.Open"/>
    /// <param name="computation">What is computed.</param>
    /// <param name="options">The options.</param>
    /// <param name="block">The rows.</param>
    /// <param name="scores">Takes the scores.</param>
    public static OnnxRuntimeScoring Open(IRowComputation computation, ScoringOptions options, FeatureBlock block, float[] scores)
    {
        OnnxRuntimeScoring scoring = computation.Format.HasLengths ? new OfSequences(computation, options, block, scores)
            : block.Capacity == 1 ? new OfRow(computation, options, block, scores)
            : new OfRows(computation, options, block, scores);
        scoring.NetworkFor(1); // here it fails if there is no graph
        return scoring;
    }

    public void Score(int rows)
    {
        using var lease = NetworkLease.Of(computation.Networks);
        ScoreRows(rows);
    }

    public virtual void Dispose()
    {
    }

    protected abstract void ScoreRows(int rows);

    /// <summary>The network for a number of rows at once. Threads belong to it.</summary>
    protected OnnxRuntimeNetwork NetworkFor(int rows)
    {
        var threads = options.ThreadCount ?? (computation.MultiplyAdds * rows < TorchThreads.MultiplyAddsForThreads ? 1 : Environment.ProcessorCount);
        if (_network == null || threads != _threads)
        {
            using var lease = NetworkLease.Of(computation.Networks);
            var key = FormattableString.Invariant($"{computation.Name} {threads} {options.Gpu}");
            _network = computation.Networks[0].Weights.Keep(key, () => new OnnxRuntimeNetwork(GraphFile.Of(computation), threads, options.Gpu));
            _threads = threads;
        }
        return _network;
    }

    /// <summary>Blocks of rows, in passes.</summary>
    private sealed class OfRows(IRowComputation computation, ScoringOptions options, FeatureBlock block, float[] scores) : OnnxRuntimeScoring(computation, options, block, scores)
    {
        protected override void ScoreRows(int rows)
        {
            fixed (float* outputs = Scores)
            {
                for (var first = 0; first < rows; first += Computation.PassRows)
                {
                    var count = Math.Min(Computation.PassRows, rows - first);
                    NetworkFor(count).Compute(Block.AddressOf(first), count, Block.Width, outputs + ((long)first * Computation.OutputCount), Computation.OutputCount);
                }
            }
        }
    }

    /// <summary>Single rows, over memory that is fixed.</summary>
    private sealed class OfRow : OnnxRuntimeScoring
    {
        private OnnxRuntimeNetwork.Binding? _binding;

        public OfRow(IRowComputation computation, ScoringOptions options, FeatureBlock block, float[] scores)
            : base(computation, options, block, scores)
        {
        }

        public override void Dispose() => _binding?.Dispose();

        protected override void ScoreRows(int rows)
        {
            if (_binding == null)
            {
                fixed (float* outputs = Scores) // pinned for good: the address stays
                    _binding = NetworkFor(1).Bind(Block.AddressOf(0), 1, Block.Width, outputs, Computation.OutputCount);
            }
            _binding.Compute();
        }
    }

    /// <summary>Rows of different lengths: those of similar length at once, without what is filled up.</summary>
    private sealed class OfSequences(IRowComputation computation, ScoringOptions options, FeatureBlock block, float[] scores) : OnnxRuntimeScoring(computation, options, block, scores)
    {
        private readonly int _most = Math.Min(block.Capacity, Math.Min(computation.PassRows, RecurrentArchitecture.ChunkRows));
        private float[] _rows = [];
        private float[] _outputs = [];

        protected override void ScoreRows(int rows)
        {
            var widths = new int[rows];
            var order = new int[rows];
            for (var row = 0; row < rows; row++)
                (widths[row], order[row]) = (Computation.Format.UsedWidth(Block.Row(row)), row);
            Array.Sort((int[])widths.Clone(), order);
            for (var end = rows; end > 0; end -= _most)
            {
                var first = Math.Max(0, end - _most);
                ScoreChunk(order.AsSpan(first, end - first), widths[order[end - 1]]);
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
                NetworkFor(places.Length).Compute(rows, places.Length, width, results, outputs);
            for (var i = 0; i < places.Length; i++)
                _outputs.AsSpan(i * outputs, outputs).CopyTo(Scores.AsSpan(places[i] * outputs));
        }
    }
}
