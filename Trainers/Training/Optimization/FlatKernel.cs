using System.Numerics;
using System.Runtime.CompilerServices;

namespace MLExtensions.Training;

/// <summary>The one loop over memory, compiled once per update rule and regularization.</summary>
internal static unsafe class FlatKernel
{
    private const float SmallestNormal = 1.17549435e-38f;

    /// <summary>Updates elements [start, end) and zeroes their gradients.</summary>
    /// <remarks>By value: no store of the loop can alias a local whose address is not taken, so that the rule's constants stay
    /// in registers.</remarks>
    public static void Run<TRule, TTerms>(TRule rule, TTerms terms, FlatBuffers buffers, long start, long end)
        where TRule : struct, IUpdateRule
        where TTerms : struct, IGradientTerms
    {
        int width = Vector<float>.Count;
        long i = start;
        for (; i <= end - width; i += width)
        {
            float* first = TRule.StateCount > 0 ? buffers.First + i : null;
            float* second = TRule.StateCount > 1 ? buffers.Second + i : null;
            Update(in rule, in terms, buffers.Parameters + i, buffers.Gradients + i, first, second);
        }
        if (i < end)
            Tail(rule, terms, buffers, i, (int)(end - i));
    }

    /// <summary>Fewer elements than a register holds: the same arithmetic on a padded copy, so that where a range ends
    /// changes no bit.</summary>
    private static void Tail<TRule, TTerms>(TRule rule, TTerms terms, FlatBuffers buffers, long start, int count)
        where TRule : struct, IUpdateRule
        where TTerms : struct, IGradientTerms
    {
        int width = Vector<float>.Count;
        float* padded = stackalloc float[4 * width];
        new Span<float>(padded, 4 * width).Clear();
        ReadOnlySpan<nint> sources =
            [(nint)buffers.Parameters, (nint)buffers.Gradients, (nint)buffers.First, (nint)buffers.Second];
        int used = 2 + TRule.StateCount;
        for (int b = 0; b < used; b++)
            new Span<float>((float*)sources[b] + start, count).CopyTo(new Span<float>(padded + b * width, count));
        Update(in rule, in terms, padded, padded + width, padded + 2 * width, padded + 3 * width);
        for (int b = 0; b < used; b++)
            new Span<float>(padded + b * width, count).CopyTo(new Span<float>((float*)sources[b] + start, count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Update<TRule, TTerms>(in TRule rule, in TTerms terms, float* parameters, float* gradients, float* first, float* second)
        where TRule : struct, IUpdateRule
        where TTerms : struct, IGradientTerms
    {
        Vector<float> parameter = Vector.Load(parameters);
        Vector<float> gradient = terms.Gradient(parameter, Vector.Load(gradients));
        Vector<float> a = TRule.StateCount > 0 ? Vector.Load(first) : default;
        Vector<float> b = TRule.StateCount > 1 ? Vector.Load(second) : default;
        rule.Update(terms.Parameter(parameter), gradient, ref a, ref b).Store(parameters);
        Vector<float>.Zero.Store(gradients);
        if (TRule.StateCount > 0)
            Normal(a).Store(first);
        if (TRule.StateCount > 1)
            Normal(b).Store(second);
    }

    /// <summary>Zero for subnormal numbers: the moments of a weight whose gradient stays zero decay into them, and
    /// arithmetic on them is some ten times slower.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Normal(Vector<float> value)
    {
        Vector<int> subnormal = Vector.LessThan(Vector.Abs(value), new Vector<float>(SmallestNormal));
        return Vector.ConditionalSelect(subnormal, Vector<float>.Zero, value);
    }
}
