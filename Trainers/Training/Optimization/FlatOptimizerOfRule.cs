using TorchSharp;

namespace MLExtensions.Training;

/// <summary>A <see cref="FlatOptimizer"/> whose formula is <typeparamref name="TRule"/>, made anew for each step.</summary>
internal sealed class FlatOptimizer<TRule>(FlatLayout layout, Func<double, long, TRule> ruleOf) : FlatOptimizer(layout, TRule.StateNames)
    where TRule : struct, IUpdateRule
{
    private protected override void StepOnHost(double learningRate, double gradientScale)
    {
        var steps = new SegmentStep<TRule>[Segments.Count];
        for (int i = 0; i < steps.Length; i++)
        {
            double rate = learningRate * Segments[i].LearningRateFactor;
            steps[i] = new(Segments[i], ruleOf(rate, StepCount), gradientScale, rate);
        }
        FlatBuffers buffers = Buffers;
        ForEachBlock((_, start, end) =>
        {
            for (int i = 0; i < steps.Length; i++)
                steps[i].Run(buffers, start, end);
        });
    }

    private protected override void StepByTensors(double learningRate, double gradientScale)
    {
        torch.Tensor gradients = Gradients.mul(gradientScale);
        foreach (FlatSegment segment in Segments)
            Regularize(Part(gradients, segment), Part(Parameters, segment), segment.Regularization, learningRate * segment.LearningRateFactor);
        foreach (FlatSegment segment in RateSegments)
        {
            TRule rule = ruleOf(learningRate * segment.LearningRateFactor, StepCount);
            rule.Update(Part(Parameters, segment), Part(gradients, segment), [.. State.Select(s => Part(s.State, segment))]);
        }
        Gradients.zero_();
    }

    private static torch.Tensor Part(torch.Tensor flat, FlatSegment segment) => flat.narrow(0, segment.Start, segment.End - segment.Start);

    private static void Regularize(torch.Tensor gradients, torch.Tensor weights, Regularization regularization, double learningRate)
    {
        if (regularization.L2 != 0)
            gradients.add_(weights, alpha: regularization.L2);
        if (regularization.L1 != 0)
            gradients.add_(weights.sign(), alpha: regularization.L1);
        if (regularization.WeightDecay != 0)
            weights.mul_(1 - learningRate * regularization.WeightDecay);
    }
}
