using MLExtensions.Persistence;

namespace MLExtensions.Features;

/// <summary>A well-known network that a file of weights can be of.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="UsualImage">The images that it was made for.</param>
/// <param name="Create">Builds it for images and a number of outputs.</param>
internal sealed record KnownNetwork(string Name, ImageShape UsualImage, Func<ImageInput, int, ImageArchitecture> Create)
{
    private static readonly ImageShape Large = new(3, 224, 224);
    private static readonly ImageShape Small = new(3, 32, 32);

    /// <summary>How the network's pixels are scaled where nothing else is said.</summary>
    public PixelScaling Scaling { get; init; } = PixelScaling.ImageNet;

    /// <summary>The networks that a file may be of. Where sizes vary, they are those that the file shows.</summary>
    public static IEnumerable<KnownNetwork> Candidates(WeightFile file)
    {
        foreach (var small in new[] { false, true })
        {
            yield return OfLayers("AlexNet", () => CnnLayers.AlexNet(small), small);
            yield return OfLayers("VGG-16", () => CnnLayers.Vgg16(small), small);
            yield return OfLayers("VGG-16 with batch normalisation", () => CnnLayers.Vgg16(small, batchNormalization: true), small);
            yield return OfLayers("VGG-19", () => CnnLayers.Vgg19(small), small);
            yield return OfLayers("VGG-19 with batch normalisation", () => CnnLayers.Vgg19(small, batchNormalization: true), small);
            // torchvision's scales its input once more, from ImageNet's mean and deviation to these.
            yield return OfLayers("GoogLeNet", () => CnnLayers.GoogLeNet(small), small) with { Scaling = PixelScaling.ToUnit with { Mean = [0.5], StandardDeviation = [0.5] } };
            yield return OfLayers("SqueezeNet 1.0", () => CnnLayers.SqueezeNet(small), small);
        }
        var channels = WeightSizes.OutputsOf(file, "conv1") ?? 64;
        foreach (var depth in new[] { 18, 34, 50, 101, 152 })
            yield return ResNet($"ResNet-{depth}", Large, ResNetForm.ImageNet, depth, channels, ShortcutKind.Projection);
        var blocks = file.Tensors.Count(tensor => tensor.Name.StartsWith("layer1.", StringComparison.Ordinal) && tensor.Name.EndsWith(".conv1.weight", StringComparison.Ordinal));
        if (blocks == 0)
            yield break;
        var shortcut = file.Tensors.Any(tensor => tensor.Name.Contains(".downsample.", StringComparison.Ordinal)) ? ShortcutKind.Projection : ShortcutKind.Padding;
        yield return ResNet($"ResNet-{(6 * blocks) + 2} of the CIFAR form", Small, ResNetForm.Cifar, (6 * blocks) + 2, channels, shortcut);
    }

    private static KnownNetwork OfLayers(string name, Func<IReadOnlyList<NetworkLayer>> layers, bool small) =>
        new(small ? name + " for small images" : name, small ? Small : Large, (input, outputs) => new CnnArchitecture
        {
            InputCount = checked((int)input.Shape.Count),
            OutputCount = outputs,
            Image = input,
            Layers = layers(),
        });

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
