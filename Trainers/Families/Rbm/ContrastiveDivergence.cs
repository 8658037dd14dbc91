using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace MLExtensions.Families.Rbm;

/// <summary>
/// The gradient of the negative log-likelihood, estimated by k steps of Gibbs sampling: what the data has of each weight, less what the machine's own
/// dreams have. Hinton, 2002; with chains that persist Tieleman, "Training Restricted Boltzmann Machines Using Approximations to the Likelihood Gradient", 2008.
/// </summary>
internal sealed class ContrastiveDivergence : IDisposable
{
    private readonly RbmNetwork _network;
    private readonly UnitSampler _sampler;
    private readonly int _steps;
    private readonly bool _sampleVisible;

    // Handles that are asked for once: in small machines they cost as much as products. One that is null is of a frozen parameter.
    private readonly Tensor? _weight;
    private readonly Tensor? _hiddenBias;
    private readonly Tensor? _visibleBias;

    /// <param name="network">The machine; its parameters must have their gradients.</param>
    /// <param name="sampler">Draws the states.</param>
    /// <param name="steps">The number of Gibbs steps.</param>
    /// <param name="sampleVisible">Whether visible units are drawn, or their means.</param>
    public ContrastiveDivergence(RbmNetwork network, UnitSampler sampler, int steps, bool sampleVisible)
    {
        _network = network;
        _sampler = sampler;
        _steps = steps;
        _sampleVisible = sampleVisible;
        _weight = network.Weight.grad?.DetachFromDisposeScope();
        _hiddenBias = network.HiddenBias.grad?.DetachFromDisposeScope();
        _visibleBias = network.VisibleBias.grad?.DetachFromDisposeScope();
    }

    /// <summary>Adds the mean gradient of a batch to the parameters' gradients.</summary>
    /// <param name="visible"><c>[rows, visible]</c>.</param>
    /// <param name="chains">The hidden states of chains that persist, <c>[chains, hidden]</c>, which are replaced; null to start from the data.</param>
    /// <returns>The hidden units' means, and the visible units' means one step later.</returns>
    public (Tensor Hidden, Tensor Reconstruction) AddGradient(Tensor visible, Tensor? chains)
    {
        var (hidden, states) = _sampler.Hidden(_network, visible);
        var reconstruction = _network.VisibleMeans(states);
        var (dreamed, dreamedHidden) = chains is null
            ? Walk(Visible(reconstruction), _steps)
            : Walk(Visible(_network.VisibleMeans(chains)), _steps, chains);
        Add(visible, hidden, -1.0 / visible.shape[0]);
        Add(dreamed, dreamedHidden, 1.0 / dreamed.shape[0]);
        return (hidden, reconstruction);
    }

    public void Dispose()
    {
        _weight?.Dispose();
        _hiddenBias?.Dispose();
        _visibleBias?.Dispose();
    }

    /// <summary>Goes on until so many steps are done; the last hidden units are means, which vary less than states.</summary>
    private (Tensor Visible, Tensor Hidden) Walk(Tensor visible, int count, Tensor? chains = null)
    {
        for (var step = 1; step < count; step++)
            visible = Visible(_network.VisibleMeans(_sampler.Hidden(_network, visible).States));
        if (chains is null)
            return (visible, _network.HiddenMeans(visible));
        var (means, states) = _sampler.Hidden(_network, visible);
        chains.copy_(states);
        return (visible, means);
    }

    private Tensor Visible(Tensor means) => _sampleVisible ? _sampler.Visible(_network, means) : means;

    private void Add(Tensor visible, Tensor hidden, double factor)
    {
        var alpha = (float)factor;
        _weight?.addmm_(hidden.t(), visible, 1, alpha);
        if (_hiddenBias is not null)
            RowSums.AddTo(_hiddenBias, hidden, alpha);
        if (_visibleBias is not null)
            RowSums.AddTo(_visibleBias, visible, alpha);
    }
}

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

/// <summary>Adds up rows.</summary>
internal static class RowSums
{
    /// <summary>Adds a multiple of the sum over all rows to a vector.</summary>
    /// <param name="sums"><c>[values]</c>.</param>
    /// <param name="rows"><c>[rows, values]</c>.</param>
    /// <param name="factor">The multiple.</param>
    public static void AddTo(Tensor sums, Tensor rows, float factor)
    {
        if (rows.device_type != DeviceType.CPU || rows.dtype != ScalarType.Float32)
        {
            sums.add_(rows.sum(dim: 0), alpha: factor);
            return;
        }
        // Several times faster than libtorch, whose sums over rows are slow and whose calls cost more than small sums.
        var target = TensorMemory.Floats(sums);
        var values = TensorMemory.Floats(rows);
        for (var first = 0; first < values.Length; first += target.Length)
            TensorPrimitives.MultiplyAdd(values.Slice(first, target.Length), factor, target, target);
    }
}
