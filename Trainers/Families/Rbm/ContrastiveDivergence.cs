using MLExtensions.Distribution;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace MLExtensions.Families.Rbm;

/// <summary>
/// The gradient of the negative log-likelihood, estimated with k steps of Gibbs sampling: the correlations in the data minus those in
/// samples of the RBM (Hinton, 2002). With persistent chains: Tieleman, "Training Restricted Boltzmann Machines Using Approximations to the
/// Likelihood Gradient", 2008.
/// </summary>
internal sealed class ContrastiveDivergence : IDisposable
{
    private readonly RbmNetwork _network;
    private readonly UnitSampler _sampler;
    private readonly int _steps;
    private readonly bool _sampleVisible;
    private readonly BatchMeans _means;
    private readonly SparseVisibleUnits? _sparse;

    // Handles are fetched once: in a small RBM they cost as much as the products. Those of frozen parameters are null.
    private readonly Tensor? _weight;
    private readonly Tensor? _hiddenBias;
    private readonly Tensor? _visibleBias;

    /// <param name="network">The RBM; its parameters must have gradients.</param>
    /// <param name="sampler">The sampler of the states.</param>
    /// <param name="steps">The number of Gibbs steps.</param>
    /// <param name="sampleVisible">Whether visible units are sampled; otherwise their means are used.</param>
    /// <param name="means">Takes means over the rows of a batch.</param>
    /// <param name="sparse">Centers the gradient of visible units that are nearly all off; null for others.</param>
    public ContrastiveDivergence(RbmNetwork network, UnitSampler sampler, int steps, bool sampleVisible, BatchMeans means, SparseVisibleUnits? sparse = null)
    {
        _means = means;
        _sparse = sparse;
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
    /// <param name="chains">
    /// The hidden states of persistent chains, <c>[chains, hidden]</c>, which are updated; null to start from the data.
    /// </param>
    /// <returns>The means of the hidden units, and the means of the visible units one step later.</returns>
    public (Tensor Hidden, Tensor Reconstruction) AddGradient(Tensor visible, Tensor? chains)
    {
        var (hidden, states) = _sampler.Hidden(_network, visible);
        var reconstruction = _network.VisibleMeans(states);
        var (drawn, drawnHidden) = chains is null ? Walk(Visible(reconstruction), _steps) : WalkOn(chains);
        Add(visible, hidden, -1.0 / visible.shape[0]);
        Add(drawn, drawnHidden, 1.0 / drawn.shape[0]);
        if (_weight is not null && _hiddenBias is not null && _visibleBias is not null)
            _sparse?.Center(_weight, _hiddenBias, _visibleBias, _means.Of(hidden));
        return (hidden, reconstruction);
    }

    public void Dispose()
    {
        _weight?.Dispose();
        _hiddenBias?.Dispose();
        _visibleBias?.Dispose();
    }

    /// <summary>Each rank walks with all chains, so that all have the same: a sum of gradients needs nothing else.</summary>
    private (Tensor Visible, Tensor Hidden) WalkOn(Tensor chains)
    {
        using var whole = _sampler.DrawForAll();
        return Walk(Visible(_network.VisibleMeans(chains)), _steps, chains);
    }

    /// <summary>Runs the given number of Gibbs steps. The last hidden units are means, which vary less than states.</summary>
    private (Tensor Visible, Tensor Hidden) Walk(Tensor visible, int count, Tensor? chains = null)
    {
        for (var step = 1; step < count; step++)
        {
            // The tensors of thousands of steps would accumulate in the scope of the batch.
            using var scope = NewDisposeScope();
            visible = Visible(_network.VisibleMeans(_sampler.Hidden(_network, visible).States)).MoveToOuterDisposeScope();
        }
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
/// Pushes hidden units to be on for a given fraction of the time, with the gradient of the cross entropy between that fraction and a
/// decaying mean of the unit's probability (Lee, Ekanadham and Ng, 2008; Hinton's guide, section 11).
/// </summary>
internal sealed class SparsityPenalty(RbmNetwork network, double target, double cost, BatchMeans means) : IDisposable
{
    private const double Decay = 0.9;

    /// <summary>The decaying mean probability of each hidden unit, <c>[hidden]</c>, float32.</summary>
    public Tensor Mean { get; } = full([network.Architecture.OutputCount], Number.Of(target), ScalarType.Float32, device: network.HiddenBias.device).DetachFromDisposeScope();

    /// <summary>Adds the penalty of a batch to the gradients of the parameters.</summary>
    /// <param name="visible"><c>[rows, visible]</c>.</param>
    /// <param name="hidden">The probabilities of the hidden units, <c>[rows, hidden]</c>.</param>
    public void AddGradient(Tensor visible, Tensor hidden)
    {
        Mean.mul_(Number.Of(Decay)).add_(means.Of(hidden).to(ScalarType.Float32), alpha: Number.Of(1 - Decay));
        var push = Mean.sub(Number.Of(target)).mul_(Number.Of(cost)).to(hidden.dtype);
        network.HiddenBias.grad?.add_(push, Number.One);
        network.Weight.grad?.add_(outer(push, means.Of(visible)), Number.One);
    }

    public void Dispose() => Mean.Dispose();
}

/// <summary>Means over the rows of a batch, of all ranks.</summary>
internal sealed class BatchMeans(ProcessGroup? group)
{
    /// <param name="rows"><c>[rows, values]</c>, as many on each rank.</param>
    /// <returns><c>[values]</c>.</returns>
    public Tensor Of(Tensor rows)
    {
        var mean = rows.mean([0]);
        if (group == null)
            return mean;
        using var sum = mean.to(ScalarType.Float32, copy: true);
        group.Sum(sum);
        return sum.div(Number.Of(group.Size)).to(rows.dtype);
    }
}

/// <summary>Sums over rows.</summary>
internal static class RowSums
{
    /// <summary>Adds a multiple of the sum over all rows to a vector.</summary>
    /// <param name="sums"><c>[values]</c>.</param>
    /// <param name="rows"><c>[rows, values]</c>.</param>
    /// <param name="factor">The factor.</param>
    public static void AddTo(Tensor sums, Tensor rows, float factor)
    {
        if (rows.device_type != DeviceType.CPU || rows.dtype != ScalarType.Float32)
        {
            sums.add_(rows.sum(dim: 0), alpha: Number.Of(factor));
            return;
        }
        // Several times faster than libtorch, whose sums over rows are slow and whose call overhead exceeds the cost of small sums.
        var target = TensorMemory.Floats(sums);
        var values = TensorMemory.Floats(rows);
        for (var first = 0; first < values.Length; first += target.Length)
            TensorPrimitives.MultiplyAdd(values.Slice(first, target.Length), factor, target, target);
    }
}
