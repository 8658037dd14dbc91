using System.Globalization;
using MLExtensions.Engine;
using MLExtensions.Families.Images;
using MLExtensions.Persistence;
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

    /// <summary>
    /// NN1 of FaceNet, the layers of <see cref="CnnLayers.FaceNet"/>: 140,025,664 weights for an embedding of 128 values. Images of another
    /// size are refused.
    /// </summary>
    /// <param name="smallImages">
    /// False for images of 220 x 220 pixels, or 193 to 224, which give the same network; true for small ones, about 32 x 32 to 64 x 64.
    /// </param>
    public static ImageTrunk FaceNet(bool smallImages = false) => new FaceNetTrunk(smallImages);

    /// <summary>
    /// dlib's network for faces with its trained weights: 29 convolutions, an embedding of 128 values, for color images of 150 x 150 pixels
    /// from 0 to 255. King, 2017.
    /// </summary>
    /// <remarks>
    /// <see cref="TrainingOptions.Epochs"/> = 0 takes it as it is; more epochs go on training it. <see cref="DataTrainingOptions.FrozenLayers"/> =
    /// <c>["features"]</c> trains its last layer only. With another <see cref="EmbeddingOptions.EmbeddingSize"/> than 128 the last layer starts
    /// randomly. An <see cref="TrainingOptions.InitialModel"/> or <see cref="DataTrainingOptions.InitialWeightsPath"/> replaces the weights. The
    /// pixels are scaled as dlib does it, unless <see cref="ImageEmbeddingEstimator.Options.PixelScaling"/> is set.
    /// </remarks>
    /// <param name="weightsPath">
    /// The path of the weights: the manifest of face-api.js (<c>face_recognition_model-weights_manifest.json</c>, with its files beside it), or
    /// a safetensors file that <see cref="NetworkModelParameters.SaveWeights"/> wrote.
    /// </param>
    public static ImageTrunk DlibFace(string weightsPath) => new DlibFaceTrunk(weightsPath);

    /// <summary>How pixels are scaled if the options do not say so; null if that does not depend on the network.</summary>
    internal virtual PixelScaling? Scaling => null;

    /// <summary>The file of the weights that it starts from, and its name in messages; null if there is none.</summary>
    internal virtual (string Name, string Path)? WeightsFile => null;

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

/// <summary>FaceNet's NN1.</summary>
internal sealed record FaceNetTrunk(bool SmallImages) : ImageTrunk
{
    // The dense layers see 7 x 7 positions, a 32nd of the image.
    private const int Reduction = 32;
    private const int Positions = 7;
    private const int UsualSide = 220;

    private CnnTrunk Layers => new(CnnLayers.FaceNet(SmallImages));

    internal override void Check(string prefix)
    {
    }

    internal override ImageArchitecture CreateArchitecture(ImageInput input, int outputCount)
    {
        var shape = input.NetworkShape;
        if (!SmallImages && (!Fits(shape.Height) || !Fits(shape.Width)))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(ImageTrunk)}.{nameof(FaceNet)} is for images of {UsualSide} x {UsualSide} pixels, with sides from {((Positions - 1) * Reduction) + 1} to {Positions * Reduction}; these are {shape.Height} x {shape.Width} (height x width). Add ResizeImages or set {nameof(ImageEmbeddingEstimator.Options.CropSize)}; {nameof(FaceNet)}(smallImages: true) takes small ones."));
        return Layers.CreateArchitecture(input, outputCount);
    }

    internal override string Describe(ImageArchitecture architecture) => Layers.Describe(architecture);

    private static bool Fits(int side) => (side + Reduction - 1) / Reduction == Positions;
}

/// <summary>dlib's face network with weights.</summary>
/// <param name="WeightsPath">The file; the weights themselves are in the fingerprint.</param>
internal sealed record DlibFaceTrunk([property: DoesNotChangeResult] string WeightsPath) : ImageTrunk
{
    internal override PixelScaling Scaling => DlibFaceLayers.Scaling;

    internal override (string Name, string Path)? WeightsFile => ($"{nameof(ImageEmbeddingEstimator.Options.Trunk)}.{nameof(WeightsPath)}", WeightsPath);

    internal override void Check(string prefix)
    {
        OptionCheck.NotEmpty(WeightsPath, prefix + nameof(WeightsPath));
        Recognize(prefix + nameof(WeightsPath));
    }

    internal override ImageArchitecture CreateArchitecture(ImageInput input, int outputCount)
    {
        var shape = input.NetworkShape;
        if ((shape.Channels, shape.Height, shape.Width) != (DlibFaceLayers.Channels, DlibFaceLayers.Side, DlibFaceLayers.Side))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(ImageTrunk)}.{nameof(DlibFace)} is for color images of {DlibFaceLayers.Side} x {DlibFaceLayers.Side} pixels, {DlibFaceLayers.Channels} x {DlibFaceLayers.Side} x {DlibFaceLayers.Side}; these are {shape} (channels x height x width). ResizeImages makes them fit; gray images have three equal channels as MLImage."));
        return Recognize(nameof(WeightsPath)).Network.Create(input, outputCount);
    }

    internal override string Describe(ImageArchitecture architecture) => CnnTrunk.Describe(((CnnArchitecture)architecture).Layers, architecture);

    private RecognizedNetwork Recognize(string option)
    {
        using var file = WeightFile.Open(WeightsPath, option);
        var found = RecognizedNetwork.Of(file, option);
        return found.Network.Name == DlibFaceLayers.Network
            ? found
            : throw new ArgumentException($"{option} '{WeightsPath}' has the weights of {found.Network.Name}; it must be those of {DlibFaceLayers.Network}.", option);
    }
}
