using System.Globalization;
using MLExtensions.Families.Images;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>A network for images without what it is for: the number of its outputs comes from the training that uses it.</summary>
public abstract record ImageTrunk
{
    private protected ImageTrunk()
    {
    }

    /// <summary>A convolutional network of layers, as those of <see cref="CnnLayers"/>.</summary>
    /// <param name="layers">
    /// The layers, from the image to the outputs; the last <see cref="DenseLayer"/> or <see cref="ConvolutionLayer"/> has no number of outputs.
    /// </param>
    public static ImageTrunk Cnn(params IReadOnlyList<ImageLayer> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        return new CnnTrunk(layers.ToArray());
    }

    /// <summary>A residual network.</summary>
    /// <param name="depth">The number of layers with weights, as <see cref="ResNetOptions.Depth"/>. Default 20.</param>
    /// <param name="form">For small or for large images. Default <see cref="ResNetForm.Cifar"/>.</param>
    /// <param name="baseChannels">The channels of the first stage. Default null: 16 or 64, as <see cref="ResNetOptions.BaseChannels"/>.</param>
    /// <param name="shortcut">The shortcuts. Default null: as <see cref="ResNetOptions.Shortcut"/>.</param>
    public static ImageTrunk ResNet(int depth = 20, ResNetForm form = ResNetForm.Cifar, int? baseChannels = null, ShortcutKind? shortcut = null) =>
        new ResNetTrunk(depth, form, baseChannels, shortcut, Shortcuts: true);

    /// <summary>Checks what does not depend on the images.</summary>
    /// <param name="prefix">What comes before the names of settings in messages.</param>
    /// <exception cref="ArgumentException">A setting is out of range; the message names it.</exception>
    internal abstract void Check(string prefix);

    /// <summary>The network for images and outputs; it is not checked.</summary>
    internal abstract ImageArchitecture CreateArchitecture(ImageInput input, int outputCount);

    /// <summary>What determines the size of the network, as text.</summary>
    internal abstract string Describe(ImageArchitecture architecture);
}

/// <summary>A convolutional network.</summary>
internal sealed record CnnTrunk(IReadOnlyList<ImageLayer> Layers) : ImageTrunk
{
    private const int MaximumLayers = 10_000;

    public static string Describe(IReadOnlyList<ImageLayer> layers, ImageArchitecture architecture) =>
        FormattableString.Invariant($"{layers.Count} layers, of which {ImageSettings.Largest(architecture)}");

    public static void Check(IReadOnlyList<ImageLayer> layers, string name)
    {
        OptionCheck.NotNull(layers, name);
        OptionCheck.Require(layers.Count > 0, "empty", name, "at least one layer");
        OptionCheck.Count(layers.Count, MaximumLayers, $"{name}.{nameof(layers.Count)}");
        for (var i = 0; i < layers.Count; i++)
            OptionCheck.NotNull(layers[i], FormattableString.Invariant($"{name}[{i}]"));
    }

    public bool Equals(CnnTrunk? other) => other != null && Layers.SequenceEqual(other.Layers);

    public override int GetHashCode() => Layers.Count;

    internal override void Check(string prefix) => Check(Layers, prefix + nameof(Layers));

    internal override ImageArchitecture CreateArchitecture(ImageInput input, int outputCount) => new CnnArchitecture
    {
        InputCount = checked((int)input.Shape.Count),
        OutputCount = outputCount,
        Image = input,
        Layers = Layers,
    };

    internal override string Describe(ImageArchitecture architecture) => Describe(Layers, architecture);
}

/// <summary>A residual network.</summary>
internal sealed record ResNetTrunk(int Depth, ResNetForm Form, int? BaseChannels, ShortcutKind? Shortcut, bool Shortcuts) : ImageTrunk
{
    private const int CifarBaseChannels = 16;
    private const int ImageNetBaseChannels = 64;

    internal override void Check(string prefix)
    {
        OptionCheck.Defined(Form, prefix + nameof(Form));
        OptionCheck.Require(ResNetLayers.IsDepth(Form, Depth), Depth, prefix + nameof(Depth), ResNetLayers.Depths(Form));
        OptionCheck.Between(BaseChannels ?? 1, 1, ResNetLayers.MaximumBaseChannels, prefix + nameof(BaseChannels));
        OptionCheck.Defined(Shortcut ?? default, prefix + nameof(Shortcut));
    }

    internal override ImageArchitecture CreateArchitecture(ImageInput input, int outputCount) => new ResNetArchitecture
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

    internal override string Describe(ImageArchitecture architecture) =>
        string.Create(CultureInfo.InvariantCulture, $"ResNet of depth {Depth} with {nameof(BaseChannels)} {BaseChannels?.ToString(CultureInfo.InvariantCulture) ?? "null"}");
}
