using MLExtensions.Families.Images;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// Adds a number to all pixels of an image, drawn uniformly from [-<see cref="MaximumDelta"/>, <see cref="MaximumDelta"/>].
/// </summary>
/// <remarks>Pixels may leave the range 0 to 255: nothing is clamped.</remarks>
public sealed record RandomBrightness : ImageAugmentation
{
    /// <summary>The largest change, at least 0. Pixels are 0 to 255. Default 63.</summary>
    public double MaximumDelta { get; init; } = 63;

    internal override IImageOperation CreateOperation() => new BrightnessOperation(this);

    private protected override void CheckSettings() => OptionCheck.NotNegative(MaximumDelta, NameOf(nameof(MaximumDelta)));
}

/// <summary>
/// Multiplies the difference of each pixel from the mean of its image and channel by a factor, drawn uniformly from [<see cref="Minimum"/>,
/// <see cref="Maximum"/>]. The means do not change.
/// </summary>
/// <remarks>The same as <c>tf.image.random_contrast</c>. Pixels may leave the range 0 to 255: nothing is clamped.</remarks>
public sealed record RandomContrast : ImageAugmentation
{
    /// <summary>The smallest factor, in [0, 1000]. Default 0.2.</summary>
    public double Minimum { get; init; } = 0.2;

    /// <summary>The largest factor, in [<see cref="Minimum"/>, 1000]. Default 1.8.</summary>
    public double Maximum { get; init; } = 1.8;

    internal override IImageOperation CreateOperation() => new ContrastOperation(this);

    private protected override void CheckSettings()
    {
        CheckBetween(Minimum, 0, 1000);
        CheckBetween(Maximum, Minimum, 1000);
    }
}

/// <summary>
/// Multiplies the difference of each pixel's red, green and blue from its luminance by a factor, drawn uniformly from
/// [<see cref="Minimum"/>, <see cref="Maximum"/>]; 0 makes an image gray. The luminance does not change.
/// </summary>
/// <remarks>
/// The luminance is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601). Needs 3 channels, in this order. Pixels may leave the range 0 to
/// 255: nothing is clamped.
/// </remarks>
public sealed record RandomSaturation : ImageAugmentation
{
    /// <summary>The smallest factor, in [0, 1000]. Default 0.5.</summary>
    public double Minimum { get; init; } = 0.5;

    /// <summary>The largest factor, in [<see cref="Minimum"/>, 1000]. Default 1.5.</summary>
    public double Maximum { get; init; } = 1.5;

    internal override void CheckImages(int channels, int height, int width)
    {
        if (channels != 3)
        {
            throw new ArgumentException(
                FormattableString.Invariant($"{nameof(RandomSaturation)} needs images with 3 channels (red, green, blue); these have {channels}."),
                nameof(RandomSaturation));
        }
    }

    internal override IImageOperation CreateOperation() => new SaturationOperation(this);

    private protected override void CheckSettings()
    {
        CheckBetween(Minimum, 0, 1000);
        CheckBetween(Maximum, Minimum, 1000);
    }
}

/// <summary>An operation with one random number per image. Images that are not selected get the number that changes nothing.</summary>
internal abstract class ColorOperation(double probability, double minimum, double maximum, float neutral) : IImageOperation
{
    public AugmentedBatch Apply(AugmentedBatch batch, ref SplitMix64 random)
    {
        var amounts = new float[batch.Images.shape[0]];
        for (var i = 0; i < amounts.Length; i++)
            amounts[i] = random.Chance(probability) ? (float)random.Uniform(minimum, maximum) : neutral;
        return batch with { Images = Apply(batch.Images, PerImage.Column(amounts, batch.Images)) };
    }

    protected abstract Tensor Apply(Tensor images, Tensor amounts);
}

internal sealed class BrightnessOperation(RandomBrightness settings)
    : ColorOperation(settings.Probability, -settings.MaximumDelta, settings.MaximumDelta, neutral: 0)
{
    protected override Tensor Apply(Tensor images, Tensor amounts) => images.add(amounts, Number.One);
}

internal sealed class ContrastOperation(RandomContrast settings)
    : ColorOperation(settings.Probability, settings.Minimum, settings.Maximum, neutral: 1)
{
    protected override Tensor Apply(Tensor images, Tensor amounts) => lerp(images.mean([2, 3], keepdim: true), images, amounts);
}

internal sealed class SaturationOperation(RandomSaturation settings)
    : ColorOperation(settings.Probability, settings.Minimum, settings.Maximum, neutral: 1)
{
    private static readonly float[] luminance = [0.299f, 0.587f, 0.114f];

    protected override Tensor Apply(Tensor images, Tensor amounts)
    {
        var weights = PerImage.ToTensor(luminance, [1, 3, 1, 1], images.device);
        return lerp((images * weights).sum(1, keepdim: true), images, amounts);
    }
}
