using System.Numerics;
using System.Runtime.CompilerServices;
using TorchSharp;

namespace MLExtensions.Training;

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
        parameters.addcdiv_(gradients, _scale.Next(gradients, states[0]), value: -learningRate);
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
        torch.Tensor velocity = states[1].mul_(settings.Momentum).addcdiv_(gradients, _scale.Next(gradients, states[0]));
        parameters.add_(velocity, alpha: -learningRate);
    }
}

/// <summary>The denominator: root of the running mean of squared gradients, plus epsilon.</summary>
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
        square.mul_(settings.Decay).addcmul_(gradients, gradients, value: 1 - settings.Decay).sqrt().add_(settings.Epsilon);
}
