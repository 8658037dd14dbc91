using System.Numerics;
using System.Runtime.CompilerServices;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using TorchSharp;

namespace MLExtensions;

/// <summary>
/// Adadelta: updates in the units of the weights, from running means of squared gradients and squared updates. The
/// usual learning rate is 1.
/// </summary>
/// <remarks>Zeiler, "ADADELTA: an adaptive learning rate method" (2012).</remarks>
public sealed record AdadeltaOptimizer : Optimizer
{
    /// <summary>Decay of both running means, per training step, in [0, 1). Default 0.9.</summary>
    public double Decay { get; init; } = 0.9;

    /// <summary>Added under both square roots, in [1e-30, 1]. Larger values start faster. Default 1e-6.</summary>
    public double Epsilon { get; init; } = 1e-6;

    internal override int StatesPerWeight => AdadeltaRule.StateCount;

    internal override void Check()
    {
        CheckFraction(Decay);
        CheckEpsilon(Epsilon);
    }

    internal override FlatOptimizer Create(FlatLayout layout) =>
        new FlatOptimizer<AdadeltaRule>(layout, (rate, _) => new(this, rate));
}

internal readonly struct AdadeltaRule(AdadeltaOptimizer settings, double learningRate) : IUpdateRule
{
    private readonly Vector<float> _keep = new((float)settings.Decay);
    private readonly Vector<float> _take = new((float)(1 - settings.Decay));
    private readonly Vector<float> _floor = new((float)settings.Epsilon);
    private readonly Vector<float> _rate = new((float)learningRate);

    public static IReadOnlyList<string> StateNames => ["square_avg", "acc_delta"];

    public static int StateCount => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Update(Vector<float> parameter, Vector<float> gradient, ref Vector<float> square, ref Vector<float> moved)
    {
        square = _keep * square + _take * gradient * gradient;
        var delta = Vector.SquareRoot(moved + _floor) / Vector.SquareRoot(square + _floor) * gradient;
        moved = _keep * moved + _take * delta * delta;
        return parameter - _rate * delta;
    }

    public void Update(torch.Tensor parameters, torch.Tensor gradients, IReadOnlyList<torch.Tensor> states)
    {
        var square = states[0].mul_(Number.Of(settings.Decay)).addcmul_(gradients, gradients, value: Number.Of(1 - settings.Decay));
        var root = square.add(Number.Of(settings.Epsilon), Number.One).sqrt_();
        var delta = states[1].add(Number.Of(settings.Epsilon), Number.One).sqrt_().div_(root).mul_(gradients);
        states[1].mul_(Number.Of(settings.Decay)).addcmul_(delta, delta, value: Number.Of(1 - settings.Decay));
        parameters.add_(delta, alpha: Number.Of(-learningRate));
    }
}
