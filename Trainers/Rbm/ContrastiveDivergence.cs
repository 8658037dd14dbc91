using MLExtensions.Networks.Rbm;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Rbm;

/// <summary>
/// The gradient of the negative log-likelihood, estimated by k steps of Gibbs sampling: what the data has of each weight, less what the machine's own
/// dreams have. Hinton, 2002; with chains that persist Tieleman, "Training Restricted Boltzmann Machines Using Approximations to the Likelihood Gradient", 2008.
/// </summary>
internal sealed class ContrastiveDivergence(RbmNetwork network, UnitSampler sampler, int steps, bool sampleVisible)
{
    /// <summary>Adds the mean gradient of a batch to the parameters' gradients.</summary>
    /// <param name="visible"><c>[rows, visible]</c>.</param>
    /// <param name="chains">The hidden states of chains that persist, <c>[chains, hidden]</c>, which are replaced; null to start from the data.</param>
    /// <returns>The hidden units' means, and the visible units' means one step later.</returns>
    public (Tensor Hidden, Tensor Reconstruction) AddGradient(Tensor visible, Tensor? chains)
    {
        var (hidden, states) = sampler.Hidden(network, visible);
        var reconstruction = network.VisibleMeans(chains is null ? states : hidden);
        var (dreamed, dreamedHidden) = chains is null
            ? Walk(Visible(reconstruction), steps)
            : Walk(Visible(network.VisibleMeans(chains)), steps, chains);
        Add(visible, hidden, -1.0 / visible.shape[0]);
        Add(dreamed, dreamedHidden, 1.0 / dreamed.shape[0]);
        return (hidden, reconstruction);
    }

    /// <summary>Goes on until so many steps are done; the last hidden units are means, which vary less than states.</summary>
    private (Tensor Visible, Tensor Hidden) Walk(Tensor visible, int count, Tensor? chains = null)
    {
        for (var step = 1; step < count; step++)
            visible = Visible(network.VisibleMeans(sampler.Hidden(network, visible).States));
        if (chains is null)
            return (visible, network.HiddenMeans(visible));
        var (means, states) = sampler.Hidden(network, visible);
        chains.copy_(states);
        return (visible, means);
    }

    private Tensor Visible(Tensor means) => sampleVisible ? sampler.Visible(network, means) : means;

    private void Add(Tensor visible, Tensor hidden, double factor)
    {
        // A parameter without a gradient is frozen.
        var alpha = (float)factor;
        network.Weight.grad?.addmm_(hidden.t(), visible, 1, alpha);
        if (network.HiddenBias.grad is null && network.VisibleBias.grad is null)
            return;
        // A product with ones is several times faster than a sum over rows.
        var ones = torch.ones(visible.shape[0], visible.dtype, visible.device);
        network.HiddenBias.grad?.addmv_(hidden.t(), ones, 1, alpha);
        network.VisibleBias.grad?.addmv_(visible.t(), ones, 1, alpha);
    }
}
