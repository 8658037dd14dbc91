using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Style;
using MLExtensions.Tensors;

namespace MLExtensions;

/// <summary>What describes the style of a picture.</summary>
public enum StyleStatistic
{
    /// <summary>The mean and the standard deviation of each channel of each layer. Huang and Belongie, 2017.</summary>
    MeansAndDeviations,

    /// <summary>
    /// How often two channels of a layer respond together: the upper triangle of each Gram matrix, row by row, with its diagonal. Gatys et
    /// al., 2016. Much longer: a layer of 256 channels has 32,896 values.
    /// </summary>
    Gram,
}

/// <summary>
/// Describes the style of pictures by numbers: statistics of what the layers of a pretrained image network see, whatever is where in the
/// picture. With a trainer behind it, it tells painters apart; with a nearest neighbor search, it finds pictures of similar style.
/// </summary>
/// <remarks>Pictures of any size have vectors of the same length. <see cref="Fit"/> reads only the schema and the weights file.</remarks>
public sealed class StyleEmbeddingEstimator : IEstimator<StyleEmbeddingTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;
    private readonly string[] _layers;

    internal StyleEmbeddingEstimator(IHostEnvironment env, Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _host = env.Register(nameof(StyleEmbeddingEstimator));
        _options = options.Copy();
        _options.Check();
        using var file = new LossNetworkFile(_options.WeightsPath, nameof(_options.WeightsPath), _options.Architecture);
        _layers = LossLayers.Choose(file.Layers, _options.Layers, LossLayers.UsualOf(file.Layers)?.Style, nameof(_options.Layers));
        LayerNames = file.Layers.Select(layer => layer.ToString()).ToArray();
    }

    /// <summary>The names of the layers that can be used; where there are two names for a layer, both.</summary>
    public IReadOnlyList<string> LayerNames { get; }

    /// <summary>The options of <see cref="StyleEmbeddingEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>The column to add, a <c>Vector&lt;Single&gt;</c> of known size. Default <c>Features</c>.</summary>
        public string OutputColumnName { get; set; } = DefaultColumnNames.Features;

        /// <summary>The column of the pictures, <c>MLImage</c> of any size. Default <c>Image</c>.</summary>
        public string InputColumnName { get; set; } = "Image";

        /// <summary>
        /// The safetensors file with the weights of the network. Without <see cref="Architecture"/> the network is recognized, as by
        /// <see cref="ImageFeaturesEstimator"/>: SqueezeNet 1.0, VGG-16, VGG-19 and others with torchvision's names.
        /// </summary>
        public string WeightsPath { get; set; } = "";

        /// <summary>The network whose weights the file has, if it is not a known one. Default null.</summary>
        public ImageArchitecture? Architecture { get; set; }

        /// <summary>
        /// The layers, by full name (<c>features.4</c>) or by the name in papers (<c>relu4_1</c>, <c>fire3</c>). Default null: relu1_1,
        /// relu2_1, relu3_1, relu4_1 and relu5_1 of VGG; relu1_1, fire3, fire4 and fire5 of SqueezeNet; other networks need them.
        /// </summary>
        public IReadOnlyList<string>? Layers { get; set; }

        /// <summary>What describes the style. Default <see cref="StyleStatistic.MeansAndDeviations"/>.</summary>
        public StyleStatistic Statistic { get; set; }

        internal Options Copy()
        {
            var copy = (Options)MemberwiseClone();
            copy.Layers = Layers?.ToArray();
            return copy;
        }

        internal void Check()
        {
            foreach (var (value, name) in new[] { (OutputColumnName, nameof(OutputColumnName)), (InputColumnName, nameof(InputColumnName)), (WeightsPath, nameof(WeightsPath)) })
            {
                if (string.IsNullOrWhiteSpace(value))
                    throw new ArgumentException($"{name} is empty.", name);
            }
            if (!Enum.IsDefined(Statistic))
                throw new ArgumentOutOfRangeException(nameof(Statistic), Statistic, $"{nameof(Statistic)} is {Statistic}; it must be one of {string.Join(", ", Enum.GetNames<StyleStatistic>())}.");
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

    /// <summary>Reads the weights. The transformer owns them.</summary>
    /// <param name="input">Data with the pictures; its rows are not read.</param>
    /// <exception cref="ArgumentException">The column is missing or of another type, or the file has changed.</exception>
    public StyleEmbeddingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        PictureReader.Find(input.Schema, _options.InputColumnName);
        using var file = new LossNetworkFile(_options.WeightsPath, nameof(_options.WeightsPath), _options.Architecture);
        var network = file.Load(_host, _layers, LossPooling.AsTrained, nameof(_options.WeightsPath));
        return new StyleEmbeddingTransformer(_host, network, new StyleEmbeddingSettings(_options.OutputColumnName, _options.InputColumnName, _layers, _options.Statistic));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        PictureReader.Check(inputSchema, _options.InputColumnName);
        var columns = inputSchema.ToDictionary(column => column.Name);
        columns[_options.OutputColumnName] = new SchemaShape.Column(_options.OutputColumnName, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, isKey: false);
        return new SchemaShape(columns.Values);
    }
}

/// <summary>How the pooling layers of a loss network compute.</summary>
public enum LossPooling
{
    /// <summary>As the network was trained: the maximum in the known ones.</summary>
    AsTrained,

    /// <summary>The mean. Gatys et al. (2016) found that pictures become slightly more pleasing with it.</summary>
    Average,
}
