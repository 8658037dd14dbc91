using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;

namespace MLExtensions.Engine;

/// <summary>
/// Updates a flat parameter tensor with a flat gradient tensor: in one pass over host memory, or with the same formula in torch operations
/// on other devices.
/// </summary>
internal abstract unsafe class FlatOptimizer : IDisposable
{
    private readonly bool _onHost;
    private readonly int _threads;
    private bool _disposed;

    private protected FlatOptimizer(FlatLayout layout, IReadOnlyList<string> stateNames)
    {
        _onHost = layout.OnHost;
        _threads = layout.Threads;
        Segments = FlatSegment.Merge(layout.Segments);
        RateSegments = FlatSegment.MergeRates(layout.Segments);
        // Aliases keep the memory alive after the caller disposes its own tensors.
        Parameters = layout.Parameters.detach().DetachFromDisposeScope();
        Gradients = layout.Gradients.detach().DetachFromDisposeScope();
        State = [.. stateNames.Select(name => (name, torch.zeros_like(Parameters).DetachFromDisposeScope()))];
        Buffers = _onHost ? FindBuffers() : default;
    }

    /// <summary>The number of updates so far; the bias correction of Adam depends on it.</summary>
    public long StepCount
    {
        get;
        set
        {
            OptionCheck.Between(value, 0, long.MaxValue, nameof(StepCount));
            field = value;
        }
    }

    /// <summary>
    /// State buffers by their PyTorch names, each with the shape of the parameters; empty for plain SGD. They belong to the optimizer: copy
    /// into and out of them.
    /// </summary>
    public IReadOnlyList<(string Name, torch.Tensor State)> State { get; }

    private protected torch.Tensor Parameters { get; }

    private protected torch.Tensor Gradients { get; }

    /// <summary>The parts that are updated in different ways, in order and without gaps.</summary>
    private protected IReadOnlyList<FlatSegment> Segments { get; }

    /// <summary>The parts with different learning rates.</summary>
    private protected IReadOnlyList<FlatSegment> RateSegments { get; }

    private protected FlatBuffers Buffers { get; }

    /// <param name="settings">The optimizer settings.</param>
    /// <param name="parameters">A flat, contiguous float32 tensor; its storage must not move.</param>
    /// <param name="gradients">A tensor of the same length on the same device.</param>
    /// <param name="segments">Regularization and learning rate of each part, in order, from the first element to the last.</param>
    /// <param name="threads">The number of threads for host memory. The result does not depend on it.</param>
    /// <param name="tensorOperations">Whether to use torch operations for host memory too.</param>
    public static FlatOptimizer Create(
        Optimizer settings,
        torch.Tensor parameters,
        torch.Tensor gradients,
        IReadOnlyList<FlatSegment> segments,
        int threads = 1,
        bool tensorOperations = false)
    {
        settings.Check();
        var layout = new FlatLayout(parameters, gradients, segments, threads, tensorOperations);
        layout.Check();
        return settings.Create(layout);
    }

    /// <summary>Updates the parameters once and zeroes the gradients.</summary>
    /// <param name="learningRate">The learning rate, at least 0.</param>
    /// <param name="gradientScale">A factor on the gradients, for clipping or averaging.</param>
    public void Step(double learningRate, double gradientScale = 1)
    {
        OptionCheck.Between(learningRate, 0, float.MaxValue, nameof(learningRate));
        OptionCheck.Between(gradientScale, 0, float.MaxValue, nameof(gradientScale));
        ObjectDisposedException.ThrowIf(_disposed, this);
        StepCount++;
        if (_onHost)
        {
            StepOnHost(learningRate, gradientScale);
            GC.KeepAlive(this);
        }
        else
        {
            using var scope = torch.NewDisposeScope();
            using var noGradient = torch.no_grad();
            StepByTensors(learningRate, gradientScale);
        }
    }

    /// <summary>
    /// Returns the Euclidean norm of all gradients, accumulated in float64 in host memory. It is not finite if a gradient is not finite.
    /// </summary>
    public double GradientNorm()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _onHost ? HostGradientNorm() : TensorGradientNorm();
    }

    /// <summary>
    /// Returns what makes the gradients at most as long as a limit. On other devices than the host they are made so at once, and 1 is returned: the host
    /// does not wait for their length.
    /// </summary>
    /// <param name="limit">The largest Euclidean norm.</param>
    /// <param name="scale">A factor on the gradients, which <see cref="Step"/> gets, too.</param>
    public double ClipFactor(double limit, double scale = 1)
    {
        if (_onHost)
            return GradientNorm() * scale is var norm && norm > limit ? limit / norm : 1;
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var scope = torch.NewDisposeScope();
        using var noGradient = torch.no_grad();
        Gradients.mul_(Gradients.norm().mul_(Number.Of(scale / limit)).clamp_min_(Number.One).reciprocal_());
        return 1;
    }

    /// <summary>Forgets all updates so far.</summary>
    public void Restart()
    {
        StepCount = 0;
        using var noGradient = torch.no_grad();
        foreach (var (_, state) in State)
            state.zero_();
    }

    public void Dispose()
    {
        _disposed = true;
        Parameters.Dispose();
        Gradients.Dispose();
        foreach (var (_, state) in State)
            state.Dispose();
    }

    private protected abstract void StepOnHost(double learningRate, double gradientScale);

    private protected abstract void StepByTensors(double learningRate, double gradientScale);

    private protected void ForEachBlock(Action<int, long, long> body) => ElementBlocks.Run(Parameters.NumberOfElements, _threads, body);

    private FlatBuffers FindBuffers()
    {
        var first = State.Count > 0 ? FlatBuffers.Address(State[0].State) : null;
        var second = State.Count > 1 ? FlatBuffers.Address(State[1].State) : null;
        return new(FlatBuffers.Address(Parameters), FlatBuffers.Address(Gradients), first, second);
    }

    private double HostGradientNorm()
    {
        var gradients = Buffers.Gradients;
        var sums = new double[ElementBlocks.Count(Gradients.NumberOfElements)];
        ForEachBlock((block, start, end) => sums[block] = SquareSum.Of(new(gradients + start, (int)(end - start))));
        GC.KeepAlive(this);
        return Math.Sqrt(sums.Sum());
    }

    private double TensorGradientNorm()
    {
        using var norm = Gradients.norm();
        return norm.ToSingle();
    }
}

/// <summary>A <see cref="FlatOptimizer"/> whose formula is <typeparamref name="TRule"/>, created for each update.</summary>
internal sealed class FlatOptimizer<TRule>(FlatLayout layout, Func<double, long, TRule> ruleOf) : FlatOptimizer(layout, TRule.StateNames)
    where TRule : struct, IUpdateRule
{
    private protected override void StepOnHost(double learningRate, double gradientScale)
    {
        var steps = new SegmentStep<TRule>[Segments.Count];
        for (var i = 0; i < steps.Length; i++)
        {
            var rate = learningRate * Segments[i].LearningRateFactor;
            steps[i] = new(Segments[i], ruleOf(rate, StepCount), gradientScale, rate);
        }
        var buffers = Buffers;
        ForEachBlock((_, start, end) =>
        {
            for (var i = 0; i < steps.Length; i++)
                steps[i].Run(buffers, start, end);
        });
    }

    private protected override void StepByTensors(double learningRate, double gradientScale)
    {
        var gradients = Gradients.mul(Number.Of(gradientScale));
        foreach (var segment in Segments)
            Regularize(Part(gradients, segment), Part(Parameters, segment), segment.Regularization, learningRate * segment.LearningRateFactor);
        foreach (var segment in RateSegments)
        {
            var rule = ruleOf(learningRate * segment.LearningRateFactor, StepCount);
            rule.Update(Part(Parameters, segment), Part(gradients, segment), [.. State.Select(s => Part(s.State, segment))]);
        }
        Gradients.zero_();
    }

    private static torch.Tensor Part(torch.Tensor flat, FlatSegment segment) => flat.narrow(0, segment.Start, segment.End - segment.Start);

    private static void Regularize(torch.Tensor gradients, torch.Tensor weights, Regularization regularization, double learningRate)
    {
        if (regularization.L2 != 0)
            gradients.add_(weights, alpha: Number.Of(regularization.L2));
        if (regularization.L1 != 0)
            gradients.add_(weights.sign(), alpha: Number.Of(regularization.L1));
        if (regularization.WeightDecay != 0)
            weights.mul_(Number.Of(1 - learningRate * regularization.WeightDecay));
    }
}

/// <summary>The tensors and segments of a <see cref="FlatOptimizer"/>; see <see cref="FlatOptimizer.Create"/>.</summary>
internal sealed record FlatLayout(
    torch.Tensor Parameters,
    torch.Tensor Gradients,
    IReadOnlyList<FlatSegment> Segments,
    int Threads,
    bool TensorOperations)
{
    public bool OnHost => !TensorOperations && Parameters.device_type == DeviceType.CPU;

    public void Check()
    {
        CheckFlat(nameof(Parameters), Parameters);
        CheckFlat(nameof(Gradients), Gradients);
        var length = Parameters.NumberOfElements;
        if (Gradients.NumberOfElements != length)
            throw new ArgumentException(FormattableString.Invariant($"There are {Gradients.NumberOfElements} gradients for {length} parameters; the numbers must be equal."));
        if (Gradients.device_type != Parameters.device_type || Gradients.device_index != Parameters.device_index)
            throw new ArgumentException($"Gradients are on {Gradients.device}, parameters on {Parameters.device}; they must be on one device.");
        OptionCheck.Between(Threads, 1, int.MaxValue, nameof(Threads));
        CheckSegments(length);
    }

    private void CheckSegments(long length)
    {
        long at = 0;
        foreach (var segment in Segments)
        {
            if (segment.Start != at || segment.End < at)
                throw new ArgumentException(FormattableString.Invariant($"A segment goes from {segment.Start} to {segment.End}; it must begin at {at}, where the one before ends."));
            segment.Regularization.Check();
            OptionCheck.NotNegative(segment.LearningRateFactor, nameof(segment.LearningRateFactor));
            at = segment.End;
        }
        if (at != length)
            throw new ArgumentException(FormattableString.Invariant($"The segments end at {at}; they must end at {length}, the number of parameters."));
    }

    private static void CheckFlat(string name, torch.Tensor tensor)
    {
        if (tensor.dim() != 1 || tensor.dtype != torch.ScalarType.Float32 || !tensor.is_contiguous())
            throw new ArgumentException($"{name} is {tensor.dtype}[{NumberList.Of(tensor.shape)}]; it must be a contiguous Float32 vector.");
    }
}

/// <summary>A range of a flat tensor whose elements are updated in the same way.</summary>
/// <param name="Start">The first element.</param>
/// <param name="End">The end, exclusive.</param>
/// <param name="Regularization">The regularization of the range; none for biases and normalization.</param>
/// <param name="LearningRateFactor">Multiplies the learning rate, at least 0.</param>
internal readonly record struct FlatSegment(long Start, long End, Regularization Regularization, double LearningRateFactor = 1)
{
    /// <summary>Returns the same segments, but as few as possible: without empty ones, and with equal neighbors merged.</summary>
    public static IReadOnlyList<FlatSegment> Merge(IEnumerable<FlatSegment> segments) =>
        Merge(segments, (a, b) => a.Regularization == b.Regularization && a.LearningRateFactor.Equals(b.LearningRateFactor));

    /// <summary>Returns as few segments as possible if only the learning rate matters.</summary>
    public static IReadOnlyList<FlatSegment> MergeRates(IEnumerable<FlatSegment> segments) =>
        Merge(segments, (a, b) => a.LearningRateFactor.Equals(b.LearningRateFactor));

    private static List<FlatSegment> Merge(IEnumerable<FlatSegment> segments, Func<FlatSegment, FlatSegment, bool> alike)
    {
        var merged = new List<FlatSegment>();
        foreach (var segment in segments.Where(segment => segment.Start < segment.End))
        {
            if (merged.Count > 0 && alike(merged[^1], segment))
                merged[^1] = merged[^1] with { End = segment.End };
            else
                merged.Add(segment);
        }
        return merged;
    }
}

/// <summary>Terms that pull weights towards zero.</summary>
/// <param name="L1">Added to the gradient times the weight's sign, at least 0.</param>
/// <param name="L2">Added to the gradient times the weight, at least 0.</param>
/// <param name="WeightDecay">
/// Decoupled weight decay, as in AdamW: this fraction of the weight, times the learning rate, is subtracted in each step. At least 0.
/// </param>
internal readonly record struct Regularization(double L1, double L2, double WeightDecay)
{
    public bool IsNone => this == default;

    public void Check()
    {
        OptionCheck.Between(L1, 0, float.MaxValue, nameof(L1));
        OptionCheck.Between(L2, 0, float.MaxValue, nameof(L2));
        OptionCheck.Between(WeightDecay, 0, float.MaxValue, nameof(WeightDecay));
    }
}
