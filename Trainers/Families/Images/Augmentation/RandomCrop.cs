using MLExtensions.Families.Images;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Pads the image with zeros and crops a region of fixed size at a position drawn uniformly. Pixels are not interpolated.
/// </summary>
/// <remarks>
/// As in He et al., "Deep residual learning for image recognition" (2016), for CIFAR-10: 4 pixels of padding and crops of the original
/// size. With another crop size the network gets images of that size.
/// </remarks>
public sealed record RandomCrop : ImageAugmentation
{
    /// <summary>Padding on each of the four sides in pixels, at least 0. Default 4.</summary>
    public int Padding { get; init; } = 4;

    /// <summary>Height of the crop in pixels, at least 1. Default null: the height of the image.</summary>
    public int? Height { get; init; }

    /// <summary>Width of the crop in pixels, at least 1. Default null: the width of the image.</summary>
    public int? Width { get; init; }

    internal override (int Height, int Width) OutputSize(int height, int width) => (Height ?? height, Width ?? width);

    internal override void CheckImages(int channels, int height, int width)
    {
        CheckFits(Height, height, nameof(Height));
        CheckFits(Width, width, nameof(Width));
    }

    internal override IImageOperation CreateOperation() => new PixelSelection(new CropStep(this));

    private protected override void CheckSettings()
    {
        OptionCheck.Require(Padding is >= 0 and <= ushort.MaxValue, Padding, NameOf(nameof(Padding)), $"between 0 and {ushort.MaxValue}");
        OptionCheck.AtLeast(Height ?? 1, 1, NameOf(nameof(Height)));
        OptionCheck.AtLeast(Width ?? 1, 1, NameOf(nameof(Width)));
    }

    private void CheckFits(int? crop, int image, string name)
    {
        var padded = image + 2 * Padding;
        if (crop > padded)
        {
            throw new ArgumentException(
                FormattableString.Invariant($"{NameOf(name)} is {crop}, but the padded image has only {image} + 2 * {Padding} = {padded} pixels in this direction; use a smaller crop or a larger {NameOf(nameof(Padding))}."),
                NameOf(name));
        }
    }
}

internal sealed class CropStep(RandomCrop settings) : ISelectionStep
{
    public void Apply(int count, AxisMap rows, AxisMap columns, ref SplitMix64 random)
    {
        var (height, width) = settings.OutputSize(rows.Length, columns.Length);
        var tops = new int[count];
        var lefts = new int[count];
        for (var i = 0; i < count; i++)
        {
            var atRandom = random.Chance(settings.Probability);
            tops[i] = Start(rows.Length, height, atRandom, ref random);
            lefts[i] = Start(columns.Length, width, atRandom, ref random);
        }
        rows.Crop(tops, height);
        columns.Crop(lefts, width);
    }

    private int Start(int length, int crop, bool atRandom, ref SplitMix64 random)
    {
        var places = length + 2 * settings.Padding - crop + 1;
        return (atRandom ? random.Next(places) : places / 2) - settings.Padding;
    }
}
