using System.Numerics;
using System.Runtime.CompilerServices;
using TorchSharp;

namespace MLExtensions.Training;

/// <summary>Adam's and AdamW's step; they differ only in the weight decay they are given.</summary>
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
        torch.Tensor mean = states[0].mul_(_beta1).add_(gradients, alpha: 1 - _beta1);
        torch.Tensor square = states[1].mul_(_beta2).addcmul_(gradients, gradients, value: 1 - _beta2);
        torch.Tensor denominator = square.sqrt().mul_(_secondCorrection).add_(_epsilon);
        parameters.addcdiv_(mean, denominator, value: -_stepSize);
    }
}
