using MLExtensions.Messages;
using MLExtensions.Persistence;

namespace MLExtensions.Families.Images;

/// <summary>A well-known network whose layer names and sizes match those in a file.</summary>
/// <param name="Network">The network.</param>
/// <param name="OutputCount">The number of outputs in the file.</param>
internal sealed record RecognizedNetwork(KnownNetwork Network, int OutputCount)
{
    // GoogLeNet's auxiliary classifiers are only used in its training.
    private static readonly string[] TrainingOnly = ["aux1.", "aux2."];

    /// <summary>The network with its usual images.</summary>
    public ImageArchitecture UsualArchitecture => Network.Create(new ImageInput(Network.UsualImage) { Scaling = Network.Scaling }, OutputCount);

    /// <exception cref="ArgumentException">The network in the file is unknown; the message names the nearest known one.</exception>
    public static RecognizedNetwork Of(WeightFile file, string option)
    {
        var sizes = WeightSizes.Of(file).Where(layer => !Array.Exists(TrainingOnly, layer.Key.StartsWith)).ToDictionary(StringComparer.Ordinal);
        var nearest = KnownNetwork.Candidates(file).Select(network => Misfit.Of(network, file, sizes)).MinBy(misfit => misfit.Count)!;
        if (nearest.Count == 0)
            return nearest.Candidate;
        throw new ArgumentException(
            $"{option} '{file.Path}' does not match any known network. The nearest is {nearest.Candidate.Network.Name}; {nearest}. For another network, set Architecture.", option);
    }

    /// <summary>The differences between a candidate and a file.</summary>
    private sealed record Misfit(RecognizedNetwork Candidate, string[] Missing, string[] Unexpected, string[] OtherSize)
    {
        public int Count => Missing.Length + Unexpected.Length + OtherSize.Length;

        public static Misfit Of(KnownNetwork network, WeightFile file, Dictionary<string, long> found)
        {
            var draft = new RecognizedNetwork(network, 1);
            var candidate = draft with { OutputCount = WeightSizes.OutputsOf(file, draft.UsualArchitecture.OutputLayer) ?? 1 };
            var expected = WeightSizes.Of(candidate.UsualArchitecture);
            return new Misfit(
                candidate,
                expected.Keys.Where(layer => !found.ContainsKey(layer)).ToArray(),
                found.Keys.Where(layer => !expected.ContainsKey(layer)).ToArray(),
                expected.Where(layer => found.TryGetValue(layer.Key, out var size) && size != layer.Value).Select(layer => layer.Key).ToArray());
        }

        public override string ToString() =>
            $"layers missing in the file: {NameList.Of(Missing)}; unexpected: {NameList.Of(Unexpected)}; of another size: {NameList.Of(OtherSize)}";
    }
}

/// <summary>A well-known network that a weights file may belong to.</summary>
/// <param name="Name">Its name.</param>
/// <param name="UsualImage">The images that it was designed for.</param>
/// <param name="Create">Creates it for images and a number of outputs.</param>
internal sealed record KnownNetwork(string Name, ImageShape UsualImage, Func<ImageInput, int, ImageArchitecture> Create)
{
    private static readonly ImageShape Large = new(3, 224, 224);
    private static readonly ImageShape Small = new(3, 32, 32);

    /// <summary>The default pixel scaling of the network.</summary>
    public PixelScaling Scaling { get; init; } = PixelScaling.ImageNet;

    /// <summary>The networks that a file may belong to. Variable sizes are taken from the file.</summary>
    public static IEnumerable<KnownNetwork> Candidates(WeightFile file)
    {
        foreach (var small in new[] { false, true })
        {
            yield return OfLayers("AlexNet", () => CnnLayers.AlexNet(small), small);
            yield return OfLayers("VGG-16", () => CnnLayers.Vgg16(small), small);
            yield return OfLayers("VGG-16 with batch normalization", () => CnnLayers.Vgg16(small, batchNormalization: true), small);
            yield return OfLayers("VGG-19", () => CnnLayers.Vgg19(small), small);
            yield return OfLayers("VGG-19 with batch normalization", () => CnnLayers.Vgg19(small, batchNormalization: true), small);
            // torchvision's network scales its input again, from ImageNet's mean and deviation to these.
            yield return OfLayers("GoogLeNet", () => CnnLayers.GoogLeNet(small), small) with { Scaling = PixelScaling.ToUnit with { Mean = [0.5], StandardDeviation = [0.5] } };
            yield return OfLayers("SqueezeNet 1.0", () => CnnLayers.SqueezeNet(small), small);
        }
        var filters = WeightSizes.OutputsOf(file, DlibFaceLayers.FirstLayer) ?? DlibFaceLayers.UsualFilters;
        yield return new(DlibFaceLayers.Network, new ImageShape(DlibFaceLayers.Channels, DlibFaceLayers.Side, DlibFaceLayers.Side), (input, outputs) => CreateCnn(input, outputs, DlibFaceLayers.Create(filters))) { Scaling = DlibFaceLayers.Scaling };
        var channels = WeightSizes.OutputsOf(file, "conv1") ?? 64;
        foreach (var depth in new[] { 18, 34, 50, 101, 152 })
            yield return ResNet(FormattableString.Invariant($"ResNet-{depth}"), Large, ResNetForm.ImageNet, depth, channels, ShortcutKind.Projection);
        var blocks = file.Tensors.Count(tensor => tensor.Name.StartsWith("layer1.", StringComparison.Ordinal) && tensor.Name.EndsWith(".conv1.weight", StringComparison.Ordinal));
        if (blocks == 0)
            yield break;
        var shortcut = file.Tensors.Any(tensor => tensor.Name.Contains(".downsample.", StringComparison.Ordinal)) ? ShortcutKind.Projection : ShortcutKind.Padding;
        yield return ResNet(FormattableString.Invariant($"ResNet-{(6 * blocks) + 2} of the CIFAR form"), Small, ResNetForm.Cifar, (6 * blocks) + 2, channels, shortcut);
    }

    private static KnownNetwork OfLayers(string name, Func<IReadOnlyList<ImageLayer>> layers, bool small) =>
        new(small ? name + " for small images" : name, small ? Small : Large, (input, outputs) => CreateCnn(input, outputs, layers()));

    private static CnnArchitecture CreateCnn(ImageInput input, int outputs, IReadOnlyList<ImageLayer> layers) => new()
    {
        InputCount = checked((int)input.Shape.Count),
        OutputCount = outputs,
        Image = input,
        Layers = layers,
    };

    private static KnownNetwork ResNet(string name, ImageShape image, ResNetForm form, int depth, int channels, ShortcutKind shortcut) =>
        new(name, image, (input, outputs) => new ResNetArchitecture
        {
            InputCount = checked((int)input.Shape.Count),
            OutputCount = outputs,
            Image = input,
            Form = form,
            Depth = depth,
            BaseChannels = channels,
            Shortcut = shortcut,
            Shortcuts = true,
        });
}

/// <summary>The number of weights and biases of each layer, by layer name. Networks are recognized by it.</summary>
internal static class WeightSizes
{
    private static readonly string[] Statistics = ["running_mean", "running_var", "num_batches_tracked"];

    public static Dictionary<string, long> Of(WeightFile file)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var tensor in file.Tensors)
        {
            var dot = Math.Max(0, tensor.Name.LastIndexOf('.'));
            if (Statistics.Contains(tensor.Name[dot..].TrimStart('.')))
                continue;
            var layer = tensor.Name[..dot];
            sizes[layer] = sizes.GetValueOrDefault(layer) + tensor.Shape.Aggregate(1L, (product, size) => product * size);
        }
        return sizes;
    }

    public static Dictionary<string, long> Of(ImageArchitecture architecture) => architecture.Leaves
        .Select(placed => (placed.Site.Path, Count: placed.Layer.ParameterCount(placed.Input, placed.Site)))
        .Where(layer => layer.Count > 0)
        .ToDictionary(layer => layer.Path, layer => layer.Count, StringComparer.Ordinal);

    /// <summary>The first dimension of a layer's weights in a file; null if the file has no such layer.</summary>
    public static int? OutputsOf(WeightFile file, string layer) =>
        file.Tensors.FirstOrDefault(tensor => tensor.Name == layer + ".weight") is { Shape: [> 0 and <= int.MaxValue, ..] } weight ? (int)weight.Shape[0] : null;
}
