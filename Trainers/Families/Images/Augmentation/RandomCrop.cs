using MLExtensions.Families.Images;
using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Cuts a window of a fixed size out of the image, at a place drawn uniformly, after putting zeros around the image. No pixel is
/// interpolated.
/// </summary>
/// <remarks>
/// As in He et al., "Deep residual learning for image recognition" (2016), for CIFAR-10: 4 pixels of padding, crops of the image's
/// own size. A crop of another size gives the network images of that size.
/// </remarks>
public sealed record RandomCrop : ImageAugmentation
{
    /// <summary>Pixels of zeros on each of the four sides, at least 0. Default 4.</summary>
    public int Padding { get; init; } = 4;

    /// <summary>Height of the window in pixels, at least 1; null is the image's own height. Default null.</summary>
    public int? Height { get; init; }

    /// <summary>Width of the window in pixels, at least 1; null is the image's own width. Default null.</summary>
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
                $"{NameOf(name)} is {crop}, but the padded image has only {image} + 2 * {Padding} = {padded} pixels in this direction; make the crop smaller or {NameOf(nameof(Padding))} greater.",
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
