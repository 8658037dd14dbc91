using MLExtensions.Networks;
using MLExtensions.Families.Images;
using MLExtensions.Onnx;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Gan;

/// <summary>
/// The layers of a generator or a discriminator: those of its input, those of the label, and those that get both. The label is a vector with
/// a 1 for the class and zeros for the others.
/// </summary>
/// <param name="input">The shape of the input.</param>
/// <param name="classCount">The length of the label vector; 0 if there is none.</param>
/// <param name="outputCount">The number of outputs of the network.</param>
internal sealed class JoinedLayers(LayerShape input, int classCount, int outputCount)
{
    public required string InputName { get; init; }

    public required IReadOnlyList<ImageLayer> Input { get; init; }

    public required IReadOnlyList<ImageLayer> Label { get; init; }

    public required IReadOnlyList<ImageLayer> Joined { get; init; }

    public IReadOnlyList<PlacedLayer> PlacedInput => LayerChain.Place(Input, input, Site(InputName));

    public IReadOnlyList<PlacedLayer> PlacedLabel => LayerChain.Place(Label, LayerShape.OfVector(Math.Max(1, classCount)), Site("label"));

    public IReadOnlyList<PlacedLayer> PlacedJoined => LayerChain.Place(Joined, JoinedShape, Site("layers"));

    /// <summary>All layers with weights or without, from the inputs to the outputs; blocks by what they are made of.</summary>
    public IEnumerable<PlacedLayer> Leaves => ((IEnumerable<PlacedLayer>)[.. PlacedInput, .. PlacedLabel, .. PlacedJoined]).SelectMany(LayerChain.LeavesOf);

    public long ParameterCount => Leaves.Aggregate(0L, (sum, placed) => checked(sum + placed.Layer.ParameterCount(placed.Input, placed.Site)));

    public double MultiplyAdds => Leaves.Sum(placed => (double)placed.Layer.MultiplyAdds(placed.Input, placed.Site));

    public double ValuesPerRow => Leaves.Sum(placed => placed.Layer is ActivationLayer or FlattenLayer or ReshapeLayer ? 0 : (double)placed.Output.Count);

    public bool HasBatchNormalization => Leaves.Any(placed => placed.Layer is BatchNormalizationLayer);

    /// <summary>What the joined layers get: channels of an image, or a vector.</summary>
    private LayerShape JoinedShape
    {
        get
        {
            var sample = PlacedInput is [.., var last] ? last.Output : input;
            if (classCount == 0)
                return sample;
            var label = PlacedLabel is [.., var end] ? end.Output : LayerShape.OfVector(classCount);
            if (sample.IsVector != label.IsVector && !label.IsVector)
                throw new FormatException(FormattableString.Invariant($"the layers of the label end with an image, {label}, but those of the {InputName} with a vector, {sample}; the label must be a vector, too."));
            if (!label.IsVector && (label.Height != sample.Height || label.Width != sample.Width))
                throw new FormatException(FormattableString.Invariant($"the layers of the label end with {label} and those of the {InputName} with {sample}; height and width must be the same."));
            return sample.WithChannels(checked(sample.Channels + label.Channels));
        }
    }

    public IEnumerable<LayerDescription> Describe() => Leaves.Select(placed => new LayerDescription(
        placed.Site.Path,
        placed.Layer.Title,
        placed.Output.ToString(),
        placed.Layer.ParameterCount(placed.Input, placed.Site),
        placed.Layer.MultiplyAdds(placed.Input, placed.Site)));

    /// <summary>Writes the layers as ONNX operators.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">The input, in its shape.</param>
    /// <param name="label"><c>[rows, classes]</c>, or null.</param>
    public string Write(GraphWriter graph, string x, string? label)
    {
        var sample = PlacedInput;
        x = LayerChain.Write(graph, sample, x);
        if (label != null)
        {
            var placed = PlacedLabel;
            label = LayerChain.Write(graph, placed, label);
            var shape = sample is [.., var last] ? last.Output : input;
            if (!shape.IsVector && (placed.Count == 0 || placed[^1].Output.IsVector))
                label = graph.Node("Expand", [graph.Node("Unsqueeze", label, node => node.AddAttribute("axes", new long[] { 2, 3 })), graph.Numbers(1, 1, shape.Height, shape.Width)]);
            x = graph.Concatenate(1, x, label);
        }
        return LayerChain.Write(graph, PlacedJoined, x);
    }

    /// <exception cref="FormatException">A layer is invalid, or does not fit; the message names it.</exception>
    public LayerShape Check()
    {
        if (classCount == 0 && Label.Count > 0)
            throw new FormatException("there are layers of the label, but no classes.");
        if (Joined.Count == 0)
            throw new FormatException("there are no layers.");
        try
        {
            if (ParameterCount == 0)
                throw new FormatException("no layer has weights, so there is nothing to train.");
            return PlacedJoined[^1].Output;
        }
        catch (OverflowException e)
        {
            throw new FormatException("the network is too large for any computer.", e);
        }
    }

    private LayerSite Site(string path) => new(path, outputCount);
}

/// <summary>Layers one after the other, under a name of their own.</summary>
internal sealed class LayerBranch : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor>[] _layers;

    public LayerBranch(IEnumerable<PlacedLayer> layers)
        : base(nameof(LayerBranch)) => _layers = LayerChain.Register(this, layers);

    public override Tensor forward(Tensor x) => RunTo(x, _layers.Length);

    /// <summary>Runs the first layers only.</summary>
    public Tensor RunTo(Tensor x, int count)
    {
        for (var layer = 0; layer < count; layer++)
            x = Step(x, layer);
        return x;
    }

    /// <summary>The outputs of all layers. A copy of each, because the next layer may compute in place.</summary>
    public IReadOnlyList<Tensor> Outputs(Tensor x)
    {
        var outputs = new Tensor[_layers.Length];
        for (var layer = 0; layer < outputs.Length; layer++, x = x.clone())
            outputs[layer] = x = Step(x, layer);
        return outputs;
    }

    /// <summary>Runs one layer. Images are not arranged channels-last: with strided kernels and transposed convolutions that is slower.</summary>
    public Tensor Step(Tensor x, int layer) => _layers[layer].call(x);

    public int Count => _layers.Length;
}

/// <summary>The modules of <see cref="JoinedLayers"/>.</summary>
internal sealed class JoinedBranches
{
    private readonly LayerBranch? _label;

    /// <summary>Creates the modules and registers them in their owner.</summary>
    public JoinedBranches(nn.Module owner, JoinedLayers layers)
    {
        Input = Create(layers.PlacedInput, layers.InputName);
        _label = Create(layers.PlacedLabel, "label");
        Joined = Create(layers.PlacedJoined, "layers")!;

        LayerBranch? Create(IReadOnlyList<PlacedLayer> placed, string name)
        {
            if (placed.Count == 0)
                return null;
            var branch = new LayerBranch(placed);
            owner.register_module(name, branch);
            return branch;
        }
    }

    /// <summary>The layers of the input alone; null if there are none.</summary>
    public LayerBranch? Input { get; }

    public LayerBranch Joined { get; }

    /// <summary>The input of the joined layers.</summary>
    /// <param name="x">The input, in its shape.</param>
    /// <param name="label"><c>[rows, classes]</c>, or null.</param>
    public Tensor Join(Tensor x, Tensor? label) => JoinLabel(Input == null ? x : Input.call(x), label);

    /// <summary>The input of the joined layers, from the output of <see cref="Input"/>.</summary>
    public Tensor JoinLabel(Tensor x, Tensor? label)
    {
        if (label is null)
            return x;
        if (_label != null)
            label = _label.call(label);
        if (x.dim() == 4 && label.dim() == 2)
            label = label.unsqueeze(2).unsqueeze(3).expand(-1, -1, x.shape[2], x.shape[3]);
        return cat([x, label], 1);
    }
}
