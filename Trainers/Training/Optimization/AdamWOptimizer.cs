namespace MLExtensions;

/// <summary><see cref="AdamOptimizer"/> with decoupled weight decay, 0.01 where no other is set.</summary>
/// <remarks>Loshchilov and Hutter, "Decoupled weight decay regularization" (2019).</remarks>
public sealed record AdamWOptimizer : Optimizer
{
    /// <inheritdoc cref="AdamOptimizer.Beta1"/>
    public double Beta1 { get; init; } = 0.9;

    /// <inheritdoc cref="AdamOptimizer.Beta2"/>
    public double Beta2 { get; init; } = 0.999;

    /// <inheritdoc cref="AdamOptimizer.Epsilon"/>
    public double Epsilon { get; init; } = 1e-8;

    internal override double DefaultWeightDecay => 0.01;

    internal override void Check()
    {
        CheckFraction(Beta1);
        CheckFraction(Beta2);
        CheckEpsilon(Epsilon);
    }
}
