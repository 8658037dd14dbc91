namespace MLExtensions.Tests.Images;

/// <summary>The well-known networks by name, as their sources size them.</summary>
internal static class KnownNetworks
{
    public static ImageArchitecture Create(string name) => name switch
    {
        "lenet5" => Cnn(CnnLayers.LeNet5(), new ImageShape(1, 28, 28), 10),
        "mnist" => Cnn(CnnLayers.MnistExample(), new ImageShape(1, 28, 28), 10),
        "tutorial" => Cnn(CnnLayers.Cifar10Tutorial(), new ImageShape(3, 24, 24), 10),
        "alexnet" => Cnn(CnnLayers.AlexNet()),
        "vgg16" => Cnn(CnnLayers.Vgg16()),
        "vgg16_bn" => Cnn(CnnLayers.Vgg16(batchNormalization: true)),
        "vgg19" => Cnn(CnnLayers.Vgg19()),
        "googlenet" => Cnn(CnnLayers.GoogLeNet()),
        "squeezenet1_0" => Cnn(CnnLayers.SqueezeNet()),
        "facenet" => Cnn(CnnLayers.FaceNet(), new ImageShape(3, 220, 220), 128),
        "small facenet" => Small(CnnLayers.FaceNet(smallImages: true)),
        "small alexnet" => Small(CnnLayers.AlexNet(smallImages: true)),
        "small vgg16" => Small(CnnLayers.Vgg16(smallImages: true)),
        "small googlenet" => Small(CnnLayers.GoogLeNet(smallImages: true)),
        "small squeezenet" => Small(CnnLayers.SqueezeNet(smallImages: true)),
        "resnet18" or "resnet34" or "resnet50" or "resnet101" or "resnet152" => ResNet(ResNetForm.ImageNet, int.Parse(name[6..])),
        _ => ResNet(ResNetForm.Cifar, int.Parse(name[6..])),
    };

    public static CnnArchitecture Cnn(IReadOnlyList<ImageLayer> layers, ImageShape? shape = null, int outputs = 1000)
    {
        shape ??= new ImageShape(3, 224, 224);
        return new CnnArchitecture { InputCount = (int)shape.Count, OutputCount = outputs, Image = new ImageInput(shape), Layers = layers };
    }

    public static ResNetArchitecture ResNet(ResNetForm form, int depth)
    {
        var isCifar = form == ResNetForm.Cifar;
        var shape = isCifar ? new ImageShape(3, 32, 32) : new ImageShape(3, 224, 224);
        return new ResNetArchitecture
        {
            InputCount = (int)shape.Count,
            OutputCount = isCifar ? 10 : 1000,
            Image = new ImageInput(shape),
            Form = form,
            Depth = depth,
            BaseChannels = isCifar ? 16 : 64,
            Shortcut = isCifar ? ShortcutKind.Padding : ShortcutKind.Projection,
            Shortcuts = true,
        };
    }

    private static CnnArchitecture Small(IReadOnlyList<ImageLayer> layers) => Cnn(layers, new ImageShape(3, 32, 32), 10);
}
