using MLExtensions.Families.Images;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Covers a square of all channels with one value, at a place drawn uniformly.</summary>
/// <remarks>
/// DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout" (2017), except that the square is always
/// completely inside the image.
/// </remarks>
public sealed record Cutout : ImageAugmentation
{
    /// <summary>Height and width of the square in pixels, at least 1 and at most those of the image. Default 8.</summary>
    public int Size { get; init; } = 8;

    /// <summary>The pixel value that fills the square. Default 0; the mean of the data hides more.</summary>
    public double Fill { get; init; }

    internal override void CheckImages(int channels, int height, int width)
    {
        if (Size > Math.Min(height, width))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"{NameOf(nameof(Size))} is {Size}, but the images are {height} x {width} pixels at this position of the list; it must be at most {Math.Min(height, width)}."),
                NameOf(nameof(Size)));
        }
    }

    internal override IImageOperation CreateOperation() => new CutoutOperation(this);

    private protected override void CheckSettings()
    {
        OptionCheck.AtLeast(Size, 1, NameOf(nameof(Size)));
        OptionCheck.Require(Math.Abs(Fill) <= float.MaxValue, Fill, NameOf(nameof(Fill)), "finite");
    }
}

/// <summary>Fills a square of each image.</summary>
internal sealed class CutoutOperation(Cutout settings) : IImageOperation
{
    public AugmentedBatch Apply(AugmentedBatch batch, ref SplitMix64 random)
    {
        var images = batch.Images;
        var (count, height, width) = (images.shape[0], (int)images.shape[2], (int)images.shape[3]);
        var tops = new long[count];
        var lefts = new long[count];
        for (var i = 0; i < count; i++)
        {
            tops[i] = random.Next(height - settings.Size + 1);
            lefts[i] = random.Next(width - settings.Size + 1);
            if (!random.Chance(settings.Probability))
                tops[i] = height;
        }
        var rows = Within(tops, height, images.device).view(count, 1, height, 1);
        var columns = Within(lefts, width, images.device).view(count, 1, 1, width);
        return batch with { Images = images.masked_fill(rows.logical_and(columns), Number.Of(settings.Fill)) };
    }

    /// <summary>A mask of the rows or columns of each image's square: [N, length].</summary>
    private Tensor Within(long[] starts, int length, Device device)
    {
        var distance = arange(Number.Zero, Number.Of(length), Number.One, dtype: ScalarType.Int64, device: device) - PerImage.ToTensor(starts, [starts.Length, 1], device);
        return distance.ge(Number.Zero).logical_and(distance.lt(Number.Of(settings.Size)));
    }
}
