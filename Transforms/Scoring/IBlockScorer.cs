using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Scoring;

/// <summary>What turns rows of features into scores.</summary>
internal interface IBlockScorer
{
    /// <summary>What a row of features is.</summary>
    FeatureFormat Format { get; }

    /// <summary>The number of scores of a row.</summary>
    int OutputCount { get; }

    /// <summary>Scores <c>[rows, Format.Width]</c> float32 features into <c>rows * OutputCount</c> values. Thread-safe.</summary>
    void Score(Tensor features, Span<float> scores);
}
