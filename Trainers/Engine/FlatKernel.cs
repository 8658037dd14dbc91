using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MLExtensions.Tensors;
using TorchSharp;

namespace MLExtensions.Engine;

/// <summary>The one loop over memory, compiled once per update rule and regularization.</summary>
internal static unsafe class FlatKernel
{
    private const float SmallestNormal = 1.17549435e-38f;

    /// <summary>Updates elements [start, end) and zeroes their gradients.</summary>
    /// <remarks>
    /// By value: no store of the loop can alias a local whose address is not taken, so the constants of the rule stay in registers.
    /// </remarks>
    public static void Run<TRule, TTerms>(TRule rule, TTerms terms, FlatBuffers buffers, long start, long end)
        where TRule : struct, IUpdateRule
        where TTerms : struct, IGradientTerms
    {
        var width = Vector<float>.Count;
        var i = start;
        for (; i <= end - width; i += width)
        {
            var first = TRule.StateCount > 0 ? buffers.First + i : null;
            var second = TRule.StateCount > 1 ? buffers.Second + i : null;
            Update(in rule, in terms, buffers.Parameters + i, buffers.Gradients + i, first, second);
        }
        if (i < end)
            Tail(rule, terms, buffers, i, (int)(end - i));
    }

    /// <summary>
    /// Fewer elements than a register holds: the same arithmetic on a padded copy, so that the end of a range does not change any bit.
    /// </summary>
    private static void Tail<TRule, TTerms>(TRule rule, TTerms terms, FlatBuffers buffers, long start, int count)
        where TRule : struct, IUpdateRule
        where TTerms : struct, IGradientTerms
    {
        var width = Vector<float>.Count;
        var padded = stackalloc float[4 * width];
        new Span<float>(padded, 4 * width).Clear();
        ReadOnlySpan<nint> sources =
            [(nint)buffers.Parameters, (nint)buffers.Gradients, (nint)buffers.First, (nint)buffers.Second];
        var used = 2 + TRule.StateCount;
        for (var b = 0; b < used; b++)
            new Span<float>((float*)sources[b] + start, count).CopyTo(new Span<float>(padded + b * width, count));
        Update(in rule, in terms, padded, padded + width, padded + 2 * width, padded + 3 * width);
        for (var b = 0; b < used; b++)
            new Span<float>(padded + b * width, count).CopyTo(new Span<float>((float*)sources[b] + start, count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Update<TRule, TTerms>(in TRule rule, in TTerms terms, float* parameters, float* gradients, float* first, float* second)
        where TRule : struct, IUpdateRule
        where TTerms : struct, IGradientTerms
    {
        var parameter = Vector.Load(parameters);
        var gradient = terms.Gradient(parameter, Vector.Load(gradients));
        var a = TRule.StateCount > 0 ? Vector.Load(first) : default;
        var b = TRule.StateCount > 1 ? Vector.Load(second) : default;
        rule.Update(terms.Parameter(parameter), gradient, ref a, ref b).Store(parameters);
        Vector<float>.Zero.Store(gradients);
        if (TRule.StateCount > 0)
            Normal(a).Store(first);
        if (TRule.StateCount > 1)
            Normal(b).Store(second);
    }

    /// <summary>
    /// Replaces subnormal numbers by zero: the moments of a weight whose gradient stays zero decay into them, and arithmetic on them is
    /// about ten times slower.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Normal(Vector<float> value)
    {
        var subnormal = Vector.LessThan(Vector.Abs(value), new Vector<float>(SmallestNormal));
        return Vector.ConditionalSelect(subnormal, Vector<float>.Zero, value);
    }
}

/// <summary>
/// The update formula of one optimizer, on a register of elements and on whole tensors. It is a struct, so that the loop over memory is
/// compiled once per rule with the formula inlined.
/// </summary>
internal interface IUpdateRule
{
    /// <summary>Names of the state buffers, as in PyTorch; two at most.</summary>
    static abstract IReadOnlyList<string> StateNames { get; }

    /// <summary>The same number as a compile-time constant.</summary>
    static abstract int StateCount { get; }

    /// <summary>Returns the new parameters; updates the states in use.</summary>
    Vector<float> Update(Vector<float> parameter, Vector<float> gradient, ref Vector<float> first, ref Vector<float> second);

    /// <summary>Does the same in place.</summary>
    void Update(torch.Tensor parameters, torch.Tensor gradients, IReadOnlyList<torch.Tensor> states);
}

/// <summary>What happens to a register of parameters and gradients before the optimizer's own formula.</summary>
internal interface IGradientTerms
{
    Vector<float> Gradient(Vector<float> parameter, Vector<float> raw);

    Vector<float> Parameter(Vector<float> parameter);
}

internal readonly struct ScaledGradient(double gradientScale) : IGradientTerms
{
    private readonly Vector<float> _scale = new((float)gradientScale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Gradient(Vector<float> parameter, Vector<float> raw) => _scale * raw;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Parameter(Vector<float> parameter) => parameter;
}

internal readonly struct RegularizedGradient(double gradientScale, Regularization regularization, double learningRate) : IGradientTerms
{
    private readonly Vector<float> _scale = new((float)gradientScale);
    private readonly Vector<float> _l1 = new((float)regularization.L1);
    private readonly Vector<float> _l2 = new((float)regularization.L2);
    private readonly Vector<float> _keep = new((float)(1 - learningRate * regularization.WeightDecay));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Gradient(Vector<float> parameter, Vector<float> raw)
    {
        var above = Vector.ConditionalSelect(Vector.GreaterThan(parameter, Vector<float>.Zero), _l1, Vector<float>.Zero);
        var below = Vector.ConditionalSelect(Vector.LessThan(parameter, Vector<float>.Zero), _l1, Vector<float>.Zero);
        return _scale * raw + _l2 * parameter + (above - below);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Parameter(Vector<float> parameter) => _keep * parameter;
}

/// <summary>One update of one segment in host memory.</summary>
internal readonly struct SegmentStep<TRule>(FlatSegment segment, TRule rule, double gradientScale, double learningRate)
    where TRule : struct, IUpdateRule
{
    /// <summary>Updates the part of the segment that lies in [start, end).</summary>
    public void Run(FlatBuffers buffers, long start, long end)
    {
        var from = Math.Max(start, segment.Start);
        var to = Math.Min(end, segment.End);
        if (from >= to)
            return;
        if (segment.Regularization.IsNone)
            FlatKernel.Run(rule, new ScaledGradient(gradientScale), buffers, from, to);
        else
            FlatKernel.Run(rule, new RegularizedGradient(gradientScale, segment.Regularization, learningRate), buffers, from, to);
    }
}

/// <summary>Host addresses of the flat tensors that an update reads and writes; the tensors must outlive every use.</summary>
internal readonly unsafe struct FlatBuffers(float* parameters, float* gradients, float* first, float* second)
{
    public readonly float* Parameters = parameters;
    public readonly float* Gradients = gradients;
    public readonly float* First = first;
    public readonly float* Second = second;

    public static float* Address(torch.Tensor tensor)
    {
        if (tensor.NumberOfElements == 0)
            return null;
        // Tensor.bytes ends at 2 GB; only its beginning is needed.
        using var start = tensor.narrow(0, 0, 1);
        return (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(start.bytes));
    }
}

/// <summary>
/// Splits a pass over elements into blocks that threads take one by one. The blocks depend on the length alone, so the result per block
/// does not depend on the number of threads.
/// </summary>
internal static class ElementBlocks
{
    /// <summary>Small enough that a late or interrupted thread costs little.</summary>
    public const int Size = 1 << 15;

    /// <summary>
    /// Below this many elements a second thread saves too little (8 % at 1.9 million, 30 % at 20 million) compared with its cost when the
    /// cores are busy.
    /// </summary>
    public const long Threshold = 1 << 22;

    public static int Count(long length) => checked((int)((length + Size - 1) / Size));

    /// <summary>Calls <paramref name="body"/> with index, start and end of each block.</summary>
    public static void Run(long length, int threads, Action<int, long, long> body)
    {
        var count = Count(length);
        void One(int block) => body(block, (long)block * Size, Math.Min(length, (block + 1L) * Size));

        if (threads == 1 || length < Threshold)
        {
            for (var block = 0; block < count; block++)
                One(block);
        }
        else
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, One);
    }
}

/// <summary>Moves flat weights towards others: moving averages and target networks.</summary>
internal static unsafe class FlatAverage
{
    /// <summary>Computes <c>values += share x (towards - values)</c>, in host memory in one pass.</summary>
    /// <param name="values">The values that move; a flat, contiguous float32 tensor.</param>
    /// <param name="towards">What they move to, as many on the same device.</param>
    /// <param name="share">The share of the way, from 0 to 1.</param>
    /// <param name="threads">The number of threads for host memory. The result does not depend on it.</param>
    public static void Move(torch.Tensor values, torch.Tensor towards, double share, int threads)
    {
        if (values.device_type == DeviceType.CPU)
        {
            float* to = FlatBuffers.Address(values), from = FlatBuffers.Address(towards);
            ElementBlocks.Run(values.NumberOfElements, threads, (_, start, end) => MoveBlock(to, from, (float)share, start, end));
            GC.KeepAlive(values);
            GC.KeepAlive(towards);
            return;
        }
        using var noGradient = torch.no_grad();
        using var gap = towards - values;
        values.add_(gap, Number.Of(share));
    }

    private static void MoveBlock(float* values, float* towards, float share, long start, long end)
    {
        var (width, shares, i) = (Vector<float>.Count, new Vector<float>(share), start);
        for (; i <= end - width; i += width)
        {
            var value = Vector.Load(values + i);
            Vector.MultiplyAddEstimate(Vector.Load(towards + i) - value, shares, value).Store(values + i);
        }
        for (; i < end; i++)
            values[i] = float.MultiplyAddEstimate(towards[i] - values[i], share, values[i]);
    }
}

/// <summary>Sum of squares in float64, without the overflow and rounding of float32.</summary>
internal static class SquareSum
{
    public static double Of(ReadOnlySpan<float> values)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        Vector<double> lowSum = default;
        Vector<double> highSum = default;
        foreach (var vector in vectors)
        {
            Vector.Widen(vector, out var low, out var high);
            lowSum += low * low;
            highSum += high * high;
        }
        var sum = Vector.Sum(lowSum + highSum);
        foreach (var value in values[(vectors.Length * Vector<float>.Count)..])
            sum += (double)value * value;
        return sum;
    }
}
