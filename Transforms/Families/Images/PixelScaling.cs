using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// What a network does to pixels before its first layer: (pixel * factor - mean) / standard deviation, or the standardisation of
/// each image by itself. It is part of the model, so training and scoring cannot differ in it.
/// </summary>
public sealed record PixelScaling
{
    /// <summary>Pixels as they come.</summary>
    public static PixelScaling None { get; } = new();

    /// <summary>0 to 255 becomes 0 to 1.</summary>
    public static PixelScaling ToUnit { get; } = new() { Factor = 1 / 255.0 };

    /// <summary>0 to 255 becomes what networks trained on ImageNet with torchvision expect: red, green and blue of about mean 0 and deviation 1.</summary>
    public static PixelScaling ImageNet { get; } = new()
    {
        Factor = 1 / 255.0,
        Mean = [0.485, 0.456, 0.406],
        StandardDeviation = [0.229, 0.224, 0.225],
    };

    /// <summary>Each image is brought to mean 0 and deviation 1, as <c>tf.image.per_image_standardization</c> does.</summary>
    public static PixelScaling PerImageStandardization { get; } = new() { PerImage = true };

    /// <summary>What pixels are multiplied by. Default 1.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>What is taken off, a number a channel or one for all; null for 0. Default null.</summary>
    public IReadOnlyList<double>? Mean { get; init; }

    /// <summary>What is divided by, a number a channel or one for all; null for 1. Default null.</summary>
    public IReadOnlyList<double>? StandardDeviation { get; init; }

    /// <summary>Whether each image is standardised by its own mean and deviation; the deviation counts as at least 1 / sqrt(values). Default false.</summary>
    public bool PerImage { get; init; }

    /// <inheritdoc/>
    public bool Equals(PixelScaling? other) =>
        other != null && Factor.Equals(other.Factor) && PerImage == other.PerImage && Same(Mean, other.Mean) && Same(StandardDeviation, other.StandardDeviation);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Factor, PerImage, Mean?.Count, StandardDeviation?.Count);

    /// <summary>Scales <c>[rows, channels, height, width]</c>.</summary>
    internal Tensor Apply(Tensor images)
    {
        if (PerImage)
            return Standardize(images);
        if (Mean == null && StandardDeviation == null)
            return Factor == 1 ? images : images * Factor;
        var channels = (int)images.shape[1];
        var slopes = Enumerable.Range(0, channels).Select(channel => (float)(Factor / At(StandardDeviation, channel, 1))).ToArray();
        var offsets = Enumerable.Range(0, channels).Select(channel => (float)(-At(Mean, channel, 0) / At(StandardDeviation, channel, 1))).ToArray();
        return addcmul(PerChannel(offsets, images), images, PerChannel(slopes, images), 1);
    }

    /// <exception cref="FormatException">A number is not usable; the message names it.</exception>
    internal void Check(int channels, string name)
    {
        if (!double.IsFinite(Factor) || Factor == 0)
            throw new FormatException($"{name}.factor is {Factor}; it must be finite and not 0.");
        CheckList(Mean, channels, $"{name}.mean", double.IsFinite, "finite");
        CheckList(StandardDeviation, channels, $"{name}.standardDeviation", value => double.IsFinite(value) && value > 0, "finite and greater than 0");
    }

    private static Tensor Standardize(Tensor images)
    {
        var count = images.shape[1] * images.shape[2] * images.shape[3];
        var mean = images.mean([1, 2, 3], keepdim: true);
        var centred = images - mean;
        var deviation = centred.square().mean([1, 2, 3], keepdim: true).sqrt_().clamp_min_(1 / Math.Sqrt(count));
        return centred.div_(deviation);
    }

    private static Tensor PerChannel(float[] values, Tensor like) =>
        tensor(values, dtype: like.dtype, device: like.device).view(1, values.Length, 1, 1);

    private static double At(IReadOnlyList<double>? values, int channel, double otherwise) =>
        values == null ? otherwise : values[values.Count == 1 ? 0 : channel];

    private static bool Same(IReadOnlyList<double>? a, IReadOnlyList<double>? b) =>
        a == null || b == null ? a == b : a.SequenceEqual(b);

    private static void CheckList(IReadOnlyList<double>? values, int channels, string name, Func<double, bool> isGood, string allowed)
    {
        if (values == null)
            return;
        if (values.Count != 1 && values.Count != channels)
            throw new FormatException($"{name} has {values.Count} numbers; the images have {channels} channels, so it must have 1 or {channels}.");
        foreach (var value in values)
        {
            if (!isGood(value))
                throw new FormatException($"{name} holds {value}; it must be {allowed}.");
        }
    }
}
