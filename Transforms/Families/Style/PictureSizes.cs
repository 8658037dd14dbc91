using MLExtensions.Families.Images;

namespace MLExtensions.Families.Style;

/// <summary>Which sizes of pictures a loss network can see, and what memory they take.</summary>
internal sealed class PictureSizes(NetworkModelParameters network, int padding)
{
    private readonly ImageArchitecture _architecture = (ImageArchitecture)network.Architecture;

    /// <summary>Why the network cannot see pictures of a size; null if it can.</summary>
    public string? ProblemOf(int height, int width)
    {
        if (padding >= Math.Min(height, width))
            return FormattableString.Invariant($"each side must be longer than BorderPadding, {padding}. Enlarge the picture, or set BorderPadding to 0.");
        try
        {
            Place(height, width);
            return null;
        }
        catch (FormatException e)
        {
            // No network reaches so far that a thousand pixels are too few.
            return Math.Min(height, width) > 1000
                ? $"the picture is too large for the layers that are compared. {e.Message} Make the picture smaller (ResizeImages)."
                : $"the picture is too small for the layers that are compared. {e.Message} Enlarge the picture, or choose earlier layers.";
        }
    }

    /// <summary>The values that looking at a picture takes; see <see cref="PictureMemory"/>.</summary>
    public double PassingValues(int height, int width) => (PictureMemory.ValuesPerPixel * height * width) + PictureMemory.Passing(Place(height, width));

    /// <summary>The values that a picture takes with its gradient.</summary>
    public double LearningValues(int height, int width) => PictureMemory.Learning(Place(height, width));

    /// <summary>The multiply-adds of one pass forward.</summary>
    public double MultiplyAdds(int height, int width) => Place(height, width).Sum(placed => (double)placed.Layer.MultiplyAdds(placed.Input, placed.Site));

    private IReadOnlyList<PlacedLayer> Place(int height, int width) =>
        LayerChain.Place(_architecture.CreateLayers(), LayerShape.OfImage(3, height + (2 * padding), width + (2 * padding)), new LayerSite("", _architecture.OutputCount));
}
