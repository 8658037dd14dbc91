namespace MLExtensions.Tests.Images;

/// <summary>The forms of the networks that can be had ready-made, for small images.</summary>
internal static class Presets
{
    public static IReadOnlyDictionary<string, CnnPreset> Cnn { get; } = new Dictionary<string, CnnPreset>
    {
        ["default"] = new(CnnLayers.Default(), 3, 4),
        ["MNIST example"] = new(CnnLayers.MnistExample(), 1, 6),
        ["LeNet-5"] = new(CnnLayers.LeNet5(), 1, 28),
        ["LeNet-5 without padding"] = new(CnnLayers.LeNet5(padding: 0), 1, 32),
        ["CIFAR-10 tutorial"] = new(CnnLayers.Cifar10Tutorial(), 3, 6),
        ["AlexNet"] = new(CnnLayers.AlexNet(smallImages: true), 3, 8),
        ["VGG-16"] = new(CnnLayers.Vgg16(smallImages: true), 3, 32),
        ["VGG-19 normalized"] = new(CnnLayers.Vgg19(smallImages: true, batchNormalization: true), 3, 32),
        ["GoogLeNet"] = new(CnnLayers.GoogLeNet(smallImages: true), 3, 4),
        ["FaceNet"] = new(CnnLayers.FaceNet(smallImages: true), 3, 16),
        ["SqueezeNet"] = new(CnnLayers.SqueezeNet(smallImages: true), 3, 5),
    };

    /// <summary>Residual networks take images of any size.</summary>
    public static IReadOnlyDictionary<string, Func<ResNetMulticlassTrainer.Options>> ResNet { get; } = new Dictionary<string, Func<ResNetMulticlassTrainer.Options>>
    {
        ["ResNet-20"] = () => new(),
        ["ResNet-20 with projections"] = () => new() { Shortcut = ShortcutKind.Projection },
        ["plain 20 layers"] = () => new() { Shortcuts = false },
        ["ResNet-18"] = () => new() { Form = ResNetForm.ImageNet, Depth = 18, BaseChannels = 8 },
        ["ResNet-50"] = () => new() { Form = ResNetForm.ImageNet, Depth = 50, BaseChannels = 8 },
        ["ResNet-34 with padding"] = () => new() { Form = ResNetForm.ImageNet, Depth = 34, BaseChannels = 4, Shortcut = ShortcutKind.Padding },
    };
}

/// <param name="Layers">The layers.</param>
/// <param name="Channels">The channels of the images that it is meant for.</param>
/// <param name="SmallestSide">The side of the smallest square images that it takes.</param>
internal sealed record CnnPreset(IReadOnlyList<ImageLayer> Layers, int Channels, int SmallestSide);
