using MLExtensions.Networks.Images;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>The module of <see cref="SequenceLayer"/>.</summary>
internal sealed class SequenceModule : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor>[] _modules;

    public SequenceModule(IEnumerable<PlacedLayer> layers)
        : base(nameof(SequenceModule)) => _modules = LayerChain.Register(this, layers);

    public override Tensor forward(Tensor x) => LayerChain.Run(_modules, x);
}

/// <summary>The module of <see cref="ConcatenationLayer"/>.</summary>
internal sealed class ConcatenationModule : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor>[] _branches;

    public ConcatenationModule(IEnumerable<PlacedLayer> branches)
        : base(nameof(ConcatenationModule)) => _branches = LayerChain.Register(this, branches);

    public override Tensor forward(Tensor x) => cat(_branches.Select(branch => branch.call(x)).ToArray(), 1);
}

/// <summary>The module of <see cref="ResidualLayer"/>.</summary>
internal sealed class ResidualModule : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor>[] _layers;
    private readonly nn.Module<Tensor, Tensor>[] _shortcut;
    private readonly bool _hasShortcut;
    private readonly bool _ownsResidual;
    private readonly Activation _activation;

    public ResidualModule(IReadOnlyList<PlacedLayer> layers, IEnumerable<PlacedLayer> shortcut, bool hasShortcut, Activation activation)
        : base(nameof(ResidualModule))
    {
        _ownsResidual = layers[^1].Layer.OutputMayBeOverwritten;
        _layers = LayerChain.Register(this, layers);
        _shortcut = LayerChain.Register(this, shortcut);
        _hasShortcut = hasShortcut;
        _activation = activation;
    }

    public override Tensor forward(Tensor x)
    {
        var residual = LayerChain.Run(_layers, x);
        if (!_hasShortcut)
            return _ownsResidual ? _activation.Apply(residual) : _activation.ApplyToCopy(residual);
        var shortcut = LayerChain.Run(_shortcut, x);
        return _activation.Apply(_ownsResidual ? residual.add_(shortcut) : residual + shortcut);
    }
}

/// <summary>The module of <see cref="FireLayer"/>.</summary>
internal sealed class FireModule : nn.Module<Tensor, Tensor>
{
    // An array: torch would register fields that are modules under the fields' names too.
    private readonly nn.Module<Tensor, Tensor>[] _convolutions;

    public FireModule(IEnumerable<PlacedLayer> convolutions)
        : base(nameof(FireModule)) =>
        _convolutions = LayerChain.Register(this, convolutions);

    public override Tensor forward(Tensor x)
    {
        var squeezed = _convolutions[0].call(x).relu_();
        return cat([_convolutions[1].call(squeezed), _convolutions[2].call(squeezed)], 1).relu_();
    }
}

/// <summary>The module of <see cref="DenseLayer"/>; its parameters have torch's names.</summary>
internal sealed class DenseModule : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.Parameter weight;
    private readonly TorchSharp.Modules.Parameter? bias;

    public DenseModule(long inputs, long units, bool hasBias)
        : base(nameof(DenseModule))
    {
        weight = new TorchSharp.Modules.Parameter(zeros(units, inputs));
        bias = hasBias ? new TorchSharp.Modules.Parameter(zeros(units)) : null;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => nn.functional.linear(x.dim() > 2 ? x.flatten(1) : x, weight, bias);
}
