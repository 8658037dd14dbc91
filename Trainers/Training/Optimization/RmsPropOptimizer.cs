namespace MLExtensions;

/// <summary>RMSprop: the gradient divided by the root of the running mean of its square; optionally with momentum.</summary>
/// <remarks>Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera (2012). Not centered.</remarks>
public sealed record RmsPropOptimizer : Optimizer
{
    /// <summary>Share of the running mean of squared gradients that is kept from step to step, in [0, 1). Default 0.99.</summary>
    public double Decay { get; init; } = 0.99;

    /// <summary>Added to the denominator, in [1e-30, 1]. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Share of the velocity that is kept from step to step, in [0, 1). Default 0: no momentum.</summary>
    public double Momentum { get; init; }

    internal override void Check()
    {
        CheckFraction(Decay);
        CheckEpsilon(Epsilon);
        CheckFraction(Momentum);
    }
}
