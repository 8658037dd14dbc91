using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Supervised;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.Images;

/// <summary>What options say of the images that a network gets, whatever it is trained for.</summary>
/// <param name="Shape">The size and layout of the images; null for that of the column.</param>
/// <param name="CropSize">The side length of the center crop, or null.</param>
/// <param name="Scaling">How pixels are scaled; null for what suits the column.</param>
/// <param name="Augmentations">The random changes in training.</param>
/// <param name="TestTimeFlip">Whether outputs of mirror images are averaged.</param>
internal sealed record ImageSettings(ImageShape? Shape, int? CropSize, PixelScaling? Scaling, IReadOnlyList<ImageAugmentation> Augmentations, bool TestTimeFlip)
{
    /// <summary>The input of the network for a column.</summary>
    /// <exception cref="ArgumentException">The column has no images, or does not say how large they are.</exception>
    public ImageInput CreateInput(DataViewSchema.Column features) => new(ImageShape.Of(features, Shape))
    {
        CropSize = CropSize,
        Scaling = ScalingOf(features),
        TestTimeFlip = TestTimeFlip,
    };

    /// <summary>Checks a network and what the augmentations make of its images.</summary>
    /// <exception cref="ArgumentException">They do not fit; the message says why.</exception>
    public void Check(ImageArchitecture architecture)
    {
        try
        {
            architecture.Check();
        }
        catch (FormatException e)
        {
            throw new ArgumentException(e.Message, e);
        }
        CheckAugmentedSize(architecture.Image);
    }

    /// <summary>Checks what does not depend on the data.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public void Check()
    {
        OptionCheck.AtLeast(CropSize ?? 1, 1, nameof(CropSize));
        ImageAugmenter.Check(Augmentations, nameof(Augmentations));
    }

    /// <summary>Applies the augmentations to rows of features; null if there are none.</summary>
    public IFeatureAugmenter? CreateAugmenter(ImageInput input) =>
        Augmentations.Count == 0 ? null : new RowAugmenter(input, CreateAugmenter(input.Shape));

    /// <summary>The first value of a row whose size matters: images are scaled, unless they are not.</summary>
    public int? FirstNumber(DataViewSchema.Column features) => ScalingOf(features) == PixelScaling.None ? 0 : null;

    /// <summary>What to do with a column of file names: the end of a message; null for other columns.</summary>
    public static string? Advise(SchemaShape.Column column) => column.ItemType is TextDataViewType
        ? $" Add ml.Transforms.LoadImages(\"{column.Name}\", imageFolder) and ResizeImages before it, for file names."
        : null;

    /// <summary>The layer with the most weights, as text.</summary>
    public static string Largest(ImageArchitecture architecture)
    {
        var largest = architecture.Leaves.MaxBy(placed => placed.Layer.ParameterCount(placed.Input, placed.Site));
        return FormattableString.Invariant($"'{largest.Site.Path}' ({largest.Layer.Title}, output {largest.Output}) has {largest.Layer.ParameterCount(largest.Input, largest.Site):N0} weights");
    }

    private PixelScaling ScalingOf(DataViewSchema.Column features) =>
        Scaling ?? (features.Type is ImageDataViewType ? PixelScaling.ToUnit : PixelScaling.None);

    /// <summary>The random crop in training and the center crop in scoring must have the same size.</summary>
    private void CheckAugmentedSize(ImageInput input)
    {
        if (Augmentations.Count == 0)
            return;
        var augmented = CreateAugmenter(input.Shape).OutputSize(input.Shape.Height, input.Shape.Width);
        var (height, width) = (input.NetworkShape.Height, input.NetworkShape.Width);
        if (augmented != (height, width) && augmented != (input.Shape.Height, input.Shape.Width))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(Augmentations)} produce images of {augmented.Height} x {augmented.Width}, but the network takes {height} x {width}; set {nameof(CropSize)} to the size of the random crop."));
    }

    private ImageAugmenter CreateAugmenter(ImageShape shape) =>
        ImageAugmenter.Create(Augmentations, shape.Channels, shape.Height, shape.Width, nameof(Augmentations));

    /// <summary>Augments rows of features that are images.</summary>
    private sealed class RowAugmenter(ImageInput input, ImageAugmenter augmenter) : IFeatureAugmenter
    {
        public AugmentedFeatures Apply(Tensor features, ref SplitMix64 random)
        {
            var (images, partner, share) = augmenter.Apply(input.ToImages(features), ref random);
            return new AugmentedFeatures(images, partner, share);
        }
    }
}
