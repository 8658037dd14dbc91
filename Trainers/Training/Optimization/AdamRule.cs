using System.Numerics;
using System.Runtime.CompilerServices;
using TorchSharp;

namespace MLExtensions.Training;

/// <summary>Adam's and AdamW's step; they differ only in the weight decay they are given.</summary>
internal readonly struct AdamRule : IUpdateRule
{
    private readonly double beta1;
    private readonly double beta2;
    private readonly double epsilon;
    private readonly double stepSize;
    private readonly double secondCorrection;
    private readonly Vector<float> keepFirst;
    private readonly Vector<float> takeFirst;
    private readonly Vector<float> keepSecond;
    private readonly Vector<float> takeSecond;
    private readonly Vector<float> correction;
    private readonly Vector<float> floor;
    private readonly Vector<float> rate;

    public AdamRule(double beta1, double beta2, double epsilon, double learningRate, long step)
    {
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = epsilon;
        stepSize = learningRate / (1 - Math.Pow(beta1, step));
        secondCorrection = 1 / Math.Sqrt(1 - Math.Pow(beta2, step));
        keepFirst = new((float)beta1);
        takeFirst = new((float)(1 - beta1));
        keepSecond = new((float)beta2);
        takeSecond = new((float)(1 - beta2));
        correction = new((float)secondCorrection);
        floor = new((float)epsilon);
        rate = new((float)stepSize);
    }

    public static IReadOnlyList<string> StateNames => ["exp_avg", "exp_avg_sq"];

    public static int StateCount => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Update(Vector<float> parameter, Vector<float> gradient, ref Vector<float> mean, ref Vector<float> square)
    {
        mean = keepFirst * mean + takeFirst * gradient;
        square = keepSecond * square + takeSecond * gradient * gradient;
        return parameter - rate * mean / (correction * Vector.SquareRoot(square) + floor);
    }

    public void Update(torch.Tensor parameters, torch.Tensor gradients, IReadOnlyList<torch.Tensor> states)
    {
        torch.Tensor mean = states[0].mul_(beta1).add_(gradients, alpha: 1 - beta1);
        torch.Tensor square = states[1].mul_(beta2).addcmul_(gradients, gradients, value: 1 - beta2);
        torch.Tensor denominator = square.sqrt().mul_(secondCorrection).add_(epsilon);
        parameters.addcdiv_(mean, denominator, value: -stepSize);
    }
}
