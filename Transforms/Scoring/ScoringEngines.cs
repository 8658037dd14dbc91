using MLExtensions.Scoring.OnnxRuntime;
using MLExtensions.Scoring.Torch;
using MLExtensions.Tensors;

namespace MLExtensions.Scoring;

/// <summary>Chooses what computes a network. Another engine is another folder beside this file, and another line here.</summary>
internal static class ScoringEngines
{
    private const string SwitchedOff = "MLExtensions.NoOnnxRuntime";

    /// <summary>Whether ONNX Runtime computes a model with these options.</summary>
    /// <exception cref="InvalidOperationException">It is asked for and is not there.</exception>
    public static bool UsesOnnxRuntime(ScoringOptions options) => options.Engine switch
    {
        ScoringEngine.LibTorch => false,
        ScoringEngine.OnnxRuntime => OnnxRuntimeLibrary.Require(),
        _ when options.Gpu != null => OnnxRuntimeLibrary.Require(),
        _ => !(AppContext.TryGetSwitch(SwitchedOff, out var off) && off) && OnnxRuntimeLibrary.IsPresent,
    };

    /// <summary>Prepares the scoring of blocks.</summary>
    /// <param name="computation">What is computed.</param>
    /// <param name="block">The rows.</param>
    /// <param name="scores">Takes the scores of all rows of a block, one row after the other; pinned.</param>
    /// <exception cref="InvalidOperationException">ONNX Runtime is asked for and is not there.</exception>
    /// <exception cref="NotSupportedException">ONNX Runtime is asked for, and a graph cannot say what is computed.</exception>
    public static IBlockScoring Open(IRowComputation computation, FeatureBlock block, float[] scores)
    {
        var options = computation.Scoring;
        if (!UsesOnnxRuntime(options))
            return new TorchScoring(computation, block, scores);
        try
        {
            return OnnxRuntimeScoring.Open(computation, options, block, scores);
        }
        catch (NotSupportedException) when (options is { Engine: ScoringEngine.Automatic, Gpu: null })
        {
            return new TorchScoring(computation, block, scores);
        }
    }
}
