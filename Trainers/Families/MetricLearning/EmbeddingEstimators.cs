using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Families.Images;
using MLExtensions.Families.MetricLearning;
using MLExtensions.Families.Mlp;
using MLExtensions.Messages;
using MLExtensions.Supervised;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Base class of the estimators that learn embeddings from classes: what is of the same class is near, the rest is far.</summary>
public abstract class EmbeddingEstimator : NetworkEstimator<EmbeddingTransformer>
{
    private readonly EmbeddingOptions _options;

    private protected EmbeddingEstimator(IHostEnvironment env, string name, EmbeddingOptions options)
        : base(env, name, options) => _options = (EmbeddingOptions)Settings;

    private protected override void CheckSchema(SchemaShape schema)
    {
        var features = Find(schema, _options.FeatureColumnName, "Feature");
        if (!_options.TakesFeatures(features))
            throw Wrong("Feature", features, _options.FeatureDescription, _options.AdviseFeatures(features));
        var label = Find(schema, _options.LabelColumnName, "Label");
        if (!label.IsKey || label.Kind != SchemaShape.Column.VectorKind.Scalar)
            throw Wrong("Label", label, "a key", ColumnAdvice.ForKey(label));
    }

    private protected override IEnumerable<SchemaShape.Column> AddedColumns() => [CreateColumn(_options.OutputColumnName)];

    /// <summary>The column that embeddings add.</summary>
    internal static SchemaShape.Column CreateColumn(string name) => new(
        name,
        SchemaShape.Column.VectorKind.Vector,
        NumberDataViewType.Single,
        isKey: false,
        new SchemaShape([new SchemaShape.Column(EmbeddingFingerprint.Kind, SchemaShape.Column.VectorKind.Scalar, TextDataViewType.Instance, isKey: false)]));

    private protected override EmbeddingTransformer Train(IDataView input, IDataView? validation)
    {
        var networks = new EmbeddingTraining(Host, _options, Seed).RunAll(input, validation);
        // The centers of the classes are needed in training only.
        foreach (var center in networks.Skip(1))
            center.Dispose();
        return new EmbeddingTransformer(Host, networks[0], _options.OutputColumnName, _options.FeatureColumnName);
    }

    private static SchemaShape.Column Find(SchemaShape schema, string name, string role) => schema.TryFindColumn(name, out var column)
        ? column
        : throw new ArgumentException($"{role} column '{name}' is not in the data; the columns are {string.Join(", ", schema.Select(other => other.Name))}.", nameof(schema));

    private static ArgumentException Wrong(string role, SchemaShape.Column column, string expected, string advice) =>
        new($"{role} column '{column.Name}' has type {column.GetTypeString()}; it must be {expected}.{advice}");
}

/// <summary>
/// Learns an embedding of images from classes: a vector of length 1 whose distances say how alike two images are, also of classes that were
/// not in the training, such as the faces of other people.
/// </summary>
/// <remarks>
/// <para>
/// Features are images: an <c>MLImage</c> column of known size (LoadImages and ResizeImages), or a <c>Vector&lt;Single&gt;</c> whose
/// dimensions are channels, height and width (set by ExtractPixels, or by <see cref="Options.ImageShape"/>). The label is a key. The
/// transformer adds <see cref="EmbeddingOptions.OutputColumnName"/>; the squared Euclidean distance of two embeddings is from 0 to 4, and
/// 2 - 2 times their cosine.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Metric learning; the label is a key</description></item>
/// <item><term>Is normalization required?</term><description>Recommended: pixels with values around 1, see
/// <see cref="Options.PixelScaling"/>.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes, for vectors of pixels</description></item>
/// </list>
/// <para>
/// Schroff, Kalenichenko and Philbin, "FaceNet: A Unified Embedding for Face Recognition and Clustering" (2015): the outputs of the network
/// are scaled to length 1, and triplets of a batch are learned from; <see cref="EmbeddingOptions.Loss"/> has other losses. The history has
/// the share of triplets that violate the margin (<c>activeTriplets</c>), and the mean squared distance of pairs of a class
/// (<c>sameDistance</c>) and of different classes (<c>differentDistance</c>). If these become 0, the network has collapsed: all embeddings
/// are alike, and the log says what helps. Only violations are learned from, so the loss need not fall; look at the distances. The same
/// seed, data, computer and number of threads give the same weights.
/// </para>
/// <para>
/// A classifier with the same layers can be the <see cref="TrainingOptions.InitialModel"/>: all of its layers but the last one are taken.
/// </para>
/// </remarks>
public sealed class ImageEmbeddingEstimator : EmbeddingEstimator
{
    internal ImageEmbeddingEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(ImageEmbeddingEstimator), options)
    {
    }

    /// <summary>The options of <see cref="ImageEmbeddingEstimator"/>.</summary>
    /// <remarks>The default of <see cref="TrainingOptions.Initialization"/> is <see cref="WeightInitialization.HeNormal"/>.</remarks>
    public sealed class Options : EmbeddingOptions
    {
        /// <summary>Creates options with their defaults.</summary>
        public Options() => Initialization = WeightInitialization.HeNormal;

        /// <summary>
        /// The network; its outputs are the embedding. <see cref="ImageTrunk.DlibFace"/> is one with trained weights. Default:
        /// <see cref="ImageTrunk.Cnn"/> with <see cref="CnnLayers.Default"/>.
        /// </summary>
        public ImageTrunk Trunk { get; set; } = ImageTrunk.Cnn(CnnLayers.Default());

        /// <inheritdoc cref="ImageOptions.ImageShape"/>
        public ImageShape? ImageShape { get; set; }

        /// <inheritdoc cref="ImageOptions.CropSize"/>
        public int? CropSize { get; set; }

        /// <inheritdoc cref="ImageOptions.PixelScaling"/>
        public PixelScaling? PixelScaling { get; set; }

        /// <summary>
        /// Random changes of the training images, applied in this order before pixels are scaled; not <see cref="Mixup"/>, which blends
        /// classes. Not applied in scoring or validation. With few images they matter most: small shifts, mirroring and brightness for
        /// faces. Default: none.
        /// </summary>
        public IReadOnlyList<ImageAugmentation> Augmentations { get; set; } = [];

        /// <summary>
        /// Whether validation and scoring average the outputs for an image and its mirror image, before they are scaled to length 1, at
        /// twice the cost. Default false.
        /// </summary>
        public bool TestTimeFlip { get; set; }

        internal override (string Name, string Path)? WeightsFile => base.WeightsFile ?? (InitialModel == null ? Trunk?.WeightsFile : null);

        private ImageSettings Images => new(ImageShape, CropSize, PixelScaling ?? Trunk.Scaling, Augmentations, TestTimeFlip);

        internal override string FeatureDescription => "an image (MLImage) or Vector<Single> of known size";

        internal override bool TakesFeatures(SchemaShape.Column column) => column.ItemType is ImageDataViewType
            || (column.ItemType == NumberDataViewType.Single && !column.IsKey && column.Kind != SchemaShape.Column.VectorKind.VariableVector);

        internal override string AdviseFeatures(SchemaShape.Column column) => ImageSettings.Advise(column) ?? base.AdviseFeatures(column);

        internal override NetworkArchitecture CreateArchitecture(DataViewSchema.Column features)
        {
            var architecture = Trunk.CreateArchitecture(Images.CreateInput(features), EmbeddingSize);
            Images.Check(architecture);
            return architecture;
        }

        internal override IFeatureAugmenter? CreateAugmenter(NetworkArchitecture architecture) => Images.CreateAugmenter(((ImageArchitecture)architecture).Image);

        internal override int? FirstNumber(DataViewSchema.Column features) => Images.FirstNumber(features);

        internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
            [(nameof(Trunk), Trunk.Describe((ImageArchitecture)architecture)), (nameof(EmbeddingSize), FormattableString.Invariant($"{EmbeddingSize}"))];

        internal override TrainingOptions Snapshot()
        {
            var copy = (Options)base.Snapshot();
            copy.Augmentations = Augmentations.ToArray();
            return copy;
        }

        internal override void Check()
        {
            OptionCheck.NotNull(Trunk, nameof(Trunk));
            base.Check();
            Trunk.Check($"{nameof(Trunk)}.");
            Images.Check();
            if (Augmentations.OfType<Mixup>().Any())
                throw new ArgumentException($"{nameof(Augmentations)} has {nameof(Mixup)}, which blends examples of several classes; embeddings learn from examples of one class.", nameof(Augmentations));
        }
    }
}

/// <summary>
/// Learns an embedding of rows of numbers from classes, with a multilayer perceptron: a vector of length 1 whose distances say how alike two
/// rows are, also of classes that were not in the training.
/// </summary>
/// <remarks>
/// <para>
/// Features are a <c>Vector&lt;Single&gt;</c> of known size (or one <c>Single</c>), such as those of a pretrained network; the label is a
/// key. The transformer adds <see cref="EmbeddingOptions.OutputColumnName"/>; the squared Euclidean distance of two embeddings is from 0 to 4,
/// and 2 - 2 times their cosine.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Metric learning; the label is a key</description></item>
/// <item><term>Is normalization required?</term><description>Yes: features with mean 0 and variance 1 (NormalizeMeanVariance)</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes</description></item>
/// </list>
/// <para>Losses, history, validation and initial models are those of <see cref="ImageEmbeddingEstimator"/>.</para>
/// </remarks>
public sealed class DenseEmbeddingEstimator : EmbeddingEstimator
{
    internal DenseEmbeddingEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(DenseEmbeddingEstimator), options)
    {
    }

    /// <summary>The options of <see cref="DenseEmbeddingEstimator"/>.</summary>
    public sealed class Options : EmbeddingOptions
    {
        /// <inheritdoc cref="MlpOptions.HiddenLayers"/>
        public IReadOnlyList<HiddenLayer> HiddenLayers { get; set; } = [256];

        /// <inheritdoc cref="MlpOptions.Activation"/>
        public Activation Activation { get; set; } = Activation.ReLU;

        /// <inheritdoc cref="MlpOptions.Dropout"/>
        public double Dropout { get; set; }

        /// <inheritdoc cref="MlpOptions.InputDropout"/>
        public double InputDropout { get; set; }

        /// <inheritdoc cref="MlpOptions.BatchNormalization"/>
        public bool BatchNormalization { get; set; }

        private MlpTrunk Trunk => new(HiddenLayers, Activation, Dropout, InputDropout, BatchNormalization);

        internal override string FeatureDescription => "Vector<Single> of known size, or Single";

        internal override bool TakesFeatures(SchemaShape.Column column) =>
            column.ItemType == NumberDataViewType.Single && !column.IsKey && column.Kind != SchemaShape.Column.VectorKind.VariableVector;

        internal override NetworkArchitecture CreateArchitecture(DataViewSchema.Column features) => Trunk.CreateArchitecture(FeatureReader.WidthOf(features), EmbeddingSize);

        internal override IReadOnlyList<(string Name, string Value)> DescribeSizes(NetworkArchitecture architecture) =>
            [(nameof(HiddenLayers), Trunk.Describe()), (nameof(EmbeddingSize), FormattableString.Invariant($"{EmbeddingSize}"))];

        internal override TrainingOptions Snapshot()
        {
            var copy = (Options)base.Snapshot();
            copy.HiddenLayers = HiddenLayers.ToArray();
            return copy;
        }

        internal override void Check()
        {
            base.Check();
            Trunk.Check(BatchSize);
        }
    }
}
