

namespace MLExtensions;

/// <summary>The shape of one row between two layers: an image with channels, or a vector.</summary>
internal readonly record struct LayerShape
{
    private LayerShape(int channels, int height, int width, bool isVector)
    {
        Channels = channels;
        Height = height;
        Width = width;
        IsVector = isVector;
    }

    /// <summary>The number of channels, or the length of the vector.</summary>
    public int Channels { get; }

    public int Height { get; }

    public int Width { get; }

    public bool IsVector { get; }

    /// <summary>The number of values; <see cref="long.MaxValue"/> if it exceeds 64 bits.</summary>
    public long Count => long.CreateSaturating((Int128)Channels * Height * Width);

    public static LayerShape OfImage(int channels, int height, int width) => new(channels, height, width, false);

    public static LayerShape OfVector(int length) => new(length, 1, 1, true);

    public LayerShape WithChannels(int channels) => new(channels, Height, Width, IsVector);

    public override string ToString() => IsVector ? FormattableString.Invariant($"{Channels}") : FormattableString.Invariant($"{Channels} x {Height} x {Width}");
}

/// <summary>The position of a layer in its network.</summary>
/// <param name="Path">Its full name, such as <c>features.3</c>: the prefix of the names of its parameters.</param>
/// <param name="OutputCount">The number of outputs of the whole network.</param>
/// <param name="OwnsInput">Whether only this layer uses its input, so that it may work in place.</param>
internal readonly record struct LayerSite(string Path, int OutputCount, bool OwnsInput = false)
{
    /// <summary>The number of names in the path.</summary>
    public int Depth => Path.Length == 0 ? 0 : Path.Count(character => character == '.') + 1;

    public LayerSite Child(string name) => this with { Path = Path.Length == 0 ? name : $"{Path}.{name}" };

    /// <summary>Creates an exception about an invalid setting of the layer.</summary>
    public FormatException Wrong(ImageLayer layer, string problem) => new($"Layer '{Path}' ({layer.Title}): {problem}");
}

/// <summary>A square kernel that slides over an image.</summary>
internal readonly record struct Window(int KernelSize, int Stride, int Padding, int Dilation = 1, bool CeilMode = false)
{
    /// <summary>The shape of the kernel positions.</summary>
    public LayerShape Slide(LayerShape input, ImageLayer layer, LayerSite site)
    {
        if (KernelSize < 1 || Stride < 1 || Dilation < 1 || Padding < 0)
            throw site.Wrong(layer, FormattableString.Invariant($"kernel size {KernelSize}, stride {Stride}, dilation {Dilation} and padding {Padding}: the first three must be at least 1, the last at least 0."));
        return LayerShape.OfImage(input.Channels, Positions(input.Height, "height", layer, site), Positions(input.Width, "width", layer, site));
    }

    private int Positions(int size, string side, ImageLayer layer, LayerSite site)
    {
        var reach = ((long)Dilation * (KernelSize - 1)) + 1;
        var room = size + (2L * Padding) - reach;
        if (room < 0)
            throw site.Wrong(layer, FormattableString.Invariant($"its kernel of {reach} pixels does not fit the input {side}: {size} + 2 x {Padding} padding = {size + (2L * Padding)}."));
        var positions = (room / Stride) + 1;
        // In ceil mode the last kernel position must begin inside the image or its left padding.
        if (CeilMode && room % Stride != 0 && positions * Stride < (long)size + Padding)
            positions++;
        return checked((int)positions);
    }
}
