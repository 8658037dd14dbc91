using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Images;
using MLExtensions.Supervised;
using MLExtensions.Tensors;
using MLExtensions.Training;

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

    internal sealed override string AdviseFeatures(SchemaShape.Column column) => ImageSettings.Advise(column) ?? base.AdviseFeatures(column);

    internal sealed override FeatureFormat CreateFormat(IDataView data, DataViewSchema.Column features, NetworkArchitecture? initial, Action throwIfCancelled) =>
        new DenseFormat(checked((int)MLExtensions.ImageShape.Of(features, ImageShape).Count));

    internal sealed override NetworkArchitecture CreateArchitecture(DataViewSchema.Column features, FeatureFormat format, int outputCount)
    {
        var architecture = CreateArchitecture(Images.CreateInput(features), outputCount);
        Images.Check(architecture);
        return architecture;
    }

    internal sealed override IFeatureAugmenter? CreateAugmenter(NetworkArchitecture architecture) => Images.CreateAugmenter(((ImageArchitecture)architecture).Image);

    /// <summary>Images are scaled by <see cref="PixelScaling"/>, unless there is none.</summary>
    internal override int? FirstNumber(DataViewSchema.Column features, FeatureFormat format) => Images.FirstNumber(features);

    internal override TrainingOptions Snapshot()
    {
        var copy = (ImageOptions)base.Snapshot();
        copy.Augmentations = Augmentations.ToArray();
        return copy;
    }

    internal override void Check()
    {
        base.Check();
        Images.Check();
    }

    private ImageSettings Images => new(ImageShape, CropSize, PixelScaling, Augmentations, TestTimeFlip);

    private protected abstract ImageArchitecture CreateArchitecture(ImageInput input, int outputCount);
}
