using System.Numerics;
using System.Runtime.CompilerServices;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;

namespace MLExtensions;

/// <summary>Stochastic gradient descent, plain or with momentum.</summary>
/// <remarks>
/// Momentum as in Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013), in PyTorch's form: velocity
/// = momentum * velocity + gradient; weight -= rate * velocity.
/// </remarks>
public sealed record SgdOptimizer : Optimizer
{
    /// <summary>
    /// Momentum: the fraction of the velocity that is kept per training step, in [0, 1). Default 0: no momentum; 0.9 is usual.
    /// </summary>
    public double Momentum { get; init; }

    /// <summary>Whether to use Nesterov momentum; needs <see cref="Momentum"/>. Default false.</summary>
    public bool Nesterov { get; init; }

    internal override int StatesPerWeight => Momentum == 0 ? SgdRule.StateCount : MomentumRule.StateCount;

    internal override void Check()
    {
        CheckFraction(Momentum);
        OptionCheck.Require(!Nesterov || Momentum > 0, Nesterov, $"{nameof(Optimizer)}.{nameof(Nesterov)}", $"false if {nameof(Momentum)} is 0");
    }

    internal override FlatOptimizer Create(FlatLayout layout) => Momentum == 0
        ? new FlatOptimizer<SgdRule>(layout, (rate, _) => new(rate))
        : new FlatOptimizer<MomentumRule>(layout, (rate, _) => new(this, rate));
}

internal readonly struct SgdRule(double learningRate) : IUpdateRule
{
    private readonly Vector<float> _rate = new((float)learningRate);

    public static IReadOnlyList<string> StateNames => [];

    public static int StateCount => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Update(Vector<float> parameter, Vector<float> gradient, ref Vector<float> first, ref Vector<float> second) =>
        parameter - _rate * gradient;

    public void Update(torch.Tensor parameters, torch.Tensor gradients, IReadOnlyList<torch.Tensor> states) =>
        parameters.add_(gradients, alpha: Number.Of(-learningRate));
}

internal readonly struct MomentumRule(SgdOptimizer settings, double learningRate) : IUpdateRule
{
    private readonly Vector<float> _rate = new((float)learningRate);
    private readonly Vector<float> _momentum = new((float)settings.Momentum);

    // The direction is _gradientShare * gradient + _velocityShare * velocity: no branch for Nesterov in the loop.
    private readonly Vector<float> _gradientShare = new(settings.Nesterov ? 1 : 0);
    private readonly Vector<float> _velocityShare = new(settings.Nesterov ? (float)settings.Momentum : 1);

    public static IReadOnlyList<string> StateNames => ["momentum_buffer"];

    public static int StateCount => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Update(Vector<float> parameter, Vector<float> gradient, ref Vector<float> velocity, ref Vector<float> second)
    {
        velocity = _momentum * velocity + gradient;
        return parameter - _rate * (_gradientShare * gradient + _velocityShare * velocity);
    }

    public void Update(torch.Tensor parameters, torch.Tensor gradients, IReadOnlyList<torch.Tensor> states)
    {
        var velocity = states[0].mul_(Number.Of(settings.Momentum)).add_(gradients, alpha: Number.One);
        var direction = settings.Nesterov ? gradients.add(velocity, alpha: Number.Of(settings.Momentum)) : velocity;
        parameters.add_(direction, alpha: Number.Of(-learningRate));
    }
}
