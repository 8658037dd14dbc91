using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Adagrad: the gradient divided by the root of the sum of all its squares so far; suits sparse features.</summary>
/// <remarks>Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization" (2011).</remarks>
public sealed record AdagradOptimizer : Optimizer
{
    /// <summary>What the sum of squares starts from, at least 0. Default 0.</summary>
    public double InitialAccumulator { get; init; }

    /// <summary>Added to the denominator, in [1e-30, 1]. Default 1e-10.</summary>
    public double Epsilon { get; init; } = 1e-10;

    internal override void Check()
    {
        OptionCheck.Between(InitialAccumulator, 0, float.MaxValue, $"{nameof(Optimizer)}.{nameof(InitialAccumulator)}");
        CheckEpsilon(Epsilon);
    }
}
