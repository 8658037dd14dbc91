using System.Numerics;
using System.Runtime.InteropServices;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Distances of embeddings in managed code.</summary>
internal static class EmbeddingDistance
{
    /// <summary>The squared Euclidean distance of two vectors of the same size: differences first, so that small distances are exact.</summary>
    public static float Squared(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var first = MemoryMarshal.Cast<float, Vector<float>>(a);
        var second = MemoryMarshal.Cast<float, Vector<float>>(b);
        var sums = Vector<float>.Zero;
        for (var i = 0; i < first.Length; i++)
        {
            var difference = first[i] - second[i];
            sums += difference * difference;
        }
        var sum = Vector.Sum(sums);
        for (var i = first.Length * Vector<float>.Count; i < a.Length; i++)
        {
            var difference = a[i] - b[i];
            sum += difference * difference;
        }
        return sum;
    }
}
