using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>
/// The module of <see cref="StyleNetworkArchitecture"/>: maps rows of pictures from 0 to 255, followed by the shares of the styles if there are
/// several, to rows of pictures. Their values leave that range a little, so that they can reach its ends.
/// </summary>
internal sealed class StyleNetwork : nn.Module<Tensor, Tensor>
{
    public const double Middle = 127.5;

    // Johnson et al.: beyond 127.5, which tanh would never reach.
    public const double Reach = 150;

    private readonly ModuleList<StyledConvolution> down;
    private readonly ModuleList<ResidualBlock> residual;
    private readonly ModuleList<StyledConvolution> up;
    private readonly ReflectedConvolution output;
    private readonly StyleNetworkArchitecture _architecture;

    public StyleNetwork(StyleNetworkArchitecture architecture)
        : base(nameof(StyleNetwork))
    {
        _architecture = architecture;
        long width = architecture.Width;
        var styles = architecture.StyleCount;
        down = nn.ModuleList(
            new StyledConvolution(3, width, 9, 1, styles),
            new StyledConvolution(width, 2 * width, 3, 2, styles),
            new StyledConvolution(2 * width, 4 * width, 3, 2, styles));
        residual = nn.ModuleList(Enumerable.Range(0, architecture.ResidualBlocks).Select(_ => new ResidualBlock(4 * width, styles)).ToArray());
        up = nn.ModuleList(new StyledConvolution(4 * width, 2 * width, 3, 1, styles), new StyledConvolution(2 * width, width, 3, 1, styles));
        output = new ReflectedConvolution(width, 3, 9);
        RegisterComponents();
    }

    public override Tensor forward(Tensor rows)
    {
        var (image, shares) = (_architecture.Image, _architecture.ShareCount);
        var pictures = shares == 0 ? rows : rows.narrow(1, 0, image.Count);
        return Paint(pictures.reshape(-1, image.Channels, image.Height, image.Width), shares == 0 ? null : rows.narrow(1, image.Count, shares)).contiguous().flatten(1);
    }

    /// <summary>Paints pictures of any size that is not too small.</summary>
    /// <param name="pictures"><c>[rows, 3, height, width]</c> from 0 to 255.</param>
    /// <param name="shares">The shares of the styles, which sum to 1, <c>[rows, styles]</c>; null if there is one.</param>
    /// <returns>As many pictures of the same size, from -22.5 to 277.5.</returns>
    public Tensor Paint(Tensor pictures, Tensor? shares)
    {
        var (height, width) = ((int)pictures.shape[2], (int)pictures.shape[3]);
        var (below, right) = (StyleNetworkArchitecture.Whole(height) - height, StyleNetworkArchitecture.Whole(width) - width);
        var x = TensorMemory.WithoutIntermediates(() => (below + right == 0 ? pictures : nn.functional.pad(pictures, [0, right, 0, below], PaddingModes.Reflect))
            .sub(Number.Of(Middle)).mul(Number.Of(1 / Middle)));
        foreach (var layer in down)
            x = TensorMemory.Replace(x, old => layer.Apply(old, shares).relu_());
        foreach (var block in residual)
            x = TensorMemory.Replace(x, old => block.Apply(old, shares));
        foreach (var layer in up)
            x = TensorMemory.Replace(x, old => layer.Apply(old, shares, scale: 2).relu_());
        x = TensorMemory.Replace(x, old => output.call(old).tanh().mul(Number.Of(Reach)).add(Number.Of(Middle), Number.One));
        return below + right == 0 ? x : x.narrow(2, 0, height).narrow(3, 0, width);
    }
}

/// <summary>A convolution whose outputs are normalized, and then scaled and shifted as the style wants it.</summary>
internal sealed class StyledConvolution : nn.Module
{
    private readonly ReflectedConvolution convolution;
    private readonly StyleNorm norm;

    public StyledConvolution(long inputs, long outputs, long kernel, long stride, int styles)
        : base(nameof(StyledConvolution))
    {
        convolution = new ReflectedConvolution(inputs, outputs, kernel, stride);
        norm = new StyleNorm(outputs, styles);
        RegisterComponents();
    }

    /// <param name="x">The pictures.</param>
    /// <param name="shares">The shares of the styles, or null.</param>
    /// <param name="scale">How many times as high and wide they are made before.</param>
    public Tensor Apply(Tensor x, Tensor? shares, long scale = 1) =>
        TensorMemory.WithoutIntermediates(() => norm.Apply(convolution.Enlarged(x, scale), shares));
}

/// <summary>Two convolutions whose result is added to their input.</summary>
internal sealed class ResidualBlock : nn.Module
{
    private readonly StyledConvolution first;
    private readonly StyledConvolution second;

    public ResidualBlock(long channels, int styles)
        : base(nameof(ResidualBlock))
    {
        (first, second) = (new StyledConvolution(channels, channels, 3, 1, styles), new StyledConvolution(channels, channels, 3, 1, styles));
        RegisterComponents();
    }

    public Tensor Apply(Tensor x, Tensor? shares) => TensorMemory.Replace(first.Apply(x, shares).relu_(), inner => second.Apply(inner, shares)).add_(x, Number.One);
}

/// <summary>Instance normalization with a scale and a shift for each channel of each style.</summary>
internal sealed class StyleNorm : nn.Module
{
    // Vectors, as those of every normalization: so they are neither drawn at random nor regularized.
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly int _styles;

    public StyleNorm(long channels, int styles)
        : base(nameof(StyleNorm))
    {
        _styles = styles;
        weight = new Parameter(ones([styles * channels], ScalarType.Float32, CPU));
        bias = Layers.Weights(styles * channels);
        RegisterComponents();
    }

    public Tensor Apply(Tensor x, Tensor? shares) => PictureOperations.Normalize(x, Of(weight, shares), Of(bias, shares));

    /// <summary>The numbers of each picture, <c>[rows or 1, channels, 1, 1]</c>.</summary>
    private Tensor Of(Tensor numbers, Tensor? shares)
    {
        var byStyle = numbers.view(_styles, -1);
        return (shares is null ? byStyle : shares.matmul(byStyle)).unsqueeze(2).unsqueeze(3);
    }
}
