using MLExtensions.Training;
using TorchSharp;

namespace MLExtensions.Engine;

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
            throw new ArgumentException($"There are {Gradients.NumberOfElements} gradients for {length} parameters; the numbers must be equal.");
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
                throw new ArgumentException($"A segment goes from {segment.Start} to {segment.End}; it must begin at {at}, where the one before ends.");
            segment.Regularization.Check();
            OptionCheck.NotNegative(segment.LearningRateFactor, nameof(segment.LearningRateFactor));
            at = segment.End;
        }
        if (at != length)
            throw new ArgumentException($"The segments end at {at}; they must end at {length}, the number of parameters.");
    }

    private static void CheckFlat(string name, torch.Tensor tensor)
    {
        if (tensor.dim() != 1 || tensor.dtype != torch.ScalarType.Float32 || !tensor.is_contiguous())
            throw new ArgumentException($"{name} is {tensor.dtype}[{string.Join(", ", tensor.shape)}]; it must be a contiguous Float32 vector.");
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
