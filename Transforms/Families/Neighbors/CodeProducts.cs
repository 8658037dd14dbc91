using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLExtensions.Families.Neighbors;

/// <summary>
/// Multiplies the codes of a panel of rows with a query, in the registers of AVX-512 where they are, which <see cref="Vector{T}"/> does not
/// use. Each row is summed in the order of the columns, so the width of registers changes nothing; a processor that cannot multiply and add
/// in one rounds once more.
/// </summary>
internal static unsafe class CodeProducts
{
    /// <param name="panel"><see cref="VectorCodes.PanelRows"/> codes for each column.</param>
    /// <param name="factors">The query.</param>
    /// <param name="width">The number of columns.</param>
    /// <param name="sums">Receives a sum for each row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(sbyte* panel, float* factors, int width, float* sums)
    {
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported)
            MultiplyBySixteen(panel, factors, width, sums);
        else
            MultiplyWidened(panel, factors, width, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyBySixteen(sbyte* panel, float* factors, int width, float* sums)
    {
        Vector512<float> a = default, b = default, c = default, d = default;
        for (var column = 0; column < width; column++, panel += VectorCodes.PanelRows)
        {
            var factor = Vector512.Create(factors[column]);
            a = Vector512.FusedMultiplyAdd(Load(panel), factor, a);
            b = Vector512.FusedMultiplyAdd(Load(panel + 16), factor, b);
            c = Vector512.FusedMultiplyAdd(Load(panel + 32), factor, c);
            d = Vector512.FusedMultiplyAdd(Load(panel + 48), factor, d);
        }
        a.Store(sums);
        b.Store(sums + 16);
        c.Store(sums + 32);
        d.Store(sums + 48);

        static Vector512<float> Load(sbyte* codes) => Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(codes)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyWidened(sbyte* panel, float* factors, int width, float* sums)
    {
        for (var lane = 0; lane < VectorCodes.PanelRows; lane += Vector<sbyte>.Count, sums += Vector<sbyte>.Count)
        {
            Vector<float> a = default, b = default, c = default, d = default;
            var at = panel + lane;
            for (var column = 0; column < width; column++, at += VectorCodes.PanelRows)
            {
                var factor = new Vector<float>(factors[column]);
                Vector.Widen(Vector.Load(at), out var low, out var high);
                Vector.Widen(low, out var first, out var second);
                Vector.Widen(high, out var third, out var fourth);
                a = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(first), factor, a);
                b = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(second), factor, b);
                c = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(third), factor, c);
                d = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(fourth), factor, d);
            }
            a.Store(sums);
            b.Store(sums + Vector<float>.Count);
            c.Store(sums + (2 * Vector<float>.Count));
            d.Store(sums + (3 * Vector<float>.Count));
        }
    }
}
