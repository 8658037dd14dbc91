using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Draws the weights of hidden units.</summary>
public static class FilterPlot
{
    // A few weights are far larger than the others, which would otherwise all be gray.
    private const double ScaleQuantile = 0.995;

    /// <summary>
    /// Saves a picture of the weights of the lowest RBM, with one tile per hidden unit. Gray is 0, white positive, black negative. All
    /// tiles have the same scale, whose maximum 0.5 % of the weights exceed.
    /// </summary>
    /// <param name="machines">RBMs that were trained on images with one channel.</param>
    /// <param name="path">The .png file. It is written completely or not at all, and its folder is created if necessary.</param>
    /// <param name="imageWidth">The width of the images in pixels.</param>
    /// <param name="imageHeight">The height of the images in pixels.</param>
    /// <param name="maximumFilters">The maximum number of hidden units to draw, at least 1. Default 100.</param>
    /// <exception cref="ArgumentException">The number of pixels does not equal the number of visible units.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or the picture would be too large.</exception>
    public static void SaveFiltersPng(this RbmTransformer machines, string path, int imageWidth, int imageHeight, int maximumFilters = 100)
    {
        ArgumentNullException.ThrowIfNull(machines);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        OptionCheck.AtLeast(imageWidth, 1, nameof(imageWidth));
        OptionCheck.AtLeast(imageHeight, 1, nameof(imageHeight));
        OptionCheck.AtLeast(maximumFilters, 1, nameof(maximumFilters));
        var filters = machines.GetWeights().Take(maximumFilters).ToArray();
        if (filters[0].Length != (long)imageWidth * imageHeight)
            throw new ArgumentException(FormattableString.Invariant($"{nameof(imageWidth)} is {imageWidth} and {nameof(imageHeight)} is {imageHeight}, {(long)imageWidth * imageHeight} pixels; the lowest RBM has {filters[0].Length} visible units, {SizesOf(filters[0].Length)}."), nameof(imageWidth));
        var scale = ScaleOf(filters);
        TilePicture.SavePng(path, filters.Length, imageWidth, imageHeight, columns: null, (filter, row, column) =>
            TilePicture.Gray(0.5f + (filters[filter][(row * imageWidth) + column] / scale / 2)));
    }

    private static float ScaleOf(float[][] filters)
    {
        var sizes = filters.SelectMany(filter => filter).Select(Math.Abs).Order().ToArray();
        var scale = sizes[(int)Math.Ceiling(ScaleQuantile * (sizes.Length - 1))];
        return scale > 0 ? scale : 1;
    }

    /// <summary>Suggests the image size closest to a square with that many pixels.</summary>
    private static string SizesOf(int pixels)
    {
        var height = (int)Math.Sqrt(pixels);
        while (pixels % height != 0)
            height--;
        return FormattableString.Invariant($"such as {pixels / height} x {height} pixels");
    }
}
