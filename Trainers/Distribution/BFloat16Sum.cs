using System.Numerics;

namespace MLExtensions.Distribution;

/// <summary>Sums of numbers in bfloat16, the upper half of a float32, rounded to the nearest, ties to even.</summary>
internal static class BFloat16Sum
{
    private const int HalfBits = 16;
    private const uint LessThanHalf = 0x7FFF;
    private const ushort NotANumber = 0x7FC0;

    /// <summary>Adds numbers to others.</summary>
    public static void Add(ReadOnlySpan<ushort> values, Span<ushort> sums)
    {
        var i = 0;
        for (; i <= values.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(values[i..]), out var lower, out var upper);
            Vector.Widen(new Vector<ushort>(sums[i..]), out var lowerSums, out var upperSums);
            Vector.Narrow(Round(Float(lower) + Float(lowerSums)), Round(Float(upper) + Float(upperSums))).CopyTo(sums[i..]);
        }
        for (; i < values.Length; i++)
            sums[i] = Round(Float(values[i]) + Float(sums[i]));
    }

    private static float Float(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << HalfBits);

    private static Vector<float> Float(Vector<uint> values) => (values << HalfBits).As<uint, float>();

    private static ushort Round(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? NotANumber : (ushort)((bits + LessThanHalf + ((bits >> HalfBits) & 1)) >> HalfBits);
    }

    private static Vector<uint> Round(Vector<float> values)
    {
        var bits = values.As<float, uint>();
        var rounded = (bits + new Vector<uint>(LessThanHalf) + ((bits >> HalfBits) & Vector<uint>.One)) >> HalfBits;
        return Vector.ConditionalSelect(Vector.Equals(values, values).As<int, uint>(), rounded, new Vector<uint>(NotANumber));
    }
}
