using MLExtensions.Onnx;
using static TorchSharp.torch;

namespace MLExtensions.Families.Images;

/// <summary>Layers one after the other.</summary>
internal static class LayerChain
{
    /// <summary>The maximum depth of the JSON of a saved model.</summary>
    private const int MaximumNesting = 12;

    /// <summary>Computes the names and shapes of layers.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="input">The input of the first layer.</param>
    /// <param name="site">The site of the containing layer.</param>
    /// <exception cref="FormatException">A layer is invalid, or two have the same name; the message names it.</exception>
    public static IReadOnlyList<PlacedLayer> Place(IReadOnlyList<ImageLayer> layers, LayerShape input, LayerSite site)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var placed = new List<PlacedLayer>();
        for (var i = 0; i < layers.Count; i++)
        {
            placed.Add(Place(layers[i], i, input, site, names));
            input = placed[i].Output;
            site = site with { OwnsInput = layers[i].OutputMayBeOverwritten };
        }
        return placed;
    }

    /// <summary>Computes the names and shapes of parallel layers with the same input.</summary>
    /// <inheritdoc cref="Place(IReadOnlyList{ImageLayer}, LayerShape, LayerSite)"/>
    public static IReadOnlyList<PlacedLayer> PlaceBeside(IReadOnlyList<ImageLayer> layers, LayerShape input, LayerSite site)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        return layers.Select((layer, i) => Place(layer, i, input, site with { OwnsInput = false }, names)).ToArray();
    }

    /// <summary>The layers that a layer is made of, however deep, which contain no others; the layer itself if it is simple.</summary>
    public static IEnumerable<PlacedLayer> LeavesOf(PlacedLayer placed)
    {
        var inside = placed.Layer.Inside(placed.Input, placed.Site).ToArray();
        return inside.Length == 0 ? [placed] : inside.SelectMany(LeavesOf);
    }

    /// <summary>Creates the modules of placed layers and registers them in <paramref name="owner"/> under their names.</summary>
    public static nn.Module<Tensor, Tensor>[] Register(nn.Module owner, IEnumerable<PlacedLayer> placed)
    {
        return placed.Select(Create).ToArray();

        nn.Module<Tensor, Tensor> Create(PlacedLayer entry)
        {
            var module = entry.Layer.CreateModule(entry.Input, entry.Site);
            owner.register_module(entry.Site.Path[(entry.Site.Path.LastIndexOf('.') + 1)..], module);
            return module;
        }
    }

    /// <summary>Runs modules one after the other.</summary>
    public static Tensor Run(nn.Module<Tensor, Tensor>[] modules, Tensor x)
    {
        foreach (var module in modules)
            x = module.call(x);
        return x;
    }

    /// <summary>Writes layers one after the other as ONNX operators.</summary>
    public static string Write(GraphWriter graph, IEnumerable<PlacedLayer> layers, string x) =>
        layers.Aggregate(x, (value, placed) => placed.Layer.Write(graph, value, placed.Input, placed.Site));

    private static PlacedLayer Place(ImageLayer? layer, int position, LayerShape input, LayerSite site, HashSet<string> names)
    {
        if (layer == null)
            throw new FormatException(FormattableString.Invariant($"Layer {position} in '{site.Path}' is null."));
        var name = NameOf(layer, position);
        var child = site.Child(name);
        if (child.Depth > MaximumNesting)
            throw child.Wrong(layer, FormattableString.Invariant($"it is nested {child.Depth} deep; layers may be nested at most {MaximumNesting} deep."));
        if (!names.Add(name))
            throw child.Wrong(layer, "a sibling layer has the same name.");
        var output = layer.OutputShape(input, child);
        if (output.Count is < 1 or > int.MaxValue)
            throw child.Wrong(layer, FormattableString.Invariant($"its output would be {output}; a layer must give at least 1 and at most {int.MaxValue} values for an image."));
        return new PlacedLayer(layer, input, output, child);
    }

    private static string NameOf(ImageLayer layer, int position)
    {
        if (layer.Name is { } name && (name.Length == 0 || name.Contains('.')))
            throw new FormatException(FormattableString.Invariant($"The name of layer {position} is '{name}'; it must not be empty or contain a dot."));
        return layer.Name ?? position.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
