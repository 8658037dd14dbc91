using System.Text.Json.Serialization;
using MLExtensions.Families.Images;

namespace MLExtensions;

/// <summary>The shortcut of a residual block whose number of channels changes. He, Zhang, Ren and Sun, 2016.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ShortcutKind>))]
public enum ShortcutKind
{
    /// <summary>Option A: every other pixel, padded with channels of zeros; no parameters.</summary>
    Padding,

    /// <summary>Option B: a 1x1 convolution with batch normalization.</summary>
    Projection,
}

/// <summary>The two forms of residual networks in the paper.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ResNetForm>))]
public enum ResNetForm
{
    /// <summary>For small images: three stages of 16, 32 and 64 channels, 6n + 2 layers (20, 32, 44, 56, 110, ...).</summary>
    Cifar,

    /// <summary>
    /// For large images: a 7x7 convolution and pooling, then four stages starting with 64 channels; 18, 34, 50, 101 or 152 layers, with
    /// torchvision's parameter names.
    /// </summary>
    ImageNet,
}

/// <summary>A residual network. He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2016).</summary>
public sealed record ResNetArchitecture : ImageArchitecture
{
    internal const string FamilyName = "resnet";

    /// <summary>The form of the network.</summary>
    public required ResNetForm Form { get; init; }

    /// <summary>The number of layers with weights: 6n + 2 in the CIFAR form; 18, 34, 50, 101 or 152 in the ImageNet form.</summary>
    public required int Depth { get; init; }

    /// <summary>
    /// The number of channels of the first stage; it doubles with each further stage. Default 16 in the CIFAR form, 64
    /// in the ImageNet form.
    /// </summary>
    public required int BaseChannels { get; init; }

    /// <summary>The kind of shortcut at shape changes.</summary>
    public required ShortcutKind Shortcut { get; init; }

    /// <summary>Whether there are shortcuts; false gives the plain network of the same depth.</summary>
    public required bool Shortcuts { get; init; }

    internal override IReadOnlyList<ImageLayer> CreateLayers() => ResNetLayers.Create(this);

    internal override void Check()
    {
        if (!Enum.IsDefined(Form))
            throw new FormatException($"form is {Form}; it must be one of {string.Join(", ", Enum.GetNames<ResNetForm>())}.");
        if (!Enum.IsDefined(Shortcut))
            throw new FormatException($"shortcut is {Shortcut}; it must be one of {string.Join(", ", Enum.GetNames<ShortcutKind>())}.");
        if (BaseChannels is < 1 or > ResNetLayers.MaximumBaseChannels)
            throw new FormatException(FormattableString.Invariant($"baseChannels is {BaseChannels}; it must be from 1 to {ResNetLayers.MaximumBaseChannels}."));
        if (!ResNetLayers.IsDepth(Form, Depth))
            throw new FormatException(FormattableString.Invariant($"depth is {Depth}; it must be {ResNetLayers.Depths(Form)}."));
        base.Check();
    }
}
