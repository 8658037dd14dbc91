using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Images;

/// <summary>An operation with one random number an image, which is what it is without the augmentation where that is not drawn.</summary>
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
    protected override Tensor Apply(Tensor images, Tensor amounts) => images + amounts;
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
        var weights = PerImage.Send(luminance, [1, 3, 1, 1], images.device);
        return lerp((images * weights).sum(1, keepdim: true), images, amounts);
    }
}
