using System.Text.Json.Serialization;
using MLExtensions.Families.Images;
using MLExtensions.Onnx;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Layers one after the other, with a common name.</summary>
/// <param name="Layers">The layers.</param>
public sealed record SequenceLayer(IReadOnlyList<ImageLayer> Layers) : ImageLayer
{
    internal override string Title => "sequence";

    internal override bool OutputMayBeOverwritten => Layers is [.., { OutputMayBeOverwritten: true }];

    internal override IEnumerable<PlacedLayer> Inside(LayerShape input, LayerSite site) => LayerChain.Place(Layers, input, site);

    internal override ImageLayer WithOutputCount(int outputCount) => this with { Layers = Layers.Select(layer => layer.WithOutputCount(outputCount)).ToArray() };

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        Require(Layers is { Count: > 0 }, site, "it has no layers.");
        return LayerChain.Place(Layers, input, site)[^1].Output;
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) =>
        new SequenceModule(LayerChain.Place(Layers, input, site));

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) => LayerChain.Write(graph, Inside(input, site), x);
}

/// <summary>Parallel layers with the same input, whose output channels are concatenated.</summary>
/// <param name="Branches">The layers, usually <see cref="SequenceLayer"/>s; their outputs must have equal height and width.</param>
public sealed record ConcatenationLayer(IReadOnlyList<ImageLayer> Branches) : ImageLayer
{
    internal override string Title => "concatenation";

    internal override bool OutputMayBeOverwritten => true;

    internal override IEnumerable<PlacedLayer> Inside(LayerShape input, LayerSite site) =>
        LayerChain.PlaceBeside(Branches, input, site);

    internal override ImageLayer WithOutputCount(int outputCount) => this with { Branches = Branches.Select(branch => branch.WithOutputCount(outputCount)).ToArray() };

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        Require(Branches is { Count: > 0 }, site, "it has no branches.");
        var outputs = Inside(input, site).Select(branch => branch.Output).ToArray();
        foreach (var output in outputs)
            Require(output.WithChannels(1) == outputs[0].WithChannels(1), site, $"its branches return {string.Join(" and ", outputs)}; height and width must be equal.");
        return outputs[0].WithChannels(checked(outputs.Sum(output => output.Channels)));
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site) => new ConcatenationModule(Inside(input, site));

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site) =>
        graph.Concatenate(1, Inside(input, site).Select(branch => LayerChain.Write(graph, [branch], x)).ToArray());
}

/// <summary>A residual block: activation(layers(x) + shortcut(x)). He, Zhang, Ren and Sun, 2016.</summary>
/// <param name="Layers">The layers of the residual function.</param>
public sealed record ResidualLayer(IReadOnlyList<ImageLayer> Layers) : ImageLayer
{
    /// <summary>The activation after the sum. Default <see cref="Activation.ReLU"/>.</summary>
    public Activation Activation { get; init; } = Activation.ReLU;

    /// <summary>The layer on the shortcut, needed if the shapes differ. Default null: the input itself is added.</summary>
    public ImageLayer? Shortcut { get; init; }

    /// <summary>Whether the input is added; false gives a plain network of the same depth. Default true.</summary>
    public bool HasShortcut { get; init; } = true;

    /// <summary>
    /// Whether what one of the two lacks in channels, rows or columns counts as zeros after its own, as dlib adds images of different sizes.
    /// Default false: the shapes must be equal.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ZeroPadding { get; init; }

    internal override string Title => HasShortcut ? "residual block" : "block without shortcut";

    internal override IEnumerable<PlacedLayer> Inside(LayerShape input, LayerSite site) =>
        PlaceLayers(input, site).Concat(PlaceShortcut(input, site));

    internal override ImageLayer WithOutputCount(int outputCount) => this with
    {
        Layers = Layers.Select(layer => layer.WithOutputCount(outputCount)).ToArray(),
        Shortcut = Shortcut?.WithOutputCount(outputCount),
    };

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        Require(Layers is { Count: > 0 }, site, "it has no layers.");
        Require(Enum.IsDefined(Activation) && Activation != Activation.PReLU, site, $"activation is {Activation}; it must be one without parameters.");
        var layers = PlaceLayers(input, site);
        var output = layers[^1].Output;
        if (!HasShortcut)
            return output;
        var shortcut = PlaceShortcut(input, site);
        foreach (var placed in shortcut)
            Require(layers.All(layer => layer.Site.Path != placed.Site.Path), placed.Site, "another layer beside it has the same name.");
        var added = AddedShape(input, shortcut);
        Require(added == output || (ZeroPadding && !added.IsVector && !output.IsVector), site, $"its layers return {output} and its shortcut {added}; the shapes must be equal{(ZeroPadding ? ", or both images" : "")}.");
        return Larger(output, added);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site)
    {
        var (layers, shortcut) = (PlaceLayers(input, site), PlaceShortcut(input, site));
        var (residual, added) = (layers[^1].Output, AddedShape(input, shortcut));
        var larger = HasShortcut ? Larger(residual, added) : residual;
        return new ResidualModule(layers, shortcut, HasShortcut, Activation)
        {
            ResidualPadding = MissingIn(residual, larger),
            ShortcutPadding = MissingIn(added, larger),
        };
    }

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site)
    {
        var (layers, shortcut) = (PlaceLayers(input, site), PlaceShortcut(input, site));
        var residual = LayerChain.Write(graph, layers, x);
        if (!HasShortcut)
            return graph.Activate(residual, Activation);
        var (own, added) = (layers[^1].Output, AddedShape(input, shortcut));
        var larger = Larger(own, added);
        return graph.Activate(graph.Add(Fill(residual, own), Fill(LayerChain.Write(graph, shortcut, x), added)), Activation);

        string Fill(string value, LayerShape shape) => shape == larger
            ? value
            : graph.Node("Pad", [value, graph.Numbers(0, 0, 0, 0, 0, larger.Channels - shape.Channels, larger.Height - shape.Height, larger.Width - shape.Width)]);
    }

    private static LayerShape AddedShape(LayerShape input, IReadOnlyList<PlacedLayer> shortcut) => shortcut is [var only] ? only.Output : input;

    private static LayerShape Larger(LayerShape a, LayerShape b) => a == b ? a : LayerShape.OfImage(Math.Max(a.Channels, b.Channels), Math.Max(a.Height, b.Height), Math.Max(a.Width, b.Width));

    /// <summary>What torch pads: both sides of the width, of the height and of the channels; null for nothing.</summary>
    private static long[]? MissingIn(LayerShape shape, LayerShape larger) =>
        shape == larger ? null : [0, larger.Width - shape.Width, 0, larger.Height - shape.Height, 0, larger.Channels - shape.Channels];

    private IReadOnlyList<PlacedLayer> PlaceLayers(LayerShape input, LayerSite site) =>
        LayerChain.Place(Layers, input, site with { OwnsInput = false });

    private IReadOnlyList<PlacedLayer> PlaceShortcut(LayerShape input, LayerSite site) => HasShortcut && Shortcut != null
        ? LayerChain.PlaceBeside([Shortcut with { Name = Shortcut.Name ?? "downsample" }], input, site)
        : [];
}

/// <summary>
/// The shortcut without parameters (option A): every n-th pixel, and channels of zeros on both sides. He, Zhang, Ren and Sun, 2016.
/// </summary>
/// <param name="Channels">The number of output channels.</param>
/// <param name="Stride">Every n-th pixel is kept in each direction; this is n.</param>
public sealed record PaddedShortcutLayer(int Channels, int Stride) : ImageLayer
{
    internal override string Title => "padded shortcut";

    internal override LayerShape OutputShape(LayerShape input, LayerSite site)
    {
        RequireImage(input, site);
        Require(Stride >= 1, site, FormattableString.Invariant($"stride is {Stride}; it must be at least 1."));
        Require(Channels >= input.Channels, site, FormattableString.Invariant($"channels is {Channels}; it must be at least {input.Channels}, the channels of the input."));
        return LayerShape.OfImage(Channels, ((input.Height - 1) / Stride) + 1, ((input.Width - 1) / Stride) + 1);
    }

    internal override nn.Module<Tensor, Tensor> CreateModule(LayerShape input, LayerSite site)
    {
        var (stride, before) = (Stride, (Channels - input.Channels) / 2);
        var after = Channels - input.Channels - before;
        return new FunctionModule("PaddedShortcut", x =>
            nn.functional.pad(x.slice(2, 0, x.shape[2], stride).slice(3, 0, x.shape[3], stride), [0, 0, 0, 0, before, after]));
    }

    internal override string Write(GraphWriter graph, string x, LayerShape input, LayerSite site)
    {
        var before = (Channels - input.Channels) / 2;
        var kept = graph.Node("Slice", [x, graph.Numbers(0, 0), graph.Numbers(input.Height, input.Width), graph.Numbers(2, 3), graph.Numbers(Stride, Stride)]);
        return graph.Node("Pad", [kept, graph.Numbers(0, before, 0, 0, 0, Channels - input.Channels - before, 0, 0)]);
    }
}

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

    /// <summary>The zeros that are added to what the layers return; null for none.</summary>
    public long[]? ResidualPadding { get; init; }

    /// <summary>The zeros that are added to the shortcut; null for none.</summary>
    public long[]? ShortcutPadding { get; init; }

    public override Tensor forward(Tensor x)
    {
        var residual = LayerChain.Run(_layers, x);
        if (!_hasShortcut)
            return _ownsResidual ? _activation.Apply(residual) : _activation.ApplyToCopy(residual);
        var shortcut = Pad(LayerChain.Run(_shortcut, x), ShortcutPadding);
        var sum = Pad(residual, ResidualPadding);
        return _activation.Apply(_ownsResidual || ResidualPadding != null ? sum.add_(shortcut, Number.One) : sum.add(shortcut, Number.One));
    }

    private static Tensor Pad(Tensor x, long[]? zeros) => zeros == null ? x : nn.functional.pad(x, zeros);
}
