using System.Numerics;
using System.Runtime.InteropServices;

namespace MLExtensions.Families.MetricLearning;

/// <summary>Distances of embeddings in managed code.</summary>
internal static class EmbeddingDistance
{
    /// <summary>What helps where a distance is no number.</summary>
    public const string TooFar = "Embeddings have length 1; of other vectors, scale the values (NormalizeLpNorm).";

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

/// <summary>Counts values in sorted arrays.</summary>
internal static class SortedValues
{
    /// <summary>How many values are below a limit.</summary>
    public static int Below<T>(ReadOnlySpan<T> sorted, T limit)
        where T : INumber<T>
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] < limit)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>How many values are not above a limit.</summary>
    public static int Through<T>(ReadOnlySpan<T> sorted, T limit)
        where T : INumber<T>
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] <= limit)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
