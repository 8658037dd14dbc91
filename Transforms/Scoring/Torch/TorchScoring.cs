using MLExtensions.Models;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Scoring.Torch;

/// <summary>Scores blocks with libtorch.</summary>
internal sealed class TorchScoring(IRowComputation computation, FeatureBlock block, float[] scores) : IBlockScoring
{
    public void Score(int rows)
    {
        using var lease = NetworkLease.Of(computation.Networks);
        using var mode = TorchState.Infer();
        using var outer = NewDisposeScope();
        var threads = computation.Scoring.ThreadCount;
        for (var first = 0; first < rows; first += computation.PassRows)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(computation.PassRows, rows - first);
            using var used = TorchThreads.Use(threads ?? TorchThreads.CountFor(computation.MultiplyAdds * count));
            TensorMemory.Floats(computation.Compute(block.Rows(first, count))).CopyTo(scores.AsSpan(first * computation.OutputCount));
        }
    }

    public void Dispose()
    {
    }
}
