namespace MLExtensions;

/// <summary>A square window that slides over an image.</summary>
internal readonly record struct Window(int KernelSize, int Stride, int Padding, int Dilation = 1, bool CeilMode = false)
{
    /// <summary>The shape of the windows' positions.</summary>
    public LayerShape Slide(LayerShape input, NetworkLayer layer, LayerSite site)
    {
        if (KernelSize < 1 || Stride < 1 || Dilation < 1 || Padding < 0)
            throw site.Wrong(layer, $"kernel size {KernelSize}, stride {Stride}, dilation {Dilation} and padding {Padding}: the first three must be at least 1, the last at least 0.");
        return LayerShape.OfImage(input.Channels, Positions(input.Height, "height", layer, site), Positions(input.Width, "width", layer, site));
    }

    private int Positions(int size, string side, NetworkLayer layer, LayerSite site)
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
