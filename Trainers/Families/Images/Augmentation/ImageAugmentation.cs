using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using MLExtensions.Families.Images;
using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>A random change of training images, drawn again for every image of every batch. Not applied in scoring.</summary>
/// <remarks>
/// Pixel values are 0 to 255, before the network's own input scaling, and are not clamped to that range afterwards. A list of augmentations
/// is applied in order. Serializable with System.Text.Json: <c>$type</c> names the augmentation.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "$type")]
[JsonDerivedType(typeof(RandomCrop), "crop")]
[JsonDerivedType(typeof(RandomFlip), "flip")]
[JsonDerivedType(typeof(RandomRotation), "rotation")]
[JsonDerivedType(typeof(RandomAffine), "affine")]
[JsonDerivedType(typeof(ElasticDistortion), "elastic")]
[JsonDerivedType(typeof(RandomBrightness), "brightness")]
[JsonDerivedType(typeof(RandomContrast), "contrast")]
[JsonDerivedType(typeof(RandomSaturation), "saturation")]
[JsonDerivedType(typeof(Cutout), "cutout")]
[JsonDerivedType(typeof(Mixup), "mixup")]
public abstract record ImageAugmentation
{
    private protected ImageAugmentation()
    {
    }

    /// <summary>
    /// The probability that an image is changed, in [0, 1]. <see cref="RandomCrop"/> crops the other images at their center,
    /// <see cref="RandomFlip"/> decides for each direction, <see cref="Mixup"/> for a whole batch. Default 1, for
    /// <see cref="RandomFlip"/> 0.5.
    /// </summary>
    public double Probability { get; init; } = 1;

    /// <summary>Pads the image with zeros and crops it at a random position.</summary>
    /// <param name="padding">See <see cref="RandomCrop.Padding"/>.</param>
    /// <param name="height">See <see cref="RandomCrop.Height"/>.</param>
    /// <param name="width">See <see cref="RandomCrop.Width"/>.</param>
    public static RandomCrop Crop(int padding = 4, int? height = null, int? width = null) =>
        new() { Padding = padding, Height = height, Width = width };

    /// <summary>Mirrors images.</summary>
    /// <param name="horizontal">See <see cref="RandomFlip.Horizontal"/>.</param>
    /// <param name="vertical">See <see cref="RandomFlip.Vertical"/>.</param>
    /// <param name="probability">See <see cref="Probability"/>.</param>
    public static RandomFlip Flip(bool horizontal = true, bool vertical = false, double probability = 0.5) =>
        new() { Horizontal = horizontal, Vertical = vertical, Probability = probability };

    /// <summary>Rotates images about their center.</summary>
    /// <param name="maximumDegrees">See <see cref="RandomRotation.MaximumDegrees"/>.</param>
    public static RandomRotation Rotation(double maximumDegrees = 15) => new() { MaximumDegrees = maximumDegrees };

    /// <summary>Scales, shifts and shears images.</summary>
    /// <param name="minimumScale">See <see cref="RandomAffine.MinimumScale"/>.</param>
    /// <param name="maximumScale">See <see cref="RandomAffine.MaximumScale"/>.</param>
    /// <param name="maximumShift">See <see cref="RandomAffine.MaximumShift"/>.</param>
    /// <param name="maximumShear">See <see cref="RandomAffine.MaximumShear"/>.</param>
    public static RandomAffine Affine(
        double minimumScale = 0.9, double maximumScale = 1.1, double maximumShift = 0.1, double maximumShear = 0) =>
        new()
        {
            MinimumScale = minimumScale,
            MaximumScale = maximumScale,
            MaximumShift = maximumShift,
            MaximumShear = maximumShear,
        };

    /// <summary>Moves pixels along a smooth random field.</summary>
    /// <param name="alpha">See <see cref="ElasticDistortion.Alpha"/>.</param>
    /// <param name="sigma">See <see cref="ElasticDistortion.Sigma"/>.</param>
    public static ElasticDistortion Elastic(double alpha = 34, double sigma = 4) => new() { Alpha = alpha, Sigma = sigma };

    /// <summary>Adds a random number to all pixels of an image.</summary>
    /// <param name="maximumDelta">See <see cref="RandomBrightness.MaximumDelta"/>.</param>
    public static RandomBrightness Brightness(double maximumDelta = 63) => new() { MaximumDelta = maximumDelta };

    /// <summary>Changes the contrast of images at random.</summary>
    /// <param name="minimum">See <see cref="RandomContrast.Minimum"/>.</param>
    /// <param name="maximum">See <see cref="RandomContrast.Maximum"/>.</param>
    public static RandomContrast Contrast(double minimum = 0.2, double maximum = 1.8) =>
        new() { Minimum = minimum, Maximum = maximum };

    /// <summary>Changes the color saturation of images at random.</summary>
    /// <param name="minimum">See <see cref="RandomSaturation.Minimum"/>.</param>
    /// <param name="maximum">See <see cref="RandomSaturation.Maximum"/>.</param>
    public static RandomSaturation Saturation(double minimum = 0.5, double maximum = 1.5) =>
        new() { Minimum = minimum, Maximum = maximum };

    /// <summary>Covers a square at a random position.</summary>
    /// <param name="size">See <see cref="Cutout.Size"/>.</param>
    /// <param name="fill">See <see cref="Cutout.Fill"/>.</param>
    public static Cutout Cutout(int size = 8, double fill = 0) => new() { Size = size, Fill = fill };

    /// <summary>Blends every image and its label with another one of the batch.</summary>
    /// <param name="alpha">See <see cref="Mixup.Alpha"/>.</param>
    public static Mixup Mixup(double alpha = 0.2) => new() { Alpha = alpha };

    /// <summary>
    /// The augmentations of TensorFlow's CIFAR-10 tutorial for 32 x 32 pixels: a random crop without padding, a horizontal flip, brightness
    /// by up to 63, contrast by 0.2 to 1.8.
    /// </summary>
    /// <param name="cropSize">Height and width of the crop in pixels. Default 24.</param>
    /// <remarks>
    /// The tutorial's <c>distorted_inputs</c> ends with a standardization of each image, which is not an augmentation but part of the input
    /// scaling of the network.
    /// </remarks>
    public static IReadOnlyList<ImageAugmentation> DistortedInputs(int cropSize = 24) =>
        [Crop(padding: 0, cropSize, cropSize), Flip(), Brightness(63), Contrast(0.2, 1.8)];

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/> for the first setting that is out of range.</summary>
    internal void Check()
    {
        CheckBetween(Probability, 0, 1);
        CheckSettings();
    }

    /// <summary>Throws <see cref="ArgumentException"/> if images of this size cannot be changed in this way.</summary>
    internal virtual void CheckImages(int channels, int height, int width)
    {
    }

    /// <summary>The size of the changed images.</summary>
    internal virtual (int Height, int Width) OutputSize(int height, int width) => (height, width);

    /// <summary>Creates an operation that the next one of the list may be appended to.</summary>
    internal abstract IImageOperation CreateOperation();

    private protected abstract void CheckSettings();

    private protected string NameOf(string setting) => $"{GetType().Name}.{setting}";

    private protected void CheckBetween(
        double value, double least, double greatest, [CallerArgumentExpression(nameof(value))] string name = "") =>
        OptionCheck.Between(value, least, greatest, NameOf(name));

    /// <summary>Returns the values as text.</summary>
    public sealed override string ToString() => RecordText.Of(GetType().Name, PrintMembers);
}
