

namespace MLExtensions;

/// <summary>What stands between two layers, without the rows: an image of some channels, or a plain vector.</summary>
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

    /// <summary>The number of values; <see cref="long.MaxValue"/> where it is beyond 64 bits.</summary>
    public long Count => long.CreateSaturating((Int128)Channels * Height * Width);

    public static LayerShape OfImage(int channels, int height, int width) => new(channels, height, width, false);

    public static LayerShape OfVector(int length) => new(length, 1, 1, true);

    public LayerShape WithChannels(int channels) => new(channels, Height, Width, IsVector);

    public override string ToString() => IsVector ? $"{Channels}" : $"{Channels} x {Height} x {Width}";
}

/// <summary>Where a layer stands.</summary>
/// <param name="Path">Its name with the names around it, such as <c>features.3</c>: the beginning of its parameters' names.</param>
/// <param name="OutputCount">The number of outputs of the whole network.</param>
/// <param name="OwnsInput">Whether nothing but this layer uses its input, so that it may work in place.</param>
internal readonly record struct LayerSite(string Path, int OutputCount, bool OwnsInput = false)
{
    /// <summary>How many names the path has.</summary>
    public int Depth => Path.Length == 0 ? 0 : Path.Count(character => character == '.') + 1;

    public LayerSite Child(string name) => this with { Path = Path.Length == 0 ? name : $"{Path}.{name}" };

    /// <summary>A wrong setting of the layer.</summary>
    public FormatException Wrong(ImageLayer layer, string problem) => new($"Layer '{Path}' ({layer.Title}): {problem}");
}

/// <summary>A square window that slides over an image.</summary>
internal readonly record struct Window(int KernelSize, int Stride, int Padding, int Dilation = 1, bool CeilMode = false)
{
    /// <summary>The shape of the windows' positions.</summary>
    public LayerShape Slide(LayerShape input, ImageLayer layer, LayerSite site)
    {
        if (KernelSize < 1 || Stride < 1 || Dilation < 1 || Padding < 0)
            throw site.Wrong(layer, $"kernel size {KernelSize}, stride {Stride}, dilation {Dilation} and padding {Padding}: the first three must be at least 1, the last at least 0.");
        return LayerShape.OfImage(input.Channels, Positions(input.Height, "height", layer, site), Positions(input.Width, "width", layer, site));
    }

    private int Positions(int size, string side, ImageLayer layer, LayerSite site)
    {
        var reach = ((long)Dilation * (KernelSize - 1)) + 1;
        var room = size + (2L * Padding) - reach;
        if (room < 0)
            throw site.Wrong(layer, $"its window of {reach} does not fit the input's {side}: {size} + 2 x {Padding} padding = {size + (2L * Padding)}.");
        var positions = (room / Stride) + 1;
        // The last window of ceil mode must begin inside the image or its left padding.
        if (CeilMode && room % Stride != 0 && positions * Stride < (long)size + Padding)
            positions++;
        return checked((int)positions);
    }
}
