using MLExtensions.Messages;
using System.Globalization;

namespace MLExtensions.Families.Images;

/// <summary>The layers of residual networks, with torchvision's names.</summary>
internal static class ResNetLayers
{
    public const int MaximumBaseChannels = 4096;
    private const int MaximumCifarDepth = 6 * 1000 + 2;
    private const int BottleneckExpansion = 4;

    private static readonly Dictionary<int, int[]> ImageNetBlocks = new()
    {
        [18] = [2, 2, 2, 2],
        [34] = [3, 4, 6, 3],
        [50] = [3, 4, 6, 3],
        [101] = [3, 4, 23, 3],
        [152] = [3, 8, 36, 3],
    };

    public static bool IsDepth(ResNetForm form, int depth) => form == ResNetForm.ImageNet
        ? ImageNetBlocks.ContainsKey(depth)
        : depth is >= 8 and <= MaximumCifarDepth && (depth - 2) % 6 == 0;

    public static string Depths(ResNetForm form) => form == ResNetForm.ImageNet
        ? FormattableString.Invariant($"one of {NumberList.Of(ImageNetBlocks.Keys)} in the ImageNet form")
        : FormattableString.Invariant($"6n + 2 (8, 14, 20, 32, 44, 56, 110, ...) and at most {MaximumCifarDepth} in the CIFAR form");

    public static IReadOnlyList<ImageLayer> Create(ResNetArchitecture architecture) =>
        architecture.Form == ResNetForm.ImageNet ? CreateImageNet(architecture) : CreateCifar(architecture);

    private static List<ImageLayer> CreateCifar(ResNetArchitecture architecture)
    {
        var blocks = (architecture.Depth - 2) / 6;
        var layers = new List<ImageLayer>
        {
            new ConvolutionLayer(architecture.BaseChannels, 3) { Name = "conv1", Padding = 1, Bias = false },
            new BatchNormalizationLayer { Name = "bn1" },
            new ActivationLayer { Name = "relu" },
        };
        layers.AddRange(Stages(architecture, [blocks, blocks, blocks], bottleneck: false));
        layers.Add(new GlobalAveragePoolingLayer { Name = "avgpool" });
        layers.Add(new DenseLayer { Name = "linear" });
        return layers;
    }

    private static List<ImageLayer> CreateImageNet(ResNetArchitecture architecture)
    {
        var layers = new List<ImageLayer>
        {
            new ConvolutionLayer(architecture.BaseChannels, 7) { Name = "conv1", Stride = 2, Padding = 3, Bias = false },
            new BatchNormalizationLayer { Name = "bn1" },
            new ActivationLayer { Name = "relu" },
            new MaxPoolingLayer(3) { Name = "maxpool", Stride = 2, Padding = 1 },
        };
        layers.AddRange(Stages(architecture, ImageNetBlocks[architecture.Depth], bottleneck: architecture.Depth >= 50));
        layers.Add(new GlobalAveragePoolingLayer { Name = "avgpool" });
        layers.Add(new DenseLayer { Name = "fc" });
        return layers;
    }

    private static IEnumerable<ImageLayer> Stages(ResNetArchitecture architecture, int[] blockCounts, bool bottleneck)
    {
        var channels = architecture.BaseChannels;
        for (var stage = 0; stage < blockCounts.Length; stage++)
        {
            var width = architecture.BaseChannels << stage;
            var blocks = new List<ImageLayer>();
            for (var block = 0; block < blockCounts[stage]; block++)
            {
                var stride = stage > 0 && block == 0 ? 2 : 1;
                var output = bottleneck ? width * BottleneckExpansion : width;
                blocks.Add(new ResidualLayer(bottleneck ? Bottleneck(width, stride) : Basic(width, stride))
                {
                    Shortcut = stride == 1 && channels == output ? null : CreateShortcut(architecture.Shortcut, output, stride),
                    HasShortcut = architecture.Shortcuts,
                });
                channels = output;
            }
            yield return new SequenceLayer(blocks) { Name = "layer" + (stage + 1).ToString(CultureInfo.InvariantCulture) };
        }
    }

    /// <summary>Two 3x3 convolutions.</summary>
    private static List<ImageLayer> Basic(int width, int stride) =>
    [
        .. Convolution(1, width, 3, stride, padding: 1),
        new ActivationLayer { Name = "relu" },
        .. Convolution(2, width, 3, 1, padding: 1),
    ];

    /// <summary>1x1, 3x3, 1x1; the stride is in the middle convolution, as in torchvision.</summary>
    private static List<ImageLayer> Bottleneck(int width, int stride) =>
    [
        .. Convolution(1, width, 1, 1, padding: 0),
        new ActivationLayer { Name = "relu" },
        .. Convolution(2, width, 3, stride, padding: 1),
        new ActivationLayer { Name = "relu2" },
        .. Convolution(3, width * BottleneckExpansion, 1, 1, padding: 0),
    ];

    private static ImageLayer[] Convolution(int number, int filters, int kernelSize, int stride, int padding) =>
    [
        new ConvolutionLayer(filters, kernelSize) { Name = FormattableString.Invariant($"conv{number}"), Stride = stride, Padding = padding, Bias = false },
        new BatchNormalizationLayer { Name = FormattableString.Invariant($"bn{number}") },
    ];

    private static ImageLayer CreateShortcut(ShortcutKind kind, int channels, int stride) => kind == ShortcutKind.Padding
        ? new PaddedShortcutLayer(channels, stride)
        : new SequenceLayer([new ConvolutionLayer(channels, 1) { Stride = stride, Bias = false }, new BatchNormalizationLayer()]);
}
