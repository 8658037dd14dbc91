using MLExtensions.Engine;
using static TorchSharp.torch;

namespace MLExtensions.Benchmarks;

/// <summary>The one-pass Adam over flat buffers against TorchSharp's, on one thread.</summary>
internal sealed class OptimizerStep : IBenchmark
{
    private const int Steps = 300;
    private const double LearningRate = 0.001;

    public string Name => "optimizer";

    public IEnumerable<ResultRow> Run(BenchmarkSettings settings)
    {
        var threads = get_num_threads();
        set_num_threads(1);
        using var ours = HandWrittenLoop.CreateNetwork(ImageTrainer.SmallNetwork);
        using var theirs = HandWrittenLoop.CreateNetwork(ImageTrainer.SmallNetwork);
        using var parameters = new ParameterSet(ours, new OptimizationSettings { Optimizer = new AdamOptimizer() });
        using var flat = FlatOptimizer.Create(new AdamOptimizer(), parameters.Weights, parameters.Gradients, [new FlatSegment(0, parameters.Weights.NumberOfElements, default)]);
        using var adam = optim.Adam(theirs.parameters(), LearningRate);
        foreach (var parameter in theirs.parameters())
            parameter.grad = randn_like(parameter, requires_grad: false) * 0.01;
        using var gradients = randn(parameters.Gradients.shape) * 0.01;
        var comparison = Timing.Compare(
            settings.Rounds,
            new Contender("flat, clears the gradients too", () =>
            {
                parameters.Gradients.copy_(gradients);
                return Timing.Seconds(() => Repeat(() => flat.Step(LearningRate)));
            }),
            Contender.Of("torch.optim.Adam", () => Repeat(() => adam.step())));
        set_num_threads(threads);
        yield return Bound.Row($"optimizer step, Adam, {parameters.Weights.NumberOfElements} weights, 1 thread, against torch.optim", null, comparison, "steps", Steps);
    }

    private static void Repeat(Action step)
    {
        for (var i = 0; i < Steps; i++)
        {
            using var scope = NewDisposeScope();
            step();
        }
    }
}
