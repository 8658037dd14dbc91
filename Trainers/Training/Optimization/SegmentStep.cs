namespace MLExtensions.Training;

/// <summary>One step of one segment on host memory.</summary>
internal readonly struct SegmentStep<TRule>(FlatSegment segment, TRule rule, double gradientScale, double learningRate)
    where TRule : struct, IUpdateRule
{
    /// <summary>Updates what of the segment lies in [start, end).</summary>
    public void Run(FlatBuffers buffers, long start, long end)
    {
        long from = Math.Max(start, segment.Start);
        long to = Math.Min(end, segment.End);
        if (from >= to)
            return;
        if (segment.Regularization.IsNone)
            FlatKernel.Run(rule, new ScaledGradient(gradientScale), buffers, from, to);
        else
            FlatKernel.Run(rule, new RegularizedGradient(gradientScale, segment.Regularization, learningRate), buffers, from, to);
    }
}
