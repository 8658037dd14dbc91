using System.Numerics;
using System.Runtime.CompilerServices;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using TorchSharp;

namespace MLExtensions;

/// <summary>RMSprop: the gradient divided by the square root of the running mean of its square, optionally with momentum.</summary>
/// <remarks>Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera (2012). Not centered.</remarks>
public sealed record RmsPropOptimizer : Optimizer
{
    /// <summary>Decay of the running mean of squared gradients, per training step, in [0, 1). Default 0.99.</summary>
    public double Decay { get; init; } = 0.99;

    /// <summary>Added to the denominator, in [1e-30, 1]. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Momentum: the fraction of the velocity that is kept per training step, in [0, 1). Default 0: no momentum.</summary>
    public double Momentum { get; init; }

    internal override int StatesPerWeight => Momentum == 0 ? RmsPropRule.StateCount : RmsPropMomentumRule.StateCount;

    internal override void Check()
    {
        CheckFraction(Decay);
        CheckEpsilon(Epsilon);
        CheckFraction(Momentum);
    }

    internal override FlatOptimizer Create(FlatLayout layout) => Momentum == 0
        ? new FlatOptimizer<RmsPropRule>(layout, (rate, _) => new(this, rate))
        : new FlatOptimizer<RmsPropMomentumRule>(layout, (rate, _) => new(this, rate));
}

internal readonly struct RmsPropRule(RmsPropOptimizer settings, double learningRate) : IUpdateRule
{
    private readonly RootMeanSquare _scale = new(settings);
    private readonly Vector<float> _rate = new((float)learningRate);

    public static IReadOnlyList<string> StateNames => ["square_avg"];

    public static int StateCount => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Update(Vector<float> parameter, Vector<float> gradient, ref Vector<float> square, ref Vector<float> second) =>
        parameter - _rate * gradient / _scale.Next(gradient, ref square);

    public void Update(torch.Tensor parameters, torch.Tensor gradients, IReadOnlyList<torch.Tensor> states) =>
        parameters.addcdiv_(gradients, _scale.Next(gradients, states[0]), value: Number.Of(-learningRate));
}

internal readonly struct RmsPropMomentumRule(RmsPropOptimizer settings, double learningRate) : IUpdateRule
{
    private readonly RootMeanSquare _scale = new(settings);
    private readonly Vector<float> _momentum = new((float)settings.Momentum);
    private readonly Vector<float> _rate = new((float)learningRate);

    public static IReadOnlyList<string> StateNames => ["square_avg", "momentum_buffer"];

    public static int StateCount => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Update(Vector<float> parameter, Vector<float> gradient, ref Vector<float> square, ref Vector<float> velocity)
    {
        velocity = _momentum * velocity + gradient / _scale.Next(gradient, ref square);
        return parameter - _rate * velocity;
    }

    public void Update(torch.Tensor parameters, torch.Tensor gradients, IReadOnlyList<torch.Tensor> states)
    {
        var velocity = states[1].mul_(Number.Of(settings.Momentum)).addcdiv_(gradients, _scale.Next(gradients, states[0]), value: Number.One);
        parameters.add_(velocity, alpha: Number.Of(-learningRate));
    }
}

/// <summary>The denominator: square root of the running mean of squared gradients, plus epsilon.</summary>
internal readonly struct RootMeanSquare(RmsPropOptimizer settings)
{
    private readonly Vector<float> _keep = new((float)settings.Decay);
    private readonly Vector<float> _take = new((float)(1 - settings.Decay));
    private readonly Vector<float> _floor = new((float)settings.Epsilon);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Next(Vector<float> gradient, ref Vector<float> square)
    {
        square = _keep * square + _take * gradient * gradient;
        return Vector.SquareRoot(square) + _floor;
    }

    public torch.Tensor Next(torch.Tensor gradients, torch.Tensor square) =>
        square.mul_(Number.Of(settings.Decay)).addcmul_(gradients, gradients, value: Number.Of(1 - settings.Decay)).sqrt().add_(Number.Of(settings.Epsilon), Number.One);
}
