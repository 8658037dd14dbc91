using System.Numerics;
using System.Runtime.CompilerServices;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using TorchSharp;

namespace MLExtensions;

/// <summary>Adam: updates of similar size for every weight, from running means of the gradient and of its square.</summary>
/// <remarks>Kingma and Ba, "Adam: a method for stochastic optimization" (2015).</remarks>
public sealed record AdamOptimizer : Optimizer
{
    /// <summary>Decay of the running mean of gradients, per training step, in [0, 1). Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the running mean of squared gradients, per training step, in [0, 1). Default 0.999.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the denominator, in [1e-30, 1]. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    internal override int StatesPerWeight => AdamRule.StateCount;

    internal override void Check()
    {
        CheckFraction(Beta1);
        CheckFraction(Beta2);
        CheckEpsilon(Epsilon);
    }

    internal override FlatOptimizer Create(FlatLayout layout) =>
        new FlatOptimizer<AdamRule>(layout, (rate, step) => new(Beta1, Beta2, Epsilon, rate, step));
}

/// <summary><see cref="AdamOptimizer"/> with decoupled weight decay, 0.01 unless another one is set.</summary>
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

    internal override int StatesPerWeight => AdamRule.StateCount;

    internal override void Check()
    {
        CheckFraction(Beta1);
        CheckFraction(Beta2);
        CheckEpsilon(Epsilon);
    }

    internal override FlatOptimizer Create(FlatLayout layout) =>
        new FlatOptimizer<AdamRule>(layout, (rate, step) => new(Beta1, Beta2, Epsilon, rate, step));
}

/// <summary>The update of Adam and AdamW, which differ only in the weight decay.</summary>
internal readonly struct AdamRule : IUpdateRule
{
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;
    private readonly double _stepSize;
    private readonly double _secondCorrection;
    private readonly Vector<float> _keepFirst;
    private readonly Vector<float> _takeFirst;
    private readonly Vector<float> _keepSecond;
    private readonly Vector<float> _takeSecond;
    private readonly Vector<float> _correction;
    private readonly Vector<float> _floor;
    private readonly Vector<float> _rate;

    public AdamRule(double beta1, double beta2, double epsilon, double learningRate, long step)
    {
        _beta1 = beta1;
        _beta2 = beta2;
        _epsilon = epsilon;
        _stepSize = learningRate / (1 - Math.Pow(_beta1, step));
        _secondCorrection = 1 / Math.Sqrt(1 - Math.Pow(_beta2, step));
        _keepFirst = new((float)_beta1);
        _takeFirst = new((float)(1 - _beta1));
        _keepSecond = new((float)_beta2);
        _takeSecond = new((float)(1 - _beta2));
        _correction = new((float)_secondCorrection);
        _floor = new((float)_epsilon);
        _rate = new((float)_stepSize);
    }

    public static IReadOnlyList<string> StateNames => ["exp_avg", "exp_avg_sq"];

    public static int StateCount => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Update(Vector<float> parameter, Vector<float> gradient, ref Vector<float> mean, ref Vector<float> square)
    {
        mean = _keepFirst * mean + _takeFirst * gradient;
        square = _keepSecond * square + _takeSecond * gradient * gradient;
        return parameter - _rate * mean / (_correction * Vector.SquareRoot(square) + _floor);
    }

    public void Update(torch.Tensor parameters, torch.Tensor gradients, IReadOnlyList<torch.Tensor> states)
    {
        var mean = states[0].mul_(Number.Of(_beta1)).add_(gradients, alpha: Number.Of(1 - _beta1));
        var square = states[1].mul_(Number.Of(_beta2)).addcmul_(gradients, gradients, value: Number.Of(1 - _beta2));
        var denominator = square.sqrt().mul_(Number.Of(_secondCorrection)).add_(Number.Of(_epsilon), Number.One);
        parameters.addcdiv_(mean, denominator, value: Number.Of(-_stepSize));
    }
}
