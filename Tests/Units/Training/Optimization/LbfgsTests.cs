using MLExtensions.Engine;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Tests;

/// <summary>L-BFGS takes the steps of PyTorch's, and its state is all that the next steps depend on.</summary>
[TestClass]
public sealed class LbfgsTests
{
    private const int Size = 16;

    [TestMethod]
    [DataRow(20)]
    [DataRow(3)]
    public void Steps_AreTorchs(int history)
    {
        using var scope = NewDisposeScope();
        var (curvature, start) = Problem();
        var expected = new Parameter(start.clone());
        using var torchs = optim.LBFGS([expected], lr: .8, max_iter: 1, max_eval: 1, history_size: history);
        var weights = start.clone();
        var gradients = zeros_like(weights);
        using var ours = FlatOptimizer.Create(new LbfgsOptimizer { HistorySize = history }, weights, gradients, [new FlatSegment(0, Size, default)]);
        for (var step = 0; step < 8; step++)
        {
            torchs.step(() =>
            {
                torchs.zero_grad();
                var loss = expected.pow(2).mul(curvature).sum().div(2);
                loss.backward();
                return loss;
            });
            gradients.copy_(weights * curvature);
            ours.Step(.8);
            var distance = (weights - expected.detach()).norm().ToSingle() / expected.detach().norm().ToSingle();
            Assert.IsLessThan(1e-4f, distance, FormattableString.Invariant($"step {step}"));
        }
    }

    [TestMethod]
    public void Quadratic_SolvedInAFewSteps()
    {
        using var scope = NewDisposeScope();
        var (curvature, weights) = Problem();
        var gradients = zeros_like(weights);
        var before = weights.norm().ToSingle();
        using var ours = FlatOptimizer.Create(new LbfgsOptimizer(), weights, gradients, [new FlatSegment(0, Size, default)]);
        for (var step = 0; step < 40; step++)
        {
            gradients.copy_(weights * curvature);
            ours.Step(1);
        }
        Assert.IsLessThan(1e-4f, weights.norm().ToSingle() / before);
    }

    [TestMethod]
    public void State_IsAllThatItDependsOn()
    {
        using var scope = NewDisposeScope();
        var (curvature, first) = Problem();
        var (one, two) = (zeros_like(first), zeros_like(first));
        FlatSegment[] segments = [new FlatSegment(0, Size, default)];
        using var all = FlatOptimizer.Create(new LbfgsOptimizer { HistorySize = 2 }, first, one, segments);
        void Step(FlatOptimizer optimizer, Tensor weights, Tensor gradients)
        {
            gradients.copy_(weights * curvature);
            optimizer.Step(.5);
        }
        for (var step = 0; step < 4; step++)
            Step(all, first, one);
        var second = first.clone();
        using var resumed = FlatOptimizer.Create(new LbfgsOptimizer { HistorySize = 2 }, second, two, segments);
        foreach (var (mine, its) in resumed.State.Zip(all.State))
            mine.State.copy_(its.State);
        resumed.StepCount = all.StepCount;
        for (var step = 0; step < 3; step++)
        {
            Step(all, first, one);
            Step(resumed, second, two);
        }
        Assert.IsTrue(first.Equals(second) || first.eq(second).all().ToBoolean());
    }

    private static (Tensor Curvature, Tensor Start) Problem() =>
        (linspace(1, 12, Size, ScalarType.Float32), linspace(-2, 3, Size, ScalarType.Float32));
}
