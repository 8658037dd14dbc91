using MLExtensions.Families.Style;
using MLExtensions.Networks;
using MLExtensions.Onnx;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A network that repaints pictures in one style, or in several that share its convolutions. Johnson, Alahi and Fei-Fei, "Perceptual Losses
/// for Real-Time Style Transfer and Super-Resolution", 2016; Dumoulin, Shlens and Kudlur, "A Learned Representation for Artistic Style", 2017.
/// </summary>
/// <remarks>
/// A 9 x 9 convolution, two of 3 x 3 with stride 2, residual blocks of two each, two of 3 x 3 on pixels that are doubled, and one of 9 x 9. Borders
/// are continued by reflection. After each convolution but the last, each channel of each picture is brought to mean 0 and variance 1, then
/// multiplied and shifted by numbers of the style. Weights are <c>down.0.convolution.weight</c>, <c>down.0.norm.weight</c> and so on:
/// <c>down.0</c> to <c>down.2</c>, <c>residual.0.first</c>, <c>residual.0.second</c> and so on, <c>up.0</c>, <c>up.1</c>, and
/// <c>output.weight</c>; those of <c>norm</c> have one channel after the other, style after style. Pictures of any size can be painted.
/// </remarks>
public sealed record StyleNetworkArchitecture : NetworkArchitecture
{
    internal const string FamilyName = "style";
    internal const int MaximumWidth = 16_384;
    internal const int MaximumBlocks = 10_000;
    internal const int MaximumStyles = 1 << 20;

    /// <summary>The least number of pixels of a side: what is reflected at a border must be in the picture.</summary>
    internal const int LeastSide = (LargestKernel / 2) + 1;

    /// <summary>Inside, sides are a multiple of it: they are halved twice and doubled twice.</summary>
    internal const int SideMultiple = 4;

    private const int Channels = 3;
    private const int LargestKernel = 9;
    private const int SmallKernel = 3;

    /// <summary>The pictures of the training, after cropping; the network paints those of other sizes, too.</summary>
    public required ImageShape Image { get; init; }

    /// <summary>The channels of the first convolution; the second has twice as many, the third and the residual blocks four times.</summary>
    public required int Width { get; init; }

    /// <summary>The number of residual blocks.</summary>
    public required int ResidualBlocks { get; init; }

    /// <summary>The number of styles.</summary>
    public required int StyleCount { get; init; }

    /// <inheritdoc/>
    public override long ParameterCount => Convolutions.Aggregate(0L, (sum, layer) => checked(sum + layer.ParameterCount(StyleCount)));

    /// <summary>The numbers of a row that choose the style: a share of each, if there are several.</summary>
    internal int ShareCount => StyleCount > 1 ? StyleCount : 0;

    internal override double MultiplyAdds => Convolutions.Sum(layer => (double)layer.MultiplyAdds);

    /// <summary>Of each convolution its input with borders, and its outputs around their mean and finished.</summary>
    internal override double ValuesPerRow => base.ValuesPerRow + Convolutions.Sum(layer => layer.InputValues + (2 * layer.OutputValues));

    internal override int MinimumBatchRows => 1;

    /// <summary>A picture has three channels, so no other output can be put in its place: there is no layer with this name.</summary>
    internal override string OutputLayer => "none";

    /// <summary>The convolutions in order, with the sizes of their outputs for a picture of the training.</summary>
    private IEnumerable<StyleConvolution> Convolutions
    {
        get
        {
            var (height, width) = (Whole(Image.Height), Whole(Image.Width));
            long channels = Width;
            yield return new("down.0", Channels, channels, LargestKernel, height, width);
            yield return new("down.1", channels, 2 * channels, SmallKernel, height / 2, width / 2) { InputScale = 2 };
            yield return new("down.2", 2 * channels, 4 * channels, SmallKernel, height / 4, width / 4) { InputScale = 2 };
            for (var i = 0; i < ResidualBlocks; i++)
            {
                foreach (var part in new[] { "first", "second" })
                    yield return new(FormattableString.Invariant($"residual.{i}.{part}"), 4 * channels, 4 * channels, SmallKernel, height / 4, width / 4);
            }
            yield return new("up.0", 4 * channels, 2 * channels, SmallKernel, height / 2, width / 2) { Doubles = true };
            yield return new("up.1", 2 * channels, channels, SmallKernel, height, width) { Doubles = true };
            yield return new("output", channels, Channels, LargestKernel, height, width, HasStyle: false);
        }
    }

    /// <summary>A length, continued to a multiple of <see cref="SideMultiple"/>.</summary>
    internal static int Whole(int side) => checked((side + SideMultiple - 1) / SideMultiple * SideMultiple);

    /// <summary>The values at the worst moment of painting a picture: the input of a convolution, enlarged and with its borders, and its output.</summary>
    internal double PassingValues(int height, int width)
    {
        var share = (double)Whole(height) * Whole(width) / ((double)Whole(Image.Height) * Whole(Image.Width));
        return (PictureMemory.ValuesPerPixel * height * width) + (share * Convolutions.Max(layer => layer.PassingValues));
    }

    internal override IEnumerable<LayerDescription> Describe() => Convolutions.Select(layer => layer.Describe(StyleCount));

    internal override bool NeedsLibtorch => true;

    internal override nn.Module<Tensor, Tensor> CreateModule() => new StyleNetwork(this);

    internal override string Write(GraphWriter graph, string rows)
    {
        var pictures = graph.Reshape(ShareCount == 0 ? rows : graph.Slice(rows, 1, 0, Image.Count), -1, Image.Channels, Image.Height, Image.Width);
        var shares = ShareCount == 0 ? null : graph.Slice(rows, 1, Image.Count, InputCount);
        return graph.Node("Flatten", new StyleGraph(graph, this, shares).Paint(pictures, Image.Height, Image.Width));
    }

    internal override void Check()
    {
        base.Check();
        if (Image == null)
            throw new FormatException("image is missing.");
        Image.Check("image");
        if (Image.Channels != Channels || Image.Layout != PixelLayout.Planar || Math.Min(Image.Height, Image.Width) < LeastSide)
            throw new FormatException(FormattableString.Invariant($"image is {Image} ({Image.Layout}); it must have {Channels} channels, sides of at least {LeastSide} pixels and a planar layout."));
        Require(Width, 1, MaximumWidth, "width");
        Require(ResidualBlocks, 0, MaximumBlocks, "residualBlocks");
        Require(StyleCount, 1, MaximumStyles, "styleCount");
        if (InputCount != Image.Count + ShareCount || OutputCount != Image.Count)
            throw new FormatException(FormattableString.Invariant($"inputCount is {InputCount} and outputCount {OutputCount}; they must be {Image.Count + ShareCount} and {Image.Count} for images of {Image} and {StyleCount} styles."));

        static void Require(int value, int least, int most, string name)
        {
            if (value < least || value > most)
                throw new FormatException(FormattableString.Invariant($"{name} is {value}; it must be from {least} to {most}."));
        }
    }

    /// <summary>A convolution of the network.</summary>
    /// <param name="Path">The name of the block, or of the convolution itself if it is the last.</param>
    /// <param name="Inputs">Its input channels.</param>
    /// <param name="Outputs">Its output channels.</param>
    /// <param name="Kernel">Its side.</param>
    /// <param name="Height">The height of its output.</param>
    /// <param name="Width">The width of its output.</param>
    /// <param name="HasStyle">Whether its outputs are normalized and then scaled and shifted by numbers of the style.</param>
    private sealed record StyleConvolution(string Path, long Inputs, long Outputs, int Kernel, int Height, int Width, bool HasStyle = true)
    {
        /// <summary>How many times as high and wide its input is.</summary>
        public int InputScale { get; init; } = 1;

        /// <summary>Whether its input is made twice as high and wide before.</summary>
        public bool Doubles { get; init; }

        /// <summary>The values of its input, as large as the convolution sees it.</summary>
        public double InputValues => (double)Inputs * InputScale * InputScale * Height * Width;

        public double OutputValues => (double)Outputs * Height * Width;

        /// <summary>The values at the worst moment of its computation.</summary>
        public double PassingValues => Doubles
            ? (InputValues / 4) + InputValues + Math.Max(InputValues, OutputValues)
            : InputValues + Math.Max(InputValues + OutputValues, 2 * OutputValues);

        public long MultiplyAdds => checked(Inputs * Outputs * Kernel * Kernel * Height * Width);

        public long ParameterCount(int styles) => checked((((Inputs * Kernel * Kernel) + 1) * Outputs) + (HasStyle ? 2L * styles * Outputs : 0));

        public LayerDescription Describe(int styles) => new(
            Path,
            FormattableString.Invariant($"convolution {Kernel} x {Kernel}{(HasStyle ? FormattableString.Invariant($", instance normalization of {styles} {(styles == 1 ? "style" : "styles")}") : ", tanh")}"),
            FormattableString.Invariant($"{Outputs} x {Height} x {Width}"),
            ParameterCount(styles),
            MultiplyAdds);
    }
}
