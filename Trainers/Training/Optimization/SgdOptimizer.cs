using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Stochastic gradient descent, plain or with momentum.</summary>
/// <remarks>Momentum as in Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013),
/// in torch's form: velocity = momentum * velocity + gradient; weight -= rate * velocity.</remarks>
public sealed record SgdOptimizer : Optimizer
{
    /// <summary>Share of the velocity that is kept from step to step, in [0, 1). Default 0: no momentum; 0.9 is usual.</summary>
    public double Momentum { get; init; }

    /// <summary>Whether to look ahead along the velocity (Nesterov's momentum); needs <see cref="Momentum"/>. Default false.</summary>
    public bool Nesterov { get; init; }

    internal override void Check()
    {
        CheckFraction(Momentum);
        OptionCheck.Require(!Nesterov || Momentum > 0, Nesterov, $"{nameof(Optimizer)}.{nameof(Nesterov)}", $"false where {nameof(Momentum)} is 0");
    }
}
