using MLExtensions.Engine;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Training;

/// <summary>Flat parameters and gradients, filled reproducibly, with an optimizer of ours.</summary>
internal sealed class FlatProblem : IDisposable
{
    private readonly Generator generator = new(7);

    public FlatProblem(
        Optimizer settings,
        long length,
        long decayed = 0,
        Regularization regularization = default,
        int threads = 1,
        bool tensorOperations = false)
        : this(settings, length, [new(0, decayed, regularization), new(decayed, length, default)], threads, tensorOperations)
    {
    }

    public FlatProblem(Optimizer settings, long length, IReadOnlyList<FlatSegment> segments, int threads = 1, bool tensorOperations = false)
    {
        set_num_threads(1);
        // Offset by 16 bytes: the least alignment that is promised.
        Parameters = randn(length + 4, generator: generator).narrow(0, 4, length);
        Gradients = zeros(length + 4).narrow(0, 4, length);
        Optimizer = FlatOptimizer.Create(settings, Parameters, Gradients, segments, threads, tensorOperations);
    }

    public Tensor Parameters { get; }

    public Tensor Gradients { get; }

    public FlatOptimizer Optimizer { get; }

    /// <summary>Fills the gradients with what step number <see cref="FlatOptimizer.StepCount"/> gets in every problem.</summary>
    public void FillGradients()
    {
        using var seeded = new Generator((ulong)(1000 + Optimizer.StepCount));
        using Tensor values = randn(Gradients.NumberOfElements, generator: seeded);
        Gradients.copy_(values);
    }

    public void Steps(int count, double learningRate)
    {
        for (var i = 0; i < count; i++)
        {
            FillGradients();
            Optimizer.Step(learningRate);
        }
    }

    public void Dispose()
    {
        Optimizer.Dispose();
        Parameters.Dispose();
        Gradients.Dispose();
        generator.Dispose();
    }
}
