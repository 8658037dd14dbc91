using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Families.Images;
using MLExtensions.Families.MetricLearning;
using MLExtensions.Messages;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Embeddings of images by a network with trained weights, such as <see cref="ImageTrunk.DlibFace"/>, without training: a vector of length 1
/// whose distances say how alike two images are.
/// </summary>
/// <remarks>
/// <para>
/// Features are images: an <c>MLImage</c> column of known size (LoadImages and ResizeImages), or a <c>Vector&lt;Single&gt;</c> whose
/// dimensions are channels, height and width. <see cref="Fit"/> reads only the schema and the file of the weights. The transformer is that of
/// <see cref="ImageEmbeddingEstimator"/>, which goes on training the same network.
/// </para>
/// <para>
/// The outputs of the network are scaled to length 1, as those of all embeddings here, so that distances, thresholds and galleries are of one
/// kind. ImageFeatures with the same file gives the outputs themselves.
/// </para>
/// </remarks>
public sealed class PretrainedEmbeddingEstimator : IEstimator<EmbeddingTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;

    internal PretrainedEmbeddingEstimator(IHostEnvironment env, Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _host = env.Register(nameof(PretrainedEmbeddingEstimator));
        _options = options.Copy();
        _options.Check();
    }

    /// <summary>The options of <see cref="PretrainedEmbeddingEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>The network; it must bring trained weights, as <see cref="ImageTrunk.DlibFace"/> does. Must be set.</summary>
        public ImageTrunk? Trunk { get; set; }

        /// <summary>The column of the images. Default <c>Features</c>.</summary>
        public string FeatureColumnName { get; set; } = DefaultColumnNames.Features;

        /// <summary>The column to add: the embedding, a <c>Vector&lt;Single&gt;</c> of length 1. Default <c>Embedding</c>.</summary>
        public string OutputColumnName { get; set; } = EmbeddingOptions.DefaultOutputColumn;

        /// <inheritdoc cref="ImageOptions.ImageShape"/>
        public ImageShape? ImageShape { get; set; }

        /// <inheritdoc cref="ImageOptions.CropSize"/>
        public int? CropSize { get; set; }

        /// <summary>How pixels are scaled. Default null: as the network was trained.</summary>
        public PixelScaling? PixelScaling { get; set; }

        /// <inheritdoc cref="ImageEmbeddingEstimator.Options.TestTimeFlip"/>
        public bool TestTimeFlip { get; set; }

        internal ImageSettings Images => new(ImageShape, CropSize, PixelScaling ?? Trunk!.Scaling, [], TestTimeFlip);

        internal (string Name, string Path) WeightsFile => Trunk!.WeightsFile
            ?? throw new ArgumentException($"{nameof(Trunk)} has no trained weights; {nameof(ImageTrunk)}.{nameof(ImageTrunk.DlibFace)} has. MetricLearning.Trainers.Image trains the others.", nameof(Trunk));

        internal Options Copy() => (Options)MemberwiseClone();

        internal void Check()
        {
            OptionCheck.NotNull(Trunk, nameof(Trunk));
            OptionCheck.NotEmpty(FeatureColumnName, nameof(FeatureColumnName));
            OptionCheck.NotEmpty(OutputColumnName, nameof(OutputColumnName));
            _ = WeightsFile;
            Trunk!.Check($"{nameof(Trunk)}.");
            Images.Check();
        }
    }

    /// <summary>Builds the network for the images of the column and reads its weights. The transformer owns them.</summary>
    /// <param name="input">Data with the images; its rows are not read.</param>
    /// <exception cref="ArgumentException">The column is missing, of another type or of unknown size, or the images do not fit the network.</exception>
    /// <exception cref="ModelFormatException">The file of the weights is damaged.</exception>
    public EmbeddingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var images = _options.Images;
        var shape = images.CreateInput(FeatureRows.Find(input.Schema, _options.FeatureColumnName));
        var (name, path) = _options.WeightsFile;
        using var file = WeightFile.Open(path, name);
        var size = WeightSizes.OutputsOf(file, _options.Trunk!.CreateArchitecture(shape, 1).OutputLayer) ?? 1;
        var architecture = _options.Trunk.CreateArchitecture(shape, size);
        images.Check(architecture);
        return new EmbeddingTransformer(_host, PretrainedNetwork.Load(_host, file, architecture, name), _options.OutputColumnName, _options.FeatureColumnName);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        if (!inputSchema.TryFindColumn(_options.FeatureColumnName, out var column))
            throw FeatureRows.Missing(_options.FeatureColumnName, inputSchema.Select(other => other.Name));
        if (column.ItemType is not ImageDataViewType && (column.ItemType != NumberDataViewType.Single || column.IsKey || column.Kind != SchemaShape.Column.VectorKind.Vector))
            throw new ArgumentException($"Column '{column.Name}' has type {column.GetTypeString()}; it must be an image (MLImage) or a Vector<Single> of known size.{ImageSettings.Advise(column) ?? ColumnAdvice.ForFeatures(column)}", nameof(inputSchema));
        var columns = inputSchema.ToDictionary(other => other.Name);
        columns[_options.OutputColumnName] = EmbeddingEstimator.CreateColumn(_options.OutputColumnName);
        return new SchemaShape(columns.Values);
    }
}
