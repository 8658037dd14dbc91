using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Draws what hidden units look for.</summary>
public static class FilterPlot
{
    // A few weights are far larger than the others, which would all be grey.
    private const double ScaleQuantile = 0.995;

    /// <summary>
    /// Saves a picture of the lowest machine's weights: a tile a hidden unit, drawn as the image that it looks for. Grey is 0, white positive, black
    /// negative; all tiles have one scale, up to what 0.5 % of the weights exceed.
    /// </summary>
    /// <param name="machines">Machines that were trained on images of one channel.</param>
    /// <param name="path">The .png file, written as a whole or not at all; its folder is created when missing.</param>
    /// <param name="imageWidth">The images' width in pixels.</param>
    /// <param name="imageHeight">The images' height in pixels.</param>
    /// <param name="maximumFilters">How many hidden units to draw at most, the first ones, at least 1. Default: 100.</param>
    /// <exception cref="ArgumentException">Images of this size have not as many pixels as the machine has visible units.</exception>
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
            throw new ArgumentException($"{nameof(imageWidth)} is {imageWidth} and {nameof(imageHeight)} is {imageHeight}, {(long)imageWidth * imageHeight} pixels; the lowest machine has {filters[0].Length} visible units, {SizesOf(filters[0].Length)}.", nameof(imageWidth));
        var scale = ScaleOf(filters);
        TilePicture.SavePng(path, filters.Length, imageWidth, imageHeight, columns: null, (filter, row, column) =>
            TilePicture.Grey(0.5f + (filters[filter][(row * imageWidth) + column] / scale / 2)));
    }

    private static float ScaleOf(float[][] filters)
    {
        var sizes = filters.SelectMany(filter => filter).Select(Math.Abs).Order().ToArray();
        var scale = sizes[(int)Math.Ceiling(ScaleQuantile * (sizes.Length - 1))];
        return scale > 0 ? scale : 1;
    }

    /// <summary>What would be right: the squarest image of so many pixels.</summary>
    private static string SizesOf(int pixels)
    {
        var height = (int)Math.Sqrt(pixels);
        while (pixels % height != 0)
            height--;
        return $"such as {pixels / height} x {height} pixels";
    }
}
