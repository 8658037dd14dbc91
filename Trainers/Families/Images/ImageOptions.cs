using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Images;
using MLExtensions.Supervised;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>Options shared by all image trainers.</summary>
/// <remarks>The default of <see cref="TrainingOptions.Initialization"/> is <see cref="WeightInitialization.HeNormal"/>.</remarks>
public abstract class ImageOptions : SupervisedTrainerOptions
{
    private protected ImageOptions() => Initialization = WeightInitialization.HeNormal;

    /// <summary>
    /// The size and layout of the images. Default null: the dimensions of a vector column (set by ExtractPixels), or the size of an image
    /// column, in color.
    /// </summary>
    public ImageShape? ImageShape { get; set; }

    /// <summary>
    /// Side length in pixels of the square center crop that the network gets. In training, <see cref="Augmentations"/> may crop elsewhere.
    /// Default null: the whole image.
    /// </summary>
    public int? CropSize { get; set; }

    /// <summary>
    /// How pixels are scaled before the first layer, in training and in scoring. Default null: not at all for a vector column, from 0..255
    /// to 0..1 for an image column.
    /// </summary>
    public PixelScaling? PixelScaling { get; set; }

    /// <summary>
    /// Random changes of the training images, applied in this order before pixels are scaled. Not applied in scoring or validation.
    /// Default: none.
    /// </summary>
    public IReadOnlyList<ImageAugmentation> Augmentations { get; set; } = [];

    /// <summary>
    /// Whether validation and scoring average the outputs for an image and its mirror image, at twice the cost. Default false.
    /// </summary>
    public bool TestTimeFlip { get; set; }

    internal sealed override string FeatureDescription => "an image (MLImage) or Vector<Single> of known size";

    internal sealed override bool TakesFeatures(SchemaShape.Column column) =>
        column.ItemType is Microsoft.ML.Transforms.Image.ImageDataViewType || base.TakesFeatures(column);

    internal sealed override string AdviseFeatures(SchemaShape.Column column) => column.ItemType is TextDataViewType
        ? $" Add ml.Transforms.LoadImages(\"{column.Name}\", imageFolder) and ResizeImages before it, for file names."
        : base.AdviseFeatures(column);

    internal sealed override FeatureFormat CreateFormat(IDataView data, DataViewSchema.Column features, NetworkArchitecture? initial, Action throwIfCancelled) =>
        new DenseFormat(checked((int)MLExtensions.ImageShape.Of(features, ImageShape).Count));

    internal sealed override NetworkArchitecture CreateArchitecture(DataViewSchema.Column features, FeatureFormat format, int outputCount)
    {
        var shape = MLExtensions.ImageShape.Of(features, ImageShape);
        var input = new ImageInput(shape)
        {
            CropSize = CropSize,
            Scaling = ScalingOf(features),
            TestTimeFlip = TestTimeFlip,
        };
        var architecture = CreateArchitecture(input, outputCount);
        try
        {
            architecture.Check();
        }
        catch (FormatException e)
        {
            throw new ArgumentException(e.Message, e);
        }
        CheckAugmentedSize(architecture.Image);
        return architecture;
    }

    internal sealed override IFeatureAugmenter? CreateAugmenter(NetworkArchitecture architecture)
    {
        var input = ((ImageArchitecture)architecture).Image;
        return Augmentations.Count == 0 ? null : new RowAugmenter(input, CreateAugmenter(input.Shape));
    }

    /// <summary>Images are scaled by <see cref="PixelScaling"/>, unless there is none.</summary>
    internal override int? FirstNumber(DataViewSchema.Column features, FeatureFormat format) => ScalingOf(features) == MLExtensions.PixelScaling.None ? 0 : null;

    internal override TrainingOptions Snapshot()
    {
        var copy = (ImageOptions)base.Snapshot();
        copy.Augmentations = Augmentations.ToArray();
        return copy;
    }

    internal override void Check()
    {
        base.Check();
        OptionCheck.AtLeast(CropSize ?? 1, 1, nameof(CropSize));
        ImageAugmenter.Check(Augmentations, nameof(Augmentations));
    }

    /// <summary>The layer with the most weights, as text.</summary>
    private protected static string Largest(ImageArchitecture architecture)
    {
        var largest = architecture.Leaves.MaxBy(placed => placed.Layer.ParameterCount(placed.Input, placed.Site));
        return FormattableString.Invariant($"'{largest.Site.Path}' ({largest.Layer.Title}, output {largest.Output}) has {largest.Layer.ParameterCount(largest.Input, largest.Site):N0} weights");
    }

    private PixelScaling ScalingOf(DataViewSchema.Column features) =>
        PixelScaling ?? (features.Type is Microsoft.ML.Transforms.Image.ImageDataViewType ? MLExtensions.PixelScaling.ToUnit : MLExtensions.PixelScaling.None);

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

    private protected abstract ImageArchitecture CreateArchitecture(ImageInput input, int outputCount);

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
