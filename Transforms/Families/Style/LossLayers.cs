using System.Globalization;
using MLExtensions.Families.Images;
using MLExtensions.Messages;

namespace MLExtensions.Families.Style;

/// <summary>A layer of an image network whose output can be compared.</summary>
/// <param name="Path">Its full name, such as <c>features.3</c>.</param>
/// <param name="Alias">Its name in papers, such as <c>relu1_1</c>; null if it has none.</param>
/// <param name="Placed">The layer.</param>
internal sealed record LossLayer(string Path, string? Alias, PlacedLayer Placed)
{
    /// <summary>Whether the next layer may work in place, so that the output has to be copied to be kept.</summary>
    public bool MayBeOverwritten => Placed.Layer.OutputMayBeOverwritten;

    public bool Is(string name) => name == Path || string.Equals(name, Alias, StringComparison.OrdinalIgnoreCase);

    public override string ToString() => Alias == null ? Path : $"{Path} ({Alias})";
}

/// <summary>The layers of an image network in order, as far as their outputs are images.</summary>
/// <remarks>
/// Numbered layers have a second name, which counts the blocks between poolings, from 1: <c>conv1_1</c>, <c>relu1_1</c>, <c>pool1</c> as in
/// Simonyan and Zisserman's networks; <c>fire2</c> and so on as in Iandola et al.
/// </remarks>
internal static class LossLayers
{
    private const int Shown = 60;

    // Gatys et al. for VGG. For SqueezeNet, the outputs of the fire modules before and after its second pooling.
    private static readonly (string[] Style, string[] Content)[] Usual =
    [
        (["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"], ["relu4_2"]),
        (["relu1_1", "fire3", "fire4", "fire5"], ["fire4"]),
    ];

    public static IReadOnlyList<LossLayer> Of(ImageArchitecture architecture)
    {
        var names = new LayerNames();
        return architecture.Placed.SelectMany(Chain).TakeWhile(placed => !placed.Output.IsVector)
            .Select(placed => new LossLayer(placed.Site.Path, names.Next(placed.Layer), placed)).ToArray();
    }

    /// <summary>The usual layers of a network; null if it is not known.</summary>
    public static (string[] Style, string[] Content)? UsualOf(IReadOnlyList<LossLayer> layers)
    {
        foreach (var usual in Usual)
        {
            if (usual.Style.Concat(usual.Content).All(name => layers.Any(layer => layer.Is(name))))
                return usual;
        }
        return null;
    }

    /// <summary>Finds a layer by one of its names.</summary>
    /// <exception cref="ArgumentException">There is none; the message names the nearest one and lists all.</exception>
    private static LossLayer Find(IReadOnlyList<LossLayer> layers, string name, string option) =>
        layers.FirstOrDefault(layer => layer.Is(name)) ?? throw new ArgumentException(
            $"{option} contains '{name}', but the network has no such layer with an image as its output.{NearestName.Suggest(name, layers.SelectMany(layer => new[] { layer.Path, layer.Alias }).OfType<string>())} It has {NameList.Of(layers.Select(layer => layer.ToString()).ToArray(), Shown)}.", option);

    /// <summary>The full names of the layers that a user names, or of the usual ones.</summary>
    /// <exception cref="ArgumentException">A layer does not exist, or layers must be named; the message says which there are.</exception>
    public static string[] Choose(IReadOnlyList<LossLayer> layers, IReadOnlyList<string>? names, string[]? usual, string option)
    {
        if ((names ?? usual) is not { } chosen)
            throw new ArgumentException($"{option} is null, but this network has no usual layers for it. Name some of {NameList.Of(layers.Select(layer => layer.ToString()).ToArray(), Shown)}.", option);
        if (chosen.Count == 0 || chosen.Any(string.IsNullOrWhiteSpace))
            throw new ArgumentException($"{option} is empty or has an empty name; it must name at least one layer.", option);
        var paths = chosen.Select(name => Find(layers, name, option).Path).ToArray();
        var twice = paths.GroupBy(path => path).FirstOrDefault(group => group.Count() > 1);
        return twice == null ? paths : throw new ArgumentException($"{option} names layer '{twice.Key}' twice.", option);
    }

    /// <summary>The layers that follow one another, without the sequences that hold them.</summary>
    public static IEnumerable<PlacedLayer> Chain(PlacedLayer placed) =>
        placed.Layer is SequenceLayer ? placed.Layer.Inside(placed.Input, placed.Site).SelectMany(Chain) : [placed];

    /// <summary>Counts blocks and the layers in them.</summary>
    private sealed class LayerNames
    {
        private int _block = 1;
        private int _convolution;
        private int _fire = 1;

        public string? Next(ImageLayer layer)
        {
            if (layer is ConvolutionLayer)
                _convolution++;
            var name = layer switch
            {
                ConvolutionLayer => Numbered("conv"),
                BatchNormalizationLayer => Numbered("bn"),
                ActivationLayer => Numbered("relu"),
                WindowPoolingLayer => string.Create(CultureInfo.InvariantCulture, $"pool{_block}"),
                FireLayer => string.Create(CultureInfo.InvariantCulture, $"fire{++_fire}"),
                _ => null,
            };
            if (layer is WindowPoolingLayer)
                (_block, _convolution) = (_block + 1, 0);
            return layer.Name == null ? name : null;
        }

        private string Numbered(string kind) => string.Create(CultureInfo.InvariantCulture, $"{kind}{_block}_{_convolution}");
    }
}
