using System.Globalization;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;

namespace MLExtensions;

/// <summary>
/// L-BFGS: steps along the gradient, turned and scaled by the curvature that the last steps have met. For a loss that is the same in every
/// step, such as that of a picture in style transfer or of a batch with all rows; the noise of small batches misleads it.
/// </summary>
/// <remarks>
/// Nocedal, "Updating quasi-Newton matrices with limited storage" (1980); one gradient a step and no line search, as
/// <c>torch.optim.LBFGS</c> without one. The usual learning rate is 1.
/// </remarks>
public sealed record LbfgsOptimizer : Optimizer
{
    private const int MaximumHistory = 1000;

    /// <summary>Number of past steps that are remembered, from 1 to 1,000. Each takes twice the memory of the weights. Default 20.</summary>
    public int HistorySize { get; init; } = 20;

    internal override int StatesPerWeight => 2 * (HistorySize + 1);

    internal override void Check() => OptionCheck.Between(HistorySize, 1, MaximumHistory, $"{nameof(Optimizer)}.{nameof(HistorySize)}");

    internal override FlatOptimizer Create(FlatLayout layout) => new LbfgsUpdate(layout, HistorySize);
}

/// <summary>The update of <see cref="LbfgsOptimizer"/>.</summary>
/// <remarks>
/// The steps are measured by where the weights went, not by where they were sent: whoever moves them between two updates, such as into the
/// range of pixels, does not spoil the curvature. A remembered pair of zeros is an empty one.
/// </remarks>
internal sealed class LbfgsUpdate(FlatLayout layout, int history) : FlatOptimizer(layout, Names(history))
{
    // As in torch.optim.LBFGS.
    private const double LeastCurvature = 1e-10;

    private torch.Tensor PreviousWeights => State[0].State;

    private torch.Tensor PreviousGradients => State[1].State;

    private protected override void StepOnHost(double learningRate, double gradientScale)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradient = torch.no_grad();
        StepByTensors(learningRate, gradientScale);
    }

    private protected override void StepByTensors(double learningRate, double gradientScale)
    {
        var gradients = Regularized(gradientScale);
        if (StepCount > 1)
            Remember(gradients);
        PreviousWeights.copy_(Parameters);
        PreviousGradients.copy_(gradients);
        // Without curvature the size of the gradient says nothing about that of a step.
        var rate = StepCount > 1 ? learningRate : learningRate * Math.Min(1, 1 / gradients.abs().sum().ToSingle());
        var direction = Direction(gradients);
        foreach (var segment in RateSegments)
            Part(Parameters, segment).add_(Part(direction, segment), Number.Of(-rate * segment.LearningRateFactor));
        Gradients.zero_();
    }

    private static IReadOnlyList<string> Names(int history) =>
    [
        "prev_weights", "prev_flat_grad",
        .. Enumerable.Range(0, history).Select(i => Named("old_stps", i)),
        .. Enumerable.Range(0, history).Select(i => Named("old_dirs", i)),
    ];

    private static string Named(string name, int index) => string.Create(CultureInfo.InvariantCulture, $"{name}.{index}");

    private static torch.Tensor Part(torch.Tensor flat, FlatSegment segment) => flat.narrow(0, segment.Start, segment.End - segment.Start);

    private static double Dot(torch.Tensor a, torch.Tensor b) => a.dot(b).ToSingle();

    private torch.Tensor StepAt(long slot) => State[2 + (int)slot].State;

    private torch.Tensor ChangeAt(long slot) => State[2 + history + (int)slot].State;

    private torch.Tensor Regularized(double scale)
    {
        var gradients = Gradients.mul(Number.Of(scale));
        foreach (var segment in Segments)
        {
            var (part, weights) = (Part(gradients, segment), Part(Parameters, segment));
            if (segment.Regularization.L2 != 0)
                part.add_(weights, Number.Of(segment.Regularization.L2));
            if (segment.Regularization.L1 != 0)
                part.add_(weights.sign(), Number.Of(segment.Regularization.L1));
            // Decoupled decay would be a step that the curvature does not know.
            if (segment.Regularization.WeightDecay != 0)
                part.add_(weights, Number.Of(segment.Regularization.WeightDecay));
        }
        return gradients;
    }

    /// <summary>Remembers the last step and how it changed the gradient, in place of the oldest one.</summary>
    private void Remember(torch.Tensor gradients)
    {
        var slot = (StepCount - 2) % history;
        var (step, change) = (StepAt(slot), ChangeAt(slot));
        step.copy_(Parameters).sub_(PreviousWeights);
        change.copy_(gradients).sub_(PreviousGradients);
        if (Dot(step, change) > LeastCurvature)
            return;
        step.zero_();
        change.zero_();
    }

    /// <summary>The two loops of Nocedal's recursion.</summary>
    private torch.Tensor Direction(torch.Tensor gradients)
    {
        var direction = gradients.clone();
        var pairs = new List<(torch.Tensor Step, torch.Tensor Change, double Curvature)>();
        for (var age = 0; age < Math.Min(history, StepCount - 1); age++)
        {
            var slot = (StepCount - 2 - age) % history;
            if (Dot(StepAt(slot), ChangeAt(slot)) is > 0 and var curvature)
                pairs.Add((StepAt(slot), ChangeAt(slot), curvature));
        }
        var factors = new double[pairs.Count];
        for (var i = 0; i < pairs.Count; i++)
        {
            factors[i] = Dot(pairs[i].Step, direction) / pairs[i].Curvature;
            direction.add_(pairs[i].Change, Number.Of(-factors[i]));
        }
        if (pairs.Count > 0)
            direction.mul_(Number.Of(pairs[0].Curvature / Dot(pairs[0].Change, pairs[0].Change)));
        for (var i = pairs.Count - 1; i >= 0; i--)
            direction.add_(pairs[i].Step, Number.Of(factors[i] - (Dot(pairs[i].Change, direction) / pairs[i].Curvature)));
        return direction;
    }
}
