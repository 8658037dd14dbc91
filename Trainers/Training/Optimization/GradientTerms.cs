using System.Numerics;
using System.Runtime.CompilerServices;

namespace MLExtensions.Training;

/// <summary>What happens to a register of parameters and gradients before the optimizer's own formula.</summary>
internal interface IGradientTerms
{
    Vector<float> Gradient(Vector<float> parameter, Vector<float> raw);

    Vector<float> Parameter(Vector<float> parameter);
}

internal readonly struct ScaledGradient(double gradientScale) : IGradientTerms
{
    private readonly Vector<float> _scale = new((float)gradientScale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Gradient(Vector<float> parameter, Vector<float> raw) => _scale * raw;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Parameter(Vector<float> parameter) => parameter;
}

internal readonly struct RegularizedGradient(double gradientScale, Regularization regularization, double learningRate) : IGradientTerms
{
    private readonly Vector<float> _scale = new((float)gradientScale);
    private readonly Vector<float> _l1 = new((float)regularization.L1);
    private readonly Vector<float> _l2 = new((float)regularization.L2);
    private readonly Vector<float> _keep = new((float)(1 - learningRate * regularization.WeightDecay));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Gradient(Vector<float> parameter, Vector<float> raw)
    {
        Vector<float> above = Vector.ConditionalSelect(Vector.GreaterThan(parameter, Vector<float>.Zero), _l1, Vector<float>.Zero);
        Vector<float> below = Vector.ConditionalSelect(Vector.LessThan(parameter, Vector<float>.Zero), _l1, Vector<float>.Zero);
        return _scale * raw + _l2 * parameter + (above - below);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Parameter(Vector<float> parameter) => _keep * parameter;
}
