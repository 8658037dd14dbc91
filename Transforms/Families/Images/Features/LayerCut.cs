using Microsoft.ML.Data;
using MLExtensions.Messages;

namespace MLExtensions.Families.Images;

/// <summary>The part of an image network from the image to one of its layers.</summary>
internal static class LayerCut
{
    private const int Shown = 40;

    /// <summary>The names of the layers at which a network can be cut: those in a chain, but not what is inside a block.</summary>
    public static IEnumerable<string> NamesIn(ImageArchitecture architecture) => architecture.Placed.SelectMany(NamesIn);

    /// <exception cref="ArgumentException">There is no such layer; the message lists the layers and the nearest name.</exception>
    public static void CheckName(ImageArchitecture architecture, string layer, string option)
    {
        var names = NamesIn(architecture).ToArray();
        if (names.Contains(layer))
            return;
        throw new ArgumentException($"{option} is '{layer}', which is no layer that the network can be cut at.{NearestName.Suggest(layer, names)} It has {NameList.Of(names, Shown)}.", option);
    }

    /// <summary>Cuts a network.</summary>
    /// <param name="architecture">The whole network.</param>
    /// <param name="layer">The last layer to keep, one of <see cref="NamesIn(ImageArchitecture)"/>; null for all.</param>
    /// <param name="pool">Whether an output that is an image is averaged over its positions, else flattened.</param>
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

    /// <summary>The type of a cut network's outputs; a flattened image keeps its dimensions in it.</summary>
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
