using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Families.Rbm;

/// <summary>
/// The module of <see cref="RbmArchitecture"/>: maps <c>[rows, visible]</c> to the means of the hidden units, <c>[rows, hidden]</c>.
/// </summary>
internal sealed class RbmNetwork : nn.Module<Tensor, Tensor>
{
    private readonly RbmArchitecture _architecture;
    private Tensor? _transposed;

    public RbmNetwork(RbmArchitecture architecture)
        : base(nameof(RbmNetwork))
    {
        _architecture = architecture;
        Groups = architecture.SoftmaxGroups.Select(size => (long)size).ToArray();
        register_parameter("weight", Layers.Weights(architecture.OutputCount, architecture.InputCount));
        register_parameter("hidden_bias", Layers.Weights(architecture.OutputCount));
        register_parameter("visible_bias", Layers.Weights(architecture.InputCount));
        Refresh();
    }

    public RbmArchitecture Architecture => _architecture;

    /// <summary>The number of categories of each visible softmax unit.</summary>
    public long[] Groups { get; }

    public Parameter Weight { get; private set; } = null!;

    public Parameter HiddenBias { get; private set; } = null!;

    public Parameter VisibleBias { get; private set; } = null!;

    /// <summary>Updates the parameter fields after the module was converted to another number format or device.</summary>
    public void Refresh()
    {
        Weight = get_parameter("weight")!;
        HiddenBias = get_parameter("hidden_bias")!;
        VisibleBias = get_parameter("visible_bias")!;
    }

    /// <summary>Keeps a view that every training step needs: in a small RBM handles cost as much as products.</summary>
    public void KeepViews()
    {
        _transposed?.Dispose();
        using var values = Weight.detach();
        _transposed = values.t().DetachFromDisposeScope();
    }

    public override Tensor forward(Tensor visible) => HiddenMeans(visible);

    /// <summary>Returns the inputs of the hidden units: <c>[rows, hidden]</c>.</summary>
    public Tensor HiddenInput(Tensor visible) => addmm(HiddenBias, visible, _transposed ?? Weight.t(), 1, 1);

    /// <summary>Returns the expected values of the hidden units: probabilities for Bernoulli units.</summary>
    public Tensor HiddenMeans(Tensor visible) => MeansOf(HiddenInput(visible));

    /// <summary>Returns the expected values for the inputs of the hidden units, which are overwritten.</summary>
    public Tensor MeansOf(Tensor hiddenInput) => _architecture.HiddenUnits switch
    {
        HiddenUnitType.Bernoulli => hiddenInput.sigmoid_(),
        HiddenUnitType.ReLU => hiddenInput.relu_(),
        _ => hiddenInput,
    };

    /// <summary>Returns the expected values of the visible units: probabilities for Bernoulli and softmax units.</summary>
    public Tensor VisibleMeans(Tensor hidden)
    {
        var input = addmm(VisibleBias, hidden, Weight, 1, 1);
        return _architecture.VisibleUnits switch
        {
            VisibleUnitType.Bernoulli => input.sigmoid_(),
            VisibleUnitType.Gaussian => input,
            _ => cat(input.split(Groups, dim: 1).Select(group => group.softmax(1)).ToArray(), 1),
        };
    }

    /// <summary>
    /// Returns the free energy of visible units, <c>[rows]</c>: minus the logarithm of their probability, up to a constant. For ReLU units
    /// it is that of an approximation whose derivative with respect to the input is max(0, x).
    /// </summary>
    public Tensor FreeEnergy(Tensor visible)
    {
        var input = HiddenInput(visible);
        var hidden = _architecture.HiddenUnits switch
        {
            HiddenUnitType.Bernoulli => Activation.Softplus.Apply(input),
            HiddenUnitType.ReLU => input.relu_().pow_(Number.Of(2)).mul_(Number.Of(0.5)),
            _ => input.pow_(Number.Of(2)).mul_(Number.Of(0.5)),
        };
        var hiddenTerm = hidden.sum(dim: 1);
        return _architecture.VisibleUnits == VisibleUnitType.Gaussian
            ? (visible - VisibleBias).pow_(Number.Of(2)).sum(dim: 1).mul_(Number.Of(0.5)).sub_(hiddenTerm)
            : mv(visible, VisibleBias).neg_().sub_(hiddenTerm);
    }

    /// <summary>Estimates the pseudo-log-likelihood of each row, <c>[rows]</c>, by flipping one given Bernoulli unit per row.</summary>
    /// <param name="visible"><c>[rows, visible]</c>.</param>
    /// <param name="units">The unit of each row, <c>[rows]</c>, int64.</param>
    public Tensor PseudoLogLikelihood(Tensor visible, Tensor units)
    {
        var column = units.unsqueeze(1);
        var flipped = visible.scatter(1, column, visible.gather(1, column).neg_().add_(Number.One, Number.One));
        return nn.functional.logsigmoid(FreeEnergy(flipped) - FreeEnergy(visible)).mul_(Number.Of(_architecture.InputCount));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _transposed?.Dispose();
        base.Dispose(disposing);
    }
}
