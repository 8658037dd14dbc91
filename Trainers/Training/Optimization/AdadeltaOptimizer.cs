namespace MLExtensions;

/// <summary>Adadelta: steps in the weights' own units, from running means of squared gradients and squared steps. A
/// learning rate of 1 is usual.</summary>
/// <remarks>Zeiler, "ADADELTA: an adaptive learning rate method" (2012).</remarks>
public sealed record AdadeltaOptimizer : Optimizer
{
    /// <summary>Share of both running means that is kept from step to step, in [0, 1). Default 0.9.</summary>
    public double Decay { get; init; } = 0.9;

    /// <summary>Added under both roots, in [1e-30, 1]; the greater, the faster the start. Default 1e-6.</summary>
    public double Epsilon { get; init; } = 1e-6;

    internal override void Check()
    {
        CheckFraction(Decay);
        CheckEpsilon(Epsilon);
    }
}
