using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MLExtensions.Networks.Rbm;

/// <summary>Draws ones and zeros by their probabilities, eight at a time: xoshiro128+ (Blackman and Vigna, 2018) in eight lanes.</summary>
internal struct BernoulliDraws
{
    private const float Unit = 1f / (1 << 24);
    private Vector256<uint> _a;
    private Vector256<uint> _b;
    private Vector256<uint> _c;
    private Vector256<uint> _d;

    public BernoulliDraws(ulong seed)
    {
        var random = new SplitMix64(seed);
        _a = Lanes(ref random);
        _b = Lanes(ref random);
        _c = Lanes(ref random);
        _d = Lanes(ref random);
    }

    /// <summary>Replaces each probability by a one or a zero.</summary>
    public void Draw(ReadOnlySpan<float> probabilities, Span<float> values)
    {
        var count = Vector256<float>.Count;
        var from = MemoryMarshal.Cast<float, Vector256<float>>(probabilities);
        var to = MemoryMarshal.Cast<float, Vector256<float>>(values);
        for (var i = 0; i < from.Length; i++)
            to[i] = Ones(from[i]);
        var rest = from.Length * count;
        if (rest == probabilities.Length)
            return;
        Span<float> last = stackalloc float[count];
        last.Clear();
        probabilities[rest..].CopyTo(last);
        Ones(Vector256.Create<float>(last)).CopyTo(last);
        last[..(probabilities.Length - rest)].CopyTo(values[rest..]);
    }

    private static Vector256<uint> Lanes(ref SplitMix64 random) =>
        Vector256.Create(random.Next(), random.Next(), random.Next(), random.Next()).AsUInt32();

    private Vector256<float> Ones(Vector256<float> probability)
    {
        var drawn = Vector256.ConvertToSingle((Next() >> 8).AsInt32()) * Unit;
        return Vector256.LessThan(drawn, probability) & Vector256<float>.One;
    }

    private Vector256<uint> Next()
    {
        var result = _a + _d;
        var shifted = _b << 9;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = (_d << 11) | (_d >> 21);
        return result;
    }
}
