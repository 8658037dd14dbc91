using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using MLExtensions.Families.Images;
using MLExtensions.Messages;
using MLExtensions.Tensors;
using MLExtensions.Models;

namespace MLExtensions;

/// <summary>
/// Computes image features with a pretrained network, up to one of its layers: transfer learning without training the network.
/// </summary>
/// <remarks>
/// The last layers before the classifier of a network describe an image well, and a linear trainer on top of them needs few examples
/// (Donahue et al., "DeCAF", 2014). <see cref="Fit"/> reads only the schema and the weights file.
/// </remarks>
public sealed class ImageFeaturesEstimator : IEstimator<ImageFeaturesTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;

    internal ImageFeaturesEstimator(IHostEnvironment env, Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _host = env.Register(nameof(ImageFeaturesEstimator));
        _options = options.Copy();
        _options.Check();
        LayerNames = FeatureNetwork.Check(_options);
    }

    /// <summary>
    /// The names of the layers at which the network can be cut, in order. A sequence of layers comes after the layers in it.
    /// </summary>
    public IReadOnlyList<string> LayerNames { get; }

    /// <summary>The options of <see cref="ImageFeaturesEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>The column to add, a <c>Vector&lt;Single&gt;</c> of known size. Default <c>Features</c>.</summary>
        public string OutputColumnName { get; set; } = DefaultColumnNames.Features;

        /// <summary>
        /// The images: an <c>MLImage</c> column of known size, or a <c>Vector&lt;Single&gt;</c> as ExtractPixels creates it; red, green and
        /// blue from 0 to 255. Default <c>Image</c>.
        /// </summary>
        public string InputColumnName { get; set; } = "Image";

        /// <summary>
        /// The path of a safetensors file with the weights. Without <see cref="Architecture"/>, the network is recognized by the
        /// names and sizes of its layers: AlexNet, VGG-16 and VGG-19 (with or without batch normalization), GoogLeNet, SqueezeNet 1.0
        /// and ResNet-18 to -152 with torchvision's names, their variants for small images in <see cref="CnnLayers"/>, residual
        /// networks in the CIFAR form, and dlib's face network, also as the manifest of face-api.js (a path that ends with <c>.json</c>).
        /// </summary>
        public string WeightsPath { get; set; } = "";

        /// <summary>
        /// The name of the last layer to compute, such as <c>features</c>, <c>layer4</c> or <c>classifier.1</c>. Default null: the whole
        /// network, up to its logits.
        /// </summary>
        public string? Layer { get; set; }

        /// <summary>
        /// Whether an output with spatial positions is averaged over them, to one number per channel. Otherwise it is flattened, and the
        /// column has the dimensions [channels, height, width]. Default true.
        /// </summary>
        public bool Pool { get; set; } = true;

        /// <summary>
        /// How pixels are scaled. Default null: that of <see cref="Architecture"/>; without one <see cref="PixelScaling.ImageNet"/>, or -1
        /// to 1 for GoogLeNet, as torchvision's weights expect it.
        /// </summary>
        public PixelScaling? PixelScaling { get; set; }

        /// <summary>Side length in pixels of the square center crop that the network gets. Default null: the whole image.</summary>
        public int? CropSize { get; set; }

        /// <summary>The size and layout of the images, if the column type does not determine them. Default null.</summary>
        public ImageShape? ImageShape { get; set; }

        /// <summary>
        /// The network whose weights the file has, if it is not a known one. The file may have additional tensors. Default null.
        /// </summary>
        public ImageArchitecture? Architecture { get; set; }

        internal Options Copy() => (Options)MemberwiseClone();

        internal void Check()
        {
            foreach (var (value, name) in new[] { (OutputColumnName, nameof(OutputColumnName)), (InputColumnName, nameof(InputColumnName)), (WeightsPath, nameof(WeightsPath)) })
            {
                if (string.IsNullOrWhiteSpace(value))
                    throw new ArgumentException($"{name} is empty.", name);
            }
            if (CropSize < 1)
                throw new ArgumentOutOfRangeException(nameof(CropSize), CropSize, FormattableString.Invariant($"{nameof(CropSize)} is {CropSize}; it must be at least 1."));
            try
            {
                Architecture?.Check();
            }
            catch (FormatException e)
            {
                throw new ArgumentException($"{nameof(Architecture)}: {e.Message}", nameof(Architecture), e);
            }
        }
    }

    /// <summary>Builds the network for the images of the column and reads its weights. The transformer owns them.</summary>
    /// <param name="input">Data with the images; its rows are not read.</param>
    /// <exception cref="ArgumentException">
    /// The column is missing, of another type or of unknown size, or its images do not fit the network, or the file has changed.
    /// </exception>
    public ImageFeaturesTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var column = FeatureRows.Find(input.Schema, _options.InputColumnName);
        var model = FeatureNetwork.Load(_host, _options, column);
        return new ImageFeaturesTransformer(_host, model, _options.OutputColumnName, _options.InputColumnName);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        if (!inputSchema.TryFindColumn(_options.InputColumnName, out var column))
            throw FeatureRows.Missing(_options.InputColumnName, inputSchema.Select(other => other.Name));
        var isVector = column.Kind == SchemaShape.Column.VectorKind.Vector && column.ItemType == NumberDataViewType.Single;
        if (!isVector && column.ItemType is not ImageDataViewType)
            throw new ArgumentException($"Column '{column.Name}' has type {column.GetTypeString()}; it must be an image (MLImage) or a Vector<Single> of known size.{ColumnAdvice.ForFeatures(column)}", nameof(inputSchema));
        var columns = inputSchema.ToDictionary(other => other.Name);
        columns[_options.OutputColumnName] = new SchemaShape.Column(_options.OutputColumnName, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, isKey: false);
        return new SchemaShape(columns.Values);
    }
}
