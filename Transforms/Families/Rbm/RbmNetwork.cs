using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Families.Rbm;

/// <summary>The module of <see cref="RbmArchitecture"/>: <c>[rows, visible]</c> to the means of the hidden units, <c>[rows, hidden]</c>.</summary>
internal sealed class RbmNetwork : nn.Module<Tensor, Tensor>
{
    private readonly RbmArchitecture _architecture;
    private Tensor? _transposed;

    public RbmNetwork(RbmArchitecture architecture)
        : base(nameof(RbmNetwork))
    {
        _architecture = architecture;
        Groups = architecture.SoftmaxGroups.Select(size => (long)size).ToArray();
        register_parameter("weight", new Parameter(zeros(architecture.OutputCount, architecture.InputCount)));
        register_parameter("hidden_bias", new Parameter(zeros(architecture.OutputCount)));
        register_parameter("visible_bias", new Parameter(zeros(architecture.InputCount)));
        Refresh();
    }

    public RbmArchitecture Architecture => _architecture;

    /// <summary>The number of categories of each visible softmax unit.</summary>
    public long[] Groups { get; }

    public Parameter Weight { get; private set; } = null!;

    public Parameter HiddenBias { get; private set; } = null!;

    public Parameter VisibleBias { get; private set; } = null!;

    /// <summary>Finds the parameters again after the module was converted to another number format or device.</summary>
    public void Refresh()
    {
        Weight = get_parameter("weight")!;
        HiddenBias = get_parameter("hidden_bias")!;
        VisibleBias = get_parameter("visible_bias")!;
    }

    /// <summary>Keeps a view that every step of a training needs: in small machines handles cost as much as products.</summary>
    public void KeepViews()
    {
        _transposed?.Dispose();
        using var values = Weight.detach();
        _transposed = values.t().DetachFromDisposeScope();
    }

    public override Tensor forward(Tensor visible) => HiddenMeans(visible);

    /// <summary>What the hidden units receive: <c>[rows, hidden]</c>.</summary>
    public Tensor HiddenInput(Tensor visible) => addmm(HiddenBias, visible, _transposed ?? Weight.t(), 1, 1);

    /// <summary>The hidden units' expected values: probabilities of Bernoulli units.</summary>
    public Tensor HiddenMeans(Tensor visible) => MeansOf(HiddenInput(visible));

    /// <summary>The expected values for what the hidden units receive, which is overwritten.</summary>
    public Tensor MeansOf(Tensor hiddenInput) => _architecture.HiddenUnits switch
    {
        HiddenUnitType.Bernoulli => hiddenInput.sigmoid_(),
        HiddenUnitType.ReLU => hiddenInput.relu_(),
        _ => hiddenInput,
    };

    /// <summary>The visible units' expected values: probabilities of Bernoulli and softmax units.</summary>
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
    /// The free energy of visible units, <c>[rows]</c>: minus the logarithm of their probability, but for a constant. For ReLU units that of their
    /// approximation, whose derivative by the input is max(0, x).
    /// </summary>
    public Tensor FreeEnergy(Tensor visible)
    {
        var input = HiddenInput(visible);
        var hidden = _architecture.HiddenUnits switch
        {
            HiddenUnitType.Bernoulli => nn.functional.softplus(input),
            HiddenUnitType.ReLU => input.relu_().pow_(2).mul_(0.5),
            _ => input.pow_(2).mul_(0.5),
        };
        var hiddenTerm = hidden.sum(dim: 1);
        return _architecture.VisibleUnits == VisibleUnitType.Gaussian
            ? (visible - VisibleBias).pow_(2).sum(dim: 1).mul_(0.5).sub_(hiddenTerm)
            : mv(visible, VisibleBias).neg_().sub_(hiddenTerm);
    }

    /// <summary>An estimate of each row's pseudo-log-likelihood, <c>[rows]</c>: one Bernoulli unit a row, given, is turned over.</summary>
    /// <param name="visible"><c>[rows, visible]</c>.</param>
    /// <param name="units">The unit of each row, <c>[rows]</c>, int64.</param>
    public Tensor PseudoLogLikelihood(Tensor visible, Tensor units)
    {
        var column = units.unsqueeze(1);
        var flipped = visible.scatter(1, column, 1 - visible.gather(1, column));
        return nn.functional.logsigmoid(FreeEnergy(flipped) - FreeEnergy(visible)).mul_(_architecture.InputCount);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _transposed?.Dispose();
        base.Dispose(disposing);
    }
}
