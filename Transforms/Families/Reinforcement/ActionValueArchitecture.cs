using MLExtensions.Onnx;
using System.Text.Json;
using System.Text.Json.Serialization;
using MLExtensions.Families.Gan;
using MLExtensions.Families.Images;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A deep Q-network: from a state to the values of all actions. Mnih et al., "Human-level control through deep reinforcement learning", 2015;
/// with two streams of layers, Wang et al., "Dueling Network Architectures", 2016.
/// </summary>
/// <remarks>
/// Its weights are <c>layers.0...</c>, <c>value.0...</c> and <c>advantage.0...</c>, as <see cref="Layers"/>, <see cref="ValueLayers"/> and
/// <see cref="AdvantageLayers"/>.
/// </remarks>
public sealed record ActionValueArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "actionValues";

    // Smaller passes start too often, larger ones leave the caches.
    private const int BestScoringRows = 256;

    // A float32 holds every whole number up to here.
    private const int MostStates = 1 << 24;

    /// <summary>
    /// The number of states if a state is one whole number; the network gets a 1 at its place and zeros at the others. Null if a state is a
    /// vector or an image.
    /// </summary>
    public required int? StateCount { get; init; }

    /// <summary>The first number of numbered states; 0 if states are not numbered.</summary>
    public required int FirstState { get; init; }

    /// <summary>The size of the images; null if states are not images.</summary>
    public required ImageShape? Image { get; init; }

    /// <summary>What states are divided by before the first layer: 255 for pixels, otherwise 1.</summary>
    public required double InputDivisor { get; init; }

    /// <summary>The layers from the state to the values of the actions, or to both streams if there are two.</summary>
    public required IReadOnlyList<ImageLayer> Layers { get; init; }

    /// <summary>The layers of the stream that computes how good the state is, one value; empty without streams.</summary>
    public required IReadOnlyList<ImageLayer> ValueLayers { get; init; }

    /// <summary>The layers of the stream that computes how much better each action is than their mean; empty without streams.</summary>
    public required IReadOnlyList<ImageLayer> AdvantageLayers { get; init; }

    /// <summary>Whether there are two streams.</summary>
    [JsonIgnore]
    public bool IsDueling => AdvantageLayers.Count > 0;

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => Leaves.Aggregate(0L, (sum, placed) => checked(sum + placed.Layer.ParameterCount(placed.Input, placed.Site)));

    internal override double MultiplyAdds => Leaves.Sum(placed => (double)placed.Layer.MultiplyAdds(placed.Input, placed.Site));

    internal override double ValuesPerRow => base.ValuesPerRow + (StateCount ?? 0) + Leaves.Where(placed => placed.Layer is ConvolutionLayer or DenseLayer).Sum(placed => (double)placed.Output.Count);

    internal override int ScoringRows => BestScoringRows;

    internal override int MinimumBatchRows => Leaves.Any(placed => placed.Layer is BatchNormalizationLayer) ? 2 : 1;

    internal override string OutputLayer =>
        (IsDueling ? PlacedAdvantage : PlacedLayers).SelectMany(LayerChain.LeavesOf).Last(placed => placed.Layer.ParameterCount(placed.Input, placed.Site) > 0).Site.Path;

    internal IReadOnlyList<PlacedLayer> PlacedLayers => LayerChain.Place(Layers, Input, new LayerSite("layers", OutputCount));

    internal IReadOnlyList<PlacedLayer> PlacedValue => LayerChain.Place(ValueLayers, Shared, new LayerSite("value", 1));

    internal IReadOnlyList<PlacedLayer> PlacedAdvantage => LayerChain.Place(AdvantageLayers, Shared, new LayerSite("advantage", OutputCount));

    /// <summary>All layers; blocks by what they are made of.</summary>
    internal IEnumerable<PlacedLayer> Leaves => ((IEnumerable<PlacedLayer>)[.. PlacedLayers, .. PlacedValue, .. PlacedAdvantage]).SelectMany(LayerChain.LeavesOf);

    private LayerShape Input => Image is { } image ? LayerShape.OfImage(image.Channels, image.Height, image.Width) : LayerShape.OfVector(StateCount ?? InputCount);

    private LayerShape Shared => PlacedLayers is [.., var last] ? last.Output : Input;

    /// <inheritdoc/>
    public bool Equals(ActionValueArchitecture? other) => other != null && base.Equals(other) && JsonSerializer.Serialize(this) == JsonSerializer.Serialize(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), StateCount, InputDivisor, Layers.Count, AdvantageLayers.Count);

    internal override IEnumerable<LayerDescription> Describe() => Leaves.Select(placed => new LayerDescription(
        placed.Site.Path,
        placed.Layer.Title,
        placed.Output.ToString(),
        placed.Layer.ParameterCount(placed.Input, placed.Site),
        placed.Layer.MultiplyAdds(placed.Input, placed.Site)));

    internal override nn.Module<Tensor, Tensor> CreateModule() => new ActionValueNetwork(this);

    internal override string Write(GraphWriter graph, string rows)
    {
        var x = rows;
        if (StateCount is { } states)
        {
            var places = graph.Add(graph.Cast(x, typeof(long)), graph.Constant(-(long)FirstState));
            var isWhole = graph.Node("Equal", [x, graph.Node("Floor", x)]);
            places = graph.StopIf(places, graph.Node("Not", isWhole), "state, which is no whole number");
            x = graph.OneHot(graph.Find(Enumerable.Range(0, states).Select(state => (long)state).ToArray(), places, "state"), states);
        }
        x = graph.Scale(x, 1 / InputDivisor);
        if (Image != null)
            x = graph.Reshape(x, -1, Image.Channels, Image.Height, Image.Width);
        x = LayerChain.Write(graph, PlacedLayers, x);
        if (!IsDueling)
            return x;
        var advantage = LayerChain.Write(graph, PlacedAdvantage, x);
        var mean = graph.Reduce("ReduceMean", advantage, keepDimensions: true, 1);
        return graph.Add(LayerChain.Write(graph, PlacedValue, x), graph.Node("Sub", [advantage, mean]));
    }

    internal override void Check()
    {
        base.Check();
        if (Layers == null || ValueLayers == null || AdvantageLayers == null)
            throw new FormatException("a list of layers is missing.");
        if (StateCount is < 1 or > MostStates || (StateCount != null && (InputCount != 1 || Image != null)))
            throw new FormatException(FormattableString.Invariant($"stateCount is {StateCount}; it must be from 1 to {MostStates}, with inputCount 1 (here {InputCount}) and no image."));
        if (!(InputDivisor > 0 && double.IsFinite(InputDivisor)))
            throw new FormatException(FormattableString.Invariant($"inputDivisor is {InputDivisor}; it must be finite and greater than 0."));
        Image?.Check("image");
        if (Image != null && (Image.Count != InputCount || Image.Layout != PixelLayout.Planar))
            throw new FormatException(FormattableString.Invariant($"the images are {Image} ({Image.Layout}), but inputCount is {InputCount}, and they must be planar."));
        if (ValueLayers.Count > 0 != IsDueling)
            throw new FormatException("there are layers of one stream only; there must be both or none.");
        try
        {
            if (ParameterCount == 0)
                throw new FormatException("no layer has weights, so there is nothing to train.");
        }
        catch (OverflowException e)
        {
            throw new FormatException("the network is too large for any computer.", e);
        }
        if (!IsDueling)
            CheckEnd(PlacedLayers, OutputCount, "one for each action. End with a DenseLayer without a number of units");
        else
        {
            CheckEnd(PlacedValue, 1, "the value of the state");
            CheckEnd(PlacedAdvantage, OutputCount, "one for each action. End with a DenseLayer without a number of units");
        }
    }

    private static void CheckEnd(IReadOnlyList<PlacedLayer> layers, int count, string what)
    {
        var output = layers[^1].Output;
        if (!output.IsVector || output.Channels != count)
            throw layers[^1].Site.Wrong(layers[^1].Layer, FormattableString.Invariant($"the last layer returns {output}; it must return a vector of {count}, {what}."));
    }
}

/// <summary>The module of <see cref="ActionValueArchitecture"/>: maps <c>[rows, values of a state]</c> to <c>[rows, actions]</c>.</summary>
internal sealed class ActionValueNetwork : nn.Module<Tensor, Tensor>
{
    private readonly ActionValueArchitecture _architecture;
    private readonly LayerBranch? _layers;
    private readonly LayerBranch? _value;
    private readonly LayerBranch? _advantage;

    public ActionValueNetwork(ActionValueArchitecture architecture)
        : base(nameof(ActionValueNetwork))
    {
        _architecture = architecture;
        _layers = Create(architecture.PlacedLayers, "layers");
        _value = Create(architecture.PlacedValue, "value");
        _advantage = Create(architecture.PlacedAdvantage, "advantage");

        LayerBranch? Create(IReadOnlyList<PlacedLayer> placed, string name)
        {
            if (placed.Count == 0)
                return null;
            var branch = new LayerBranch(placed);
            register_module(name, branch);
            return branch;
        }
    }

    public override Tensor forward(Tensor x)
    {
        if (_architecture.StateCount is { } states)
        {
            // one_hot would make 8 bytes of each place first.
            var places = x.to(ScalarType.Int64).sub(Number.Of((long)_architecture.FirstState));
            x = zeros([x.shape[0], states], ScalarType.Float32, x.device).scatter_(1, places, ones([x.shape[0], 1], ScalarType.Float32, x.device));
        }
        if (_architecture.InputDivisor != 1)
            x = x.div(Number.Of(_architecture.InputDivisor));
        if (_architecture.Image is { } image)
            x = x.view(-1, image.Channels, image.Height, image.Width);
        if (_layers != null)
            x = _layers.call(x);
        if (_advantage == null)
            return x;
        // Neither stream owns x, so that none works in place on it.
        var advantage = _advantage.call(x);
        return _value!.call(x).add(advantage.sub(advantage.mean([1], keepdim: true)), Number.One);
    }
}
