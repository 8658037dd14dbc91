using TorchSharp;

namespace MLExtensions.Training;

/// <summary>What a <see cref="FlatOptimizer"/> works on; see <see cref="FlatOptimizer.Create"/>.</summary>
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
        long length = Parameters.NumberOfElements;
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
        foreach (FlatSegment segment in Segments)
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
