namespace MLExtensions;

/// <summary>Adam: steps of similar size for every weight, from running means of the gradient and of its square.</summary>
/// <remarks>Kingma and Ba, "Adam: a method for stochastic optimization" (2015).</remarks>
public sealed record AdamOptimizer : Optimizer
{
    /// <summary>Share of the running mean of gradients that is kept from step to step, in [0, 1). Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Share of the running mean of squared gradients that is kept from step to step, in [0, 1). Default 0.999.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the denominator, in [1e-30, 1]. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    internal override void Check()
    {
        CheckFraction(Beta1);
        CheckFraction(Beta2);
        CheckEpsilon(Epsilon);
    }
}
