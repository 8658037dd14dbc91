using Microsoft.ML.Data;
using MLExtensions.Messages;

namespace MLExtensions.Families.Images;

/// <summary>The part of an image network from the image to one of its layers.</summary>
internal static class LayerCut
{
    private const int Shown = 40;

    /// <summary>The names of the layers at which a network can be cut: those in a chain, but not what is inside a block.</summary>
    public static IEnumerable<string> NamesIn(ImageArchitecture architecture) => architecture.Placed.SelectMany(NamesIn);

    /// <exception cref="ArgumentException">
    /// The layer does not exist; the message lists the layers and suggests the nearest name.
    /// </exception>
    public static void CheckName(ImageArchitecture architecture, string layer, string option)
    {
        var names = NamesIn(architecture).ToArray();
        if (names.Contains(layer))
            return;
        throw new ArgumentException($"{option} is '{layer}', but the network cannot be cut at a layer of that name.{NearestName.Suggest(layer, names)} It has {NameList.Of(names, Shown)}.", option);
    }

    /// <summary>Cuts a network.</summary>
    /// <param name="architecture">The whole network.</param>
    /// <param name="layer">The last layer to keep, one of <see cref="NamesIn(ImageArchitecture)"/>; null for all.</param>
    /// <param name="pool">Whether an output with spatial positions is averaged over them; otherwise it is flattened.</param>
    /// <exception cref="FormatException">A layer does not fit the images.</exception>
    public static CnnArchitecture Cut(ImageArchitecture architecture, string? layer, bool pool)
    {
        var placed = architecture.Placed;
        var layers = (layer == null ? placed.Select(entry => entry.Layer) : Cut(placed, layer))
            .Select(entry => entry.WithOutputCount(architecture.OutputCount))
            .ToList();
        var output = LayerChain.Place(layers, architecture.Image.NetworkShape, new LayerSite("", architecture.OutputCount))[^1].Output;
        if (!output.IsVector)
            layers.Add(pool ? new GlobalAveragePoolingLayer { Name = "pooled" } : new FlattenLayer { Name = "flattened" });
        var cut = new CnnArchitecture
        {
            InputCount = architecture.InputCount,
            OutputCount = checked((int)(output.IsVector || pool ? output.Channels : output.Count)),
            Image = architecture.Image,
            Layers = layers,
        };
        cut.Check();
        return cut;
    }

    /// <summary>The type of the outputs of a cut network; a flattened image keeps its dimensions.</summary>
    public static VectorDataViewType OutputType(CnnArchitecture architecture) =>
        architecture.Placed[^1] is { Layer: FlattenLayer, Input: { IsVector: false } image }
            ? new VectorDataViewType(NumberDataViewType.Single, image.Channels, image.Height, image.Width)
            : new VectorDataViewType(NumberDataViewType.Single, architecture.OutputCount);

    private static IEnumerable<string> NamesIn(PlacedLayer placed)
    {
        if (placed.Layer is SequenceLayer)
        {
            foreach (var name in placed.Layer.Inside(placed.Input, placed.Site).SelectMany(NamesIn))
                yield return name;
        }
        yield return placed.Site.Path;
    }

    private static List<ImageLayer> Cut(IEnumerable<PlacedLayer> chain, string layer)
    {
        var kept = new List<ImageLayer>();
        foreach (var placed in chain)
        {
            var isInside = layer.StartsWith(placed.Site.Path + ".", StringComparison.Ordinal);
            kept.Add(isInside && placed.Layer is SequenceLayer sequence
                ? sequence with { Layers = Cut(sequence.Inside(placed.Input, placed.Site), layer) }
                : placed.Layer);
            if (isInside || placed.Site.Path == layer)
                break;
        }
        return kept;
    }
}
