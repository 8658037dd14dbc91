using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MLExtensions.Families.Neighbors;

/// <summary>
/// Distances in double precision, summed in an order that depends neither on the processor nor on what else is computed: products of two
/// floats are exact in double precision, so it makes no difference whether the processor fuses multiplication and addition.
/// </summary>
internal static class ExactDistance
{
    /// <summary>
    /// The distance of two vectors of equal length, or what has the same order: the Euclidean one is squared, since different numbers can have
    /// the same root. <see cref="Finish"/> makes the distance of it.
    /// </summary>
    /// <param name="distance">The kind.</param>
    /// <param name="x">The one.</param>
    /// <param name="y">The other.</param>
    /// <param name="squareOfX">The dot product of <paramref name="x"/> with itself.</param>
    /// <param name="squareOfY">The dot product of <paramref name="y"/> with itself.</param>
    public static double Of(VectorDistance distance, ReadOnlySpan<float> x, ReadOnlySpan<float> y, double squareOfX, double squareOfY) => distance switch
    {
        VectorDistance.DotProduct => -Dot(x, y),
        VectorDistance.SquaredEuclidean or VectorDistance.Euclidean => SquareOfDifference(x, y),
        // One root of the product: it is exact for a vector and itself.
        _ => Math.Clamp(1 - (Dot(x, y) / Math.Sqrt(squareOfX * squareOfY)), 0, 2),
    };

    /// <summary>The distance of what <see cref="Of"/> computes.</summary>
    public static double Finish(VectorDistance distance, double value) => distance == VectorDistance.Euclidean ? Math.Sqrt(value) : value;

    public static double Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        Vector512<double> low = default, high = default;
        var at = 0;
        for (; at <= x.Length - Vector512<float>.Count; at += Vector512<float>.Count)
        {
            var (a, b) = (Vector512.Create(x[at..]), Vector512.Create(y[at..]));
            low += Vector512.WidenLower(a) * Vector512.WidenLower(b);
            high += Vector512.WidenUpper(a) * Vector512.WidenUpper(b);
        }
        var sum = Sum(low + high);
        for (; at < x.Length; at++)
            sum += (double)x[at] * y[at];
        return sum;
    }

    private static double SquareOfDifference(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        Vector512<double> low = default, high = default;
        var at = 0;
        for (; at <= x.Length - Vector512<float>.Count; at += Vector512<float>.Count)
        {
            var (a, b) = (Vector512.Create(x[at..]), Vector512.Create(y[at..]));
            var first = Vector512.WidenLower(a) - Vector512.WidenLower(b);
            var second = Vector512.WidenUpper(a) - Vector512.WidenUpper(b);
            low += first * first;
            high += second * second;
        }
        var sum = Sum(low + high);
        for (; at < x.Length; at++)
        {
            var difference = (double)x[at] - y[at];
            sum += difference * difference;
        }
        return sum;
    }

    /// <summary>The sum from the first lane to the last; processors have instructions with other orders.</summary>
    private static double Sum(Vector512<double> lanes)
    {
        var sum = 0.0;
        foreach (var lane in MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Vector512<double>, double>(ref lanes), Vector512<double>.Count))
            sum += lane;
        return sum;
    }
}
