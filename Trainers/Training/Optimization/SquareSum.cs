using System.Numerics;
using System.Runtime.InteropServices;

namespace MLExtensions.Training;

/// <summary>Sum of squares in float64: neither overflow nor rounding of float32 shows.</summary>
internal static class SquareSum
{
    public static double Of(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        Vector<double> lowSum = default;
        Vector<double> highSum = default;
        foreach (Vector<float> vector in vectors)
        {
            Vector.Widen(vector, out Vector<double> low, out Vector<double> high);
            lowSum += low * low;
            highSum += high * high;
        }
        double sum = Vector.Sum(lowSum + highSum);
        foreach (float value in values[(vectors.Length * Vector<float>.Count)..])
            sum += (double)value * value;
        return sum;
    }
}
