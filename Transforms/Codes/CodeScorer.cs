using MLExtensions.Scoring;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Codes;

/// <summary>Computes some of the columns of a code, one behind the other.</summary>
internal sealed class CodeScorer(CodeTransformer transformer, int[] active) : IBlockScorer
{
    public FeatureFormat Format { get; } = new DenseFormat(transformer.InputCount);

    public int OutputCount { get; } = active.Sum(index => transformer.Outputs[index].Count);

    public void Score(Tensor features, Span<float> scores)
    {
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(transformer.MultiplyAdds * features.shape[0]));
        var results = transformer.Compute(features, active);
        var joined = results.Length == 1 ? results[0].contiguous() : cat(results, 1);
        TensorMemory.Floats(joined).CopyTo(scores);
    }
}
