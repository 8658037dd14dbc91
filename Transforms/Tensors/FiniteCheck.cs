using System.Numerics;
using System.Runtime.InteropServices;

namespace MLExtensions.Tensors;

/// <summary>Finds NaN and infinity at the speed of memory.</summary>
internal static class FiniteCheck
{
    /// <summary>The position of the first value that is NaN or infinite, or -1.</summary>
    public static int FirstNonFinite(ReadOnlySpan<float> values)
    {
        // x * 0 is 0 for every finite x and NaN for the others, and a sum keeps a NaN.
        var sum = Vector<float>.Zero;
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        foreach (var vector in vectors)
            sum += vector * Vector<float>.Zero;
        var tail = 0f;
        foreach (var value in values[(vectors.Length * Vector<float>.Count)..])
            tail += value * 0f;
        return Vector.Sum(sum) + tail == 0 ? -1 : Find(values);
    }

    private static int Find(ReadOnlySpan<float> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                return i;
        }
        return -1;
    }
}
