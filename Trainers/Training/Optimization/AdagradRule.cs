using System.Numerics;
using System.Runtime.CompilerServices;
using TorchSharp;

namespace MLExtensions.Training;

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
        torch.Tensor sum = states[0].addcmul_(gradients, gradients, value: 1);
        parameters.addcdiv_(gradients, sum.sqrt().add_(settings.Epsilon), value: -learningRate);
    }
}
