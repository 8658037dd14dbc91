using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Covers a square of all channels with one value, at a place drawn uniformly.</summary>
/// <remarks>DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout" (2017), except that the whole
/// square is always within the image; theirs may stick out.</remarks>
public sealed record Cutout : ImageAugmentation
{
    /// <summary>Height and width of the square in pixels, at least 1 and no more than the image has. Default 8.</summary>
    public int Size { get; init; } = 8;

    /// <summary>What the square is filled with, in the unit of the pixels. Default 0; the data's mean hides more.</summary>
    public double Fill { get; init; }

    internal override void CheckImages(int channels, int height, int width)
    {
        if (Size > Math.Min(height, width))
        {
            throw new ArgumentException(
                $"{NameOf(nameof(Size))} is {Size}, but the images are {height} x {width} pixels at this place of the list; it must be at most {Math.Min(height, width)}.",
                NameOf(nameof(Size)));
        }
    }

    private protected override void CheckSettings()
    {
        OptionCheck.AtLeast(Size, 1, NameOf(nameof(Size)));
        OptionCheck.Require(Math.Abs(Fill) <= float.MaxValue, Fill, NameOf(nameof(Fill)), "finite");
    }
}
