using System.Numerics;
using System.Runtime.CompilerServices;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;

namespace MLExtensions;

/// <summary>Adagrad: the gradient divided by the square root of the sum of all squared gradients so far. Suits sparse features.</summary>
/// <remarks>Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization" (2011).</remarks>
public sealed record AdagradOptimizer : Optimizer
{
    /// <summary>Initial value of the sum of squares, at least 0. Default 0.</summary>
    public double InitialAccumulator { get; init; }

    /// <summary>Added to the denominator, in [1e-30, 1]. Default 1e-10.</summary>
    public double Epsilon { get; init; } = 1e-10;

    internal override int StatesPerWeight => AdagradRule.StateCount;

    internal override void Check()
    {
        OptionCheck.Between(InitialAccumulator, 0, float.MaxValue, $"{nameof(Optimizer)}.{nameof(InitialAccumulator)}");
        CheckEpsilon(Epsilon);
    }

    internal override FlatOptimizer Create(FlatLayout layout)
    {
        var optimizer = new FlatOptimizer<AdagradRule>(layout, (rate, _) => new(this, rate));
        optimizer.State[0].State.fill_(Number.Of(InitialAccumulator));
        return optimizer;
    }
}

internal readonly struct AdagradRule(AdagradOptimizer settings, double learningRate) : IUpdateRule
{
    private readonly Vector<float> _floor = new((float)settings.Epsilon);
    private readonly Vector<float> _rate = new((float)learningRate);

    public static IReadOnlyList<string> StateNames => ["sum"];

    public static int StateCount => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Update(Vector<float> parameter, Vector<float> gradient, ref Vector<float> sum, ref Vector<float> second)
    {
        sum += gradient * gradient;
        return parameter - _rate * gradient / (Vector.SquareRoot(sum) + _floor);
    }

    public void Update(torch.Tensor parameters, torch.Tensor gradients, IReadOnlyList<torch.Tensor> states)
    {
        var sum = states[0].addcmul_(gradients, gradients, value: Number.One);
        parameters.addcdiv_(gradients, sum.sqrt().add_(Number.Of(settings.Epsilon), Number.One), value: Number.Of(-learningRate));
    }
}
