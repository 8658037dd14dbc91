using Microsoft.ML.Model.OnnxConverter;
using MLExtensions.Models;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Scoring;

/// <summary>Turns rows of features into scores.</summary>
internal interface IBlockScorer
{
    /// <summary>The format of a row of features.</summary>
    FeatureFormat Format { get; }

    /// <summary>The number of scores per row.</summary>
    int OutputCount { get; }

    /// <summary>Prepares the scoring of blocks.</summary>
    /// <param name="block">The rows.</param>
    /// <param name="scores">Takes the scores of all rows of a block, one row after the other; pinned.</param>
    IBlockScoring Open(FeatureBlock block, float[] scores);
}

/// <summary>What is computed of rows with trained networks, in each way in which it can be. Thread-safe.</summary>
internal interface IRowComputation : IBlockScorer
{
    /// <summary>The multiply-adds per row.</summary>
    double MultiplyAdds { get; }

    /// <summary>The best number of rows per pass.</summary>
    int PassRows { get; }

    /// <summary>The networks that compute; the first one keeps what engines need.</summary>
    IReadOnlyList<NetworkModelParameters> Networks { get; }

    /// <summary>How to score: the same for all networks; what has none is computed as by default.</summary>
    ScoringOptions Scoring => Networks is [var first, ..] ? first.Weights.Scoring : new ScoringOptions();

    /// <summary>Tells apart what is computed with the same networks.</summary>
    string Name { get; }

    /// <summary>Computes rows with libtorch, in inference mode, with a lease and a dispose scope.</summary>
    /// <param name="rows"><c>[rows, Format.Width]</c>, float32.</param>
    /// <returns><c>[rows, OutputCount]</c>, contiguous.</returns>
    Tensor Compute(Tensor rows);

    /// <summary>Writes the same as ONNX operators. Runs with a lease.</summary>
    /// <param name="context">The graph.</param>
    /// <param name="rows">The rows.</param>
    /// <returns><c>[rows, OutputCount]</c>.</returns>
    /// <exception cref="NotSupportedException">It is more than a graph can say.</exception>
    string Write(OnnxContext context, string rows);

    IBlockScoring IBlockScorer.Open(FeatureBlock block, float[] scores) => ScoringEngines.Open(this, block, scores);
}

/// <summary>The scoring of the rows of a block, by one thread at a time.</summary>
internal interface IBlockScoring : IDisposable
{
    /// <summary>Computes the first rows of the block.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    void Score(int rows);
}
