using MLExtensions.Networks.Rbm;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Rbm;

/// <summary>
/// Pushes hidden units to be on a given share of the time: the gradient of the cross entropy between that share and a decaying mean of the unit's
/// probability (Lee, Ekanadham and Ng, 2008; the Guide, section 11).
/// </summary>
internal sealed class SparsityPenalty(RbmNetwork network, double target, double cost) : IDisposable
{
    private const double Decay = 0.9;

    /// <summary>The decaying mean of each hidden unit's probability, <c>[hidden]</c>, float32.</summary>
    public Tensor Mean { get; } = full([network.Architecture.OutputCount], (float)target, device: network.HiddenBias.device).DetachFromDisposeScope();

    /// <summary>Adds a batch's penalty to the parameters' gradients.</summary>
    /// <param name="visible"><c>[rows, visible]</c>.</param>
    /// <param name="hidden">The hidden units' probabilities, <c>[rows, hidden]</c>.</param>
    public void AddGradient(Tensor visible, Tensor hidden)
    {
        Mean.mul_(Decay).add_(hidden.mean([0]).to(ScalarType.Float32), alpha: 1 - Decay);
        var push = (Mean - target).mul_(cost).to(hidden.dtype);
        network.HiddenBias.grad?.add_(push);
        network.Weight.grad?.add_(outer(push, visible.mean([0])));
    }

    public void Dispose() => Mean.Dispose();
}
