using MLExtensions.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using MLExtensions;
using MLExtensions.Families.Gan;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(DiscriminatorFeaturesTransformer), typeof(DiscriminatorFeaturesTransformer), null, typeof(SignatureLoadModel), "", DiscriminatorFeaturesTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>
/// Computes features of samples with the discriminator of a trained GAN, which has learned without labels what real samples look like, for
/// any trainer. Radford et al., "Unsupervised Representation Learning with Deep Convolutional GANs", 2016.
/// </summary>
/// <remarks>
/// <para>
/// Of images, the outputs of a layer are reduced to at most <see cref="Options.PooledSize"/> x <see cref="Options.PooledSize"/> positions by
/// their maxima. Labels do not take part, even if the GAN is conditional. <see cref="Fit"/> reads only the schema.
/// </para>
/// </remarks>
public sealed class DiscriminatorFeaturesEstimator : IEstimator<DiscriminatorFeaturesTransformer>
{
    private readonly IHost _host;
    private readonly Options _options;
    private readonly GanTransformer _model;

    internal DiscriminatorFeaturesEstimator(IHostEnvironment env, GanTransformer model, Options options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        _host = env.Register(nameof(DiscriminatorFeaturesEstimator));
        _options = options.Copy();
        _options.Check();
        _model = model;
        LayerNames = DiscriminatorLayers.NamesOf(Architecture);
        DiscriminatorLayers.Find(Architecture, _options.Layers, nameof(_options.Layers));
    }

    /// <summary>The names of the layers that have features, in order.</summary>
    public IReadOnlyList<string> LayerNames { get; }

    private DiscriminatorArchitecture Architecture => (DiscriminatorArchitecture)_model.Discriminator.Architecture;

    /// <summary>The options of <see cref="DiscriminatorFeaturesEstimator"/>.</summary>
    public sealed class Options
    {
        internal const int DefaultPooledSize = 4;

        /// <summary>The column to add, a <c>Vector&lt;Single&gt;</c>. Default <c>Features</c>.</summary>
        public string OutputColumnName { get; set; } = "Features";

        /// <summary>The column of the samples, as in the training of the GAN. Default <c>Features</c>.</summary>
        public string FeatureColumnName { get; set; } = "Features";

        /// <summary>
        /// The column to add for the score, a <c>Single</c>: the logit of the discriminator, greater for what looks real. Default null: none. A
        /// GAN with a <c>PackSize</c> above 1 has a discriminator that judges several samples at once; it gets the same one so many times, which
        /// it has learned to reject, so that scores only compare samples with each other.
        /// </summary>
        public string? ScoreColumnName { get; set; }

        /// <summary>
        /// The layers whose outputs are features, one after the other: some of <see cref="LayerNames"/>. Default null: all activation
        /// functions and maxout layers.
        /// </summary>
        public IReadOnlyList<string>? Layers { get; set; }

        /// <summary>The greatest number of rows and of columns of positions that are left of an image, at least 1. Default 4, as in the paper.</summary>
        public int PooledSize { get; set; } = DefaultPooledSize;

        internal Options Copy()
        {
            var copy = (Options)MemberwiseClone();
            copy.Layers = Layers?.ToArray();
            return copy;
        }

        internal void Check()
        {
            foreach (var (value, name) in new[] { (OutputColumnName, nameof(OutputColumnName)), (FeatureColumnName, nameof(FeatureColumnName)), (ScoreColumnName ?? "none", nameof(ScoreColumnName)) })
            {
                if (string.IsNullOrWhiteSpace(value))
                    throw new ArgumentException(FormattableString.Invariant($"{name} is empty; it must be a name."), name);
            }
            Messages.ColumnNames.RequireOther(ScoreColumnName, nameof(ScoreColumnName), (FeatureColumnName, nameof(FeatureColumnName)));
            if (ScoreColumnName == OutputColumnName)
                throw new ArgumentException(FormattableString.Invariant($"{nameof(ScoreColumnName)} is '{ScoreColumnName}'; it must be another name than {nameof(OutputColumnName)}."), nameof(ScoreColumnName));
            if (PooledSize < 1)
                throw new ArgumentOutOfRangeException(nameof(PooledSize), PooledSize, FormattableString.Invariant($"{nameof(PooledSize)} is {PooledSize}; it must be at least 1."));
        }
    }

    /// <summary>Creates the transformer. It uses the networks of the GAN, which must not be disposed before.</summary>
    /// <param name="input">Data with the samples; its rows are not read.</param>
    /// <exception cref="ArgumentException">The column is missing, or of another type or size.</exception>
    public DiscriminatorFeaturesTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var layers = DiscriminatorLayers.Find(Architecture, _options.Layers, nameof(_options.Layers));
        var settings = new DiscriminatorFeatureSettings(_options.OutputColumnName, _options.FeatureColumnName, _options.ScoreColumnName, layers, _options.PooledSize, _model.Architecture.Values, _model.Architecture.OutputRange);
        var transformer = new DiscriminatorFeaturesTransformer(_host, _model.Discriminator, settings, owned: false);
        transformer.GetOutputSchema(input.Schema);
        return transformer;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        if (!inputSchema.TryFindColumn(_options.FeatureColumnName, out var column))
            throw FeatureRows.Missing(_options.FeatureColumnName, inputSchema.Select(other => other.Name));
        if (column.ItemType is not ImageDataViewType)
            FeatureRows.Check(inputSchema, _options.FeatureColumnName);
        var columns = inputSchema.ToDictionary(other => other.Name);
        columns[_options.OutputColumnName] = OutputColumn.Vector(_options.OutputColumnName, 1).Shape;
        if (_options.ScoreColumnName is { } score)
            columns[score] = OutputColumn.Number(score).Shape;
        return new SchemaShape(columns.Values);
    }
}

/// <summary>Adds what the discriminator of a GAN computes of samples.</summary>
/// <inheritdoc cref="NetworkColumnsTransformer" path="/remarks"/>
public sealed class DiscriminatorFeaturesTransformer : FeatureColumnsTransformer
{
    internal const string LoaderSignature = "MLExtDiscriminator";
    private const string ModelSignature = "MLEXTDIS";
    private const string NetworkFolder = "Discriminator";

    private readonly DiscriminatorFeatureSettings _settings;
    private readonly DiscriminatorArchitecture _architecture;

    internal DiscriminatorFeaturesTransformer(IHostEnvironment env, NetworkModelParameters discriminator, DiscriminatorFeatureSettings settings, bool owned)
        : base(env.Register(LoaderSignature), settings.Features, owned, [discriminator])
    {
        _settings = settings;
        Discriminator = discriminator;
        _architecture = (DiscriminatorArchitecture)discriminator.Architecture;
        var format = new DenseFormat(_architecture.SampleSize);
        Format = settings is { Values: { } values, NetworkRange: not null }
            // Scaled as in the training, other rows than those of the training can lie a little outside; those with another scale lie far outside.
            ? new RangeFormat(format, "samples of this GAN") { Range = values, Slack = 1, Advice = _ => "Scale them as in its training." }
            : format;
        var width = settings.Layers.Sum(layer => DiscriminatorLayers.WidthOf(_architecture.PlacedOutputs[layer].Output, settings.PooledSize));
        Outputs = settings.Score == null
            ? [OutputColumn.Vector(settings.Output, checked((int)width))]
            : [OutputColumn.Vector(settings.Output, checked((int)width)), OutputColumn.Number(settings.Score)];
    }

    /// <summary>The column of the features.</summary>
    public string OutputColumnName => _settings.Output;

    /// <summary>The column of the score; null if there is none.</summary>
    public string? ScoreColumnName => _settings.Score;

    /// <summary>The discriminator.</summary>
    public NetworkModelParameters Discriminator { get; }

    internal override string WhyLibtorch => "what it pools of the discriminator's layers has no operator in ONNX";

    internal override FeatureFormat Format { get; }

    internal override IReadOnlyList<OutputColumn> Outputs { get; }

    internal override double MultiplyAdds => _architecture.MultiplyAdds;

    private protected override int PassRows => _architecture.ScoringRows;

    internal override Tensor[] Compute(Tensor features, int[] active)
    {
        if (_settings is { Values: { } values, NetworkRange: { } range })
            features = values.MapTo(range, features);
        var samples = _architecture.PackSize == 1 ? features : features.repeat(1, _architecture.PackSize);
        var labels = _architecture.ClassCount * _architecture.PackSize;
        var input = labels == 0 ? samples : cat([samples, zeros([samples.shape[0], labels], samples.dtype, samples.device)], 1);
        var network = (DiscriminatorNetwork)Discriminator.Network;
        var outputs = network.Outputs(input);
        return active.Select(index => index == 0
            ? cat(_settings.Layers.Select(layer => DiscriminatorLayers.Pool(outputs[layer], _settings.PooledSize)).ToArray(), 1)
            : outputs[_architecture.Layers.Count - 1].reshape(-1, 1)).ToArray();
    }

    internal override IReadOnlyList<string> Write(OnnxContext context, string rows) =>
        throw OnnxColumns.Refusal(nameof(DiscriminatorFeaturesTransformer), WhyLibtorch);

    internal static DiscriminatorFeaturesTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var (output, features, score) = (ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.LoadStringOrNull());
        var pooledSize = ctx.Reader.ReadInt32();
        var (values, range) = (ReadRange(ctx), ReadRange(ctx));
        var layers = ctx.Reader.ReadInt32() is var count and >= 1 and < 10_000 ? Enumerable.Range(0, count).Select(_ => ctx.Reader.ReadInt32()).ToArray() : [];
        var network = ctx.LoadNetwork(env, NetworkFolder, "a discriminator", other => other is { Architecture: DiscriminatorArchitecture, Head: null });
        var placed = ((DiscriminatorArchitecture)network.Architecture).PlacedOutputs.Count;
        if (pooledSize < 1 || layers.Length == 0 || layers.Any(layer => layer < 0 || layer >= placed))
        {
            network.Dispose();
            throw new ModelFormatException("Model.key", "names layers that the discriminator does not have");
        }
        return new DiscriminatorFeaturesTransformer(env, network, new DiscriminatorFeatureSettings(output, features, score, layers, pooledSize, values, range), owned: true);
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        var column = FeatureRows.Find(schema, InputColumnName);
        if (!FeatureReader.Fits(column, Format.Width))
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has {FeatureReader.WidthOf(column)} values ({column.Type}); the GAN was trained on samples of {Format.Width}."), nameof(schema));
        if (_architecture.Image is { } image && !image.HasSidesOf(column.Type))
            throw new ArgumentException(FormattableString.Invariant($"Column '{column.Name}' has images of type {column.Type}; the GAN was trained on {image}, channel after channel."), nameof(schema));
        return column;
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(_settings.Output);
        ctx.SaveNonEmptyString(_settings.Features);
        ctx.SaveStringOrNull(_settings.Score);
        ctx.Writer.Write(_settings.PooledSize);
        WriteRange(ctx, _settings.Values);
        WriteRange(ctx, _settings.NetworkRange);
        ctx.Writer.Write(_settings.Layers.Count);
        foreach (var layer in _settings.Layers)
            ctx.Writer.Write(layer);
        ctx.SaveModel(Discriminator, NetworkFolder);
    }

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private static void WriteRange(ModelSaveContext ctx, ValueRange? range)
    {
        ctx.Writer.Write(range?.Minimum ?? double.NaN);
        ctx.Writer.Write(range?.Maximum ?? double.NaN);
    }

    private static ValueRange? ReadRange(ModelLoadContext ctx)
    {
        var range = new ValueRange(ctx.Reader.ReadDouble(), ctx.Reader.ReadDouble());
        return double.IsFinite(range.Minimum) && double.IsFinite(range.Maximum) && range.Minimum < range.Maximum ? range : null;
    }
}

/// <summary>What is computed with a discriminator.</summary>
/// <param name="Output">The column of the features.</param>
/// <param name="Features">The column of the samples.</param>
/// <param name="Score">The column of the score, or null.</param>
/// <param name="Layers">The places of the layers whose outputs are features.</param>
/// <param name="PooledSize">The greatest number of rows and columns of positions.</param>
/// <param name="Values">The range of the data, or null.</param>
/// <param name="NetworkRange">The range that stands for it in the networks, or null.</param>
internal sealed record DiscriminatorFeatureSettings(string Output, string Features, string? Score, IReadOnlyList<int> Layers, int PooledSize, ValueRange? Values, ValueRange? NetworkRange);

/// <summary>The layers of a discriminator that have features.</summary>
internal static class DiscriminatorLayers
{
    public static IReadOnlyList<string> NamesOf(DiscriminatorArchitecture architecture) => PlacesOf(architecture).Select(place => architecture.PlacedOutputs[place].Site.Path).ToArray();

    /// <summary>The places of layers; of all activation functions and maxout layers if none are named.</summary>
    /// <exception cref="ArgumentException">A layer does not exist, or there is none.</exception>
    public static IReadOnlyList<int> Find(DiscriminatorArchitecture architecture, IReadOnlyList<string>? layers, string option)
    {
        var names = NamesOf(architecture);
        var possible = PlacesOf(architecture);
        var outputs = architecture.PlacedOutputs;
        var places = layers == null
            ? possible.Where(place => outputs[place].Layer is ActivationLayer or MaxoutLayer).ToArray()
            : layers.Select(layer => names.ToList().IndexOf(layer) is var index and >= 0
                ? possible[index]
                : throw new ArgumentException(FormattableString.Invariant($"{option} has '{layer}', which the discriminator does not have.{NearestName.Suggest(layer, names)} It has {NameList.Of(names)}."), option)).ToArray();
        if (places.Length == 0)
            throw new ArgumentException(FormattableString.Invariant($"{option} names no layer; the discriminator has {NameList.Of(names)}."), option);
        return places;
    }

    /// <summary>Places in <see cref="DiscriminatorArchitecture.PlacedOutputs"/> in the order of computation: layers of the sample, and the joined ones but the last, the score.</summary>
    private static IReadOnlyList<int> PlacesOf(DiscriminatorArchitecture architecture)
    {
        var joined = architecture.Layers.Count;
        return [.. Enumerable.Range(joined, architecture.PlacedOutputs.Count - joined), .. Enumerable.Range(0, joined - 1)];
    }

    /// <summary>The number of features of a layer.</summary>
    public static long WidthOf(LayerShape output, int pooledSize) => output.IsVector
        ? output.Channels
        : (long)output.Channels * Math.Min(output.Height, pooledSize) * Math.Min(output.Width, pooledSize);

    /// <summary>The maxima of parts of an image, one after the other; a vector as it is.</summary>
    public static Tensor Pool(Tensor output, int pooledSize) => output.dim() == 2
        ? output
        : nn.functional.adaptive_max_pool2d(output, [Math.Min(output.shape[2], pooledSize), Math.Min(output.shape[3], pooledSize)]).contiguous().flatten(1);
}
