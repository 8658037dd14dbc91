using TorchSharp;

namespace MLExtensions.Training;

/// <summary>A <see cref="FlatOptimizer"/> whose formula is <typeparamref name="TRule"/>, made anew for each step.</summary>
internal sealed class FlatOptimizer<TRule>(FlatLayout layout, Func<double, long, TRule> ruleOf) : FlatOptimizer(layout, TRule.StateNames)
    where TRule : struct, IUpdateRule
{
    private protected override void StepOnHost(double learningRate, double gradientScale)
    {
        TRule rule = ruleOf(learningRate, StepCount);
        var regularized = new RegularizedGradient(gradientScale, Regularization, learningRate);
        var plain = new ScaledGradient(gradientScale);
        FlatBuffers buffers = Buffers;
        long decayed = DecayedCount;
        ForEachBlock((_, start, end) =>
        {
            long border = Math.Clamp(decayed, start, end);
            FlatKernel.Run(rule, regularized, buffers, start, border);
            FlatKernel.Run(rule, plain, buffers, border, end);
        });
    }

    private protected override void StepByTensors(double learningRate, double gradientScale)
    {
        torch.Tensor gradients = Gradients.mul(gradientScale);
        if (DecayedCount > 0)
            Regularize(gradients.narrow(0, 0, DecayedCount), Parameters.narrow(0, 0, DecayedCount), learningRate);
        ruleOf(learningRate, StepCount).Update(Parameters, gradients, [.. State.Select(s => s.State)]);
        Gradients.zero_();
    }

    private void Regularize(torch.Tensor gradients, torch.Tensor weights, double learningRate)
    {
        if (Regularization.L2 != 0)
            gradients.add_(weights, alpha: Regularization.L2);
        if (Regularization.L1 != 0)
            gradients.add_(weights.sign(), alpha: Regularization.L1);
        if (Regularization.WeightDecay != 0)
            weights.mul_(1 - learningRate * Regularization.WeightDecay);
    }
}
