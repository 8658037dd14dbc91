using MLExtensions.Onnx;
using System.Text.Json.Serialization;
using System.Text.Json;
using MLExtensions.Families.Images;
using MLExtensions.Networks;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>An image network: an <see cref="ImageInput"/> followed by layer records.</summary>
public abstract record ImageArchitecture : NetworkArchitecture
{
    // Measured on LeNet-5, a 32-64 network and ResNet-20: smaller passes start too often, larger ones leave the caches.
    private const int BestScoringRows = 128;
    private const long MaximumScoringValues = 1 << 24;

    private protected ImageArchitecture()
    {
    }

    /// <summary>The images and their preprocessing before the first layer.</summary>
    public required ImageInput Image { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => Placed.Aggregate(0L, (sum, placed) => checked(sum + placed.Layer.ParameterCount(placed.Input, placed.Site)));

    internal override double MultiplyAdds => Placed.Sum(placed => (double)placed.Layer.MultiplyAdds(placed.Input, placed.Site));

    internal override double ValuesPerRow => base.ValuesPerRow + Leaves.Where(placed => placed.Layer is ConvolutionLayer or DenseLayer).Sum(placed => (double)placed.Output.Count);

    internal override int MinimumBatchRows => Leaves.Any(placed => placed.Layer is BatchNormalizationLayer && placed.Input.Height * placed.Input.Width == 1) ? 2 : 1;

    internal override int ScoringRows =>
        (int)Math.Clamp(MaximumScoringValues / Leaves.Max(placed => Math.Max(placed.Input.Count, placed.Output.Count)), 1, BestScoringRows);

    internal override string OutputLayer => Leaves.Last(placed => placed.Layer.ParameterCount(placed.Input, placed.Site) > 0).Site.Path;

    /// <summary>All layers with their positions.</summary>
    internal IReadOnlyList<PlacedLayer> Placed => LayerChain.Place(CreateLayers(), Image.NetworkShape, new LayerSite("", OutputCount));

    /// <summary>The layers that do not contain other layers.</summary>
    internal IEnumerable<PlacedLayer> Leaves => Placed.SelectMany(LayerChain.LeavesOf);

    /// <inheritdoc/>
    public virtual bool Equals(ImageArchitecture? other) => base.Equals(other) && Image == other.Image;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Image);

    /// <summary>The layers from the image to the outputs.</summary>
    internal abstract IReadOnlyList<ImageLayer> CreateLayers();

    /// <summary>Blocks are described by the layers that they are made of.</summary>
    internal override IEnumerable<LayerDescription> Describe() => Leaves.Select(placed => new LayerDescription(
        placed.Site.Path,
        placed.Layer.Title,
        placed.Output.ToString(),
        placed.Layer.ParameterCount(placed.Input, placed.Site),
        placed.Layer.MultiplyAdds(placed.Input, placed.Site)));

    internal override nn.Module<Tensor, Tensor> CreateModule() => new ImageNetwork(Image, Placed);

    internal override string Write(GraphWriter graph, string rows)
    {
        var images = Image.Write(graph, rows);
        var outputs = LayerChain.Write(graph, Placed, images);
        if (!Image.TestTimeFlip)
            return outputs;
        var mirrored = graph.Node("Slice", [images, graph.Numbers(-1), graph.Numbers(long.MinValue), graph.Numbers(3), graph.Numbers(-1)]);
        return graph.Scale(graph.Add(outputs, LayerChain.Write(graph, Placed, mirrored)), 0.5);
    }

    internal override void Check()
    {
        base.Check();
        if (Image == null)
            throw new FormatException("image is missing.");
        Image.Check("image");
        if (Image.Shape.Count != InputCount)
            throw new FormatException(FormattableString.Invariant($"the images are {Image.Shape}, but inputCount is {InputCount}."));
        var layers = CreateLayers();
        if (layers is not { Count: > 0 })
            throw new FormatException("there are no layers.");
        try
        {
            CheckOutput(Placed[^1]);
            if (ParameterCount == 0)
                throw new FormatException("no layer has weights, so there is nothing to train.");
        }
        catch (OverflowException e)
        {
            throw new FormatException("the network is too large for any computer.", e);
        }
    }

    private void CheckOutput(PlacedLayer last)
    {
        if (!last.Output.IsVector || last.Output.Channels != OutputCount)
            throw last.Site.Wrong(last.Layer, FormattableString.Invariant($"the last layer returns {last.Output}; the output of the network must be a vector of {OutputCount}. End with a DenseLayer without a number of units."));
    }
}

/// <summary>A convolutional network given as a list of layers. LeCun et al., 1998.</summary>
public sealed record CnnArchitecture : ImageArchitecture
{
    internal const string FamilyName = "cnn";

    /// <summary>The layers, from the image to the outputs.</summary>
    public required IReadOnlyList<ImageLayer> Layers { get; init; }

    /// <inheritdoc/>
    public bool Equals(CnnArchitecture? other) =>
        base.Equals(other) && JsonSerializer.Serialize(Layers) == JsonSerializer.Serialize(other.Layers);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Layers.Count);

    internal override IReadOnlyList<ImageLayer> CreateLayers() => Layers;
}
