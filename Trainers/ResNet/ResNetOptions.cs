using MLExtensions.Networks.ResNet;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>What can be set on a residual network, whatever the task.</summary>
public abstract class ResNetOptions : ImageOptions
{
    private const int CifarBaseChannels = 16;
    private const int ImageNetBaseChannels = 64;

    private protected ResNetOptions()
    {
    }

    /// <summary>The form: for small images, or for large ones. Default <see cref="ResNetForm.Cifar"/>.</summary>
    public ResNetForm Form { get; set; }

    /// <summary>The number of layers with weights: 6n + 2 in the CIFAR form; 18, 34, 50, 101 or 152 in the ImageNet form. Default 20.</summary>
    public int Depth { get; set; } = 20;

    /// <summary>The channels of the first stage; each further stage has twice as many. Default null: 16 in the CIFAR form, 64 in the ImageNet form.</summary>
    public int? BaseChannels { get; set; }

    /// <summary>The shortcuts where the shape changes. Default null: padding (option A) in the CIFAR form, projection (option B) in the ImageNet form.</summary>
    public ShortcutKind? Shortcut { get; set; }

    /// <summary>Whether there are shortcuts; false trains the plain network of the same depth. Default true.</summary>
    public bool Shortcuts { get; set; } = true;

    internal override void Check()
    {
        base.Check();
        OptionCheck.Defined(Form, nameof(Form));
        OptionCheck.Require(ResNetLayers.IsDepth(Form, Depth), Depth, nameof(Depth), ResNetLayers.Depths(Form));
        OptionCheck.Between(BaseChannels ?? 1, 1, ResNetLayers.MaximumBaseChannels, nameof(BaseChannels));
        OptionCheck.Defined(Shortcut ?? default, nameof(Shortcut));
    }

    private protected override ImageArchitecture CreateArchitecture(ImageInput input, int outputCount) => new ResNetArchitecture
    {
        InputCount = checked((int)input.Shape.Count),
        OutputCount = outputCount,
        Image = input,
        Form = Form,
        Depth = Depth,
        BaseChannels = BaseChannels ?? (Form == ResNetForm.Cifar ? CifarBaseChannels : ImageNetBaseChannels),
        Shortcut = Shortcut ?? (Form == ResNetForm.Cifar ? ShortcutKind.Padding : ShortcutKind.Projection),
        Shortcuts = Shortcuts,
    };
}
