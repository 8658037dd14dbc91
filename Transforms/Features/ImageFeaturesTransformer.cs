using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Features;
using MLExtensions.Heads;
using MLExtensions.Persistence;
using MLExtensions.Scoring;
using MLExtensions.Tensors;

[assembly: LoadableClass(typeof(ImageFeaturesTransformer), typeof(ImageFeaturesTransformer), null, typeof(SignatureLoadModel), "", ImageFeaturesTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Adds what a pretrained network, up to one of its layers, makes of images.</summary>
/// <remarks>
/// <see cref="Transform"/> is lazy: every pass over the rows computes the features again, so cache them before a trainer that goes
/// through them more than once. Rows are computed in blocks, in a prediction engine one by one. One transformer can be used by
/// several threads.
/// </remarks>
public sealed class ImageFeaturesTransformer : ITransformer, IDisposable
{
    internal const string LoaderSignature = "MLExtImageFeatures";
    private const string ModelSignature = "MLEXTIMF";
    private const string NetworkFolder = "Network";

    private readonly IHost _host;

    internal ImageFeaturesTransformer(IHostEnvironment env, NetworkModelParameters model, string outputColumnName, string inputColumnName)
    {
        _host = env.Register(LoaderSignature);
        Model = model;
        OutputColumnName = outputColumnName;
        InputColumnName = inputColumnName;
        OutputType = LayerCut.OutputType((CnnArchitecture)model.Architecture);
    }

    /// <summary>The column that is added.</summary>
    public string OutputColumnName { get; }

    /// <summary>The column of the images.</summary>
    public string InputColumnName { get; }

    /// <summary>The network up to the layer, and its weights. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The type of the added column: with dimensions [channels, height, width] where it is a flattened image.</summary>
    internal VectorDataViewType OutputType { get; }

    bool ITransformer.IsRowToRowMapper => true;

    /// <summary>Adds the features to data that has the images.</summary>
    /// <param name="input">Data with the column of images.</param>
    /// <exception cref="ArgumentException">The column is missing, or of another type or size.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var mapper = CreateMapper(input.Schema);
        var blocks = new LookAheadDataView(input, InputColumnName, Model.Format);
        return new BatchScoredDataView(new RowToRowMapperTransform(_host, blocks, mapper, CreateMapper));
    }

    /// <summary>The schema of what <see cref="Transform"/> makes of data with a schema.</summary>
    /// <exception cref="ArgumentException">The column is missing, or of another type or size.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return RowToRowMapperTransform.GetOutputSchema(inputSchema, CreateMapper(inputSchema));
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose() => Model.Dispose();

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) =>
        new RowToRowMapperTransform(_host, new EmptyDataView(_host, inputSchema), CreateMapper(inputSchema), CreateMapper);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(GetVersionInfo());
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.SaveModel(Model, NetworkFolder);
    }

    internal static ImageFeaturesTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var outputColumnName = ctx.LoadNonEmptyString();
        var inputColumnName = ctx.LoadNonEmptyString();
        ctx.LoadModel<NetworkModelParameters, SignatureLoadModel>(env, out var model, NetworkFolder);
        if (model is { Head: FeaturesHead, Architecture: CnnArchitecture })
            return new ImageFeaturesTransformer(env, model, outputColumnName, inputColumnName);
        model.Dispose();
        throw new ModelFormatException(NetworkFolder, $"is no network for features: {model.Architecture.GetType().Name}, {model.Head.Kind}");
    }

    internal static DataViewSchema.Column FindColumn(DataViewSchema schema, string name) =>
        schema.GetColumnOrNull(name) ?? throw Missing(name, schema.Select(column => column.Name));

    internal static ArgumentException Missing(string name, IEnumerable<string> present) =>
        new($"Column '{name}' is not in the data; it has {string.Join(", ", present)}.");

    private ImageFeaturesMapper CreateMapper(DataViewSchema schema)
    {
        var column = FindColumn(schema, InputColumnName);
        if (!FeatureReader.Fits(column, Model.Architecture.InputCount))
            throw new ArgumentException($"Column '{column.Name}' has {FeatureReader.WidthOf(column)} values ({column.Type}); the network takes {((CnnArchitecture)Model.Architecture).Image.Shape}.", nameof(schema));
        return new ImageFeaturesMapper(this, column);
    }

    private static VersionInfo GetVersionInfo() => new(
        ModelSignature,
        verWrittenCur: 0x00010001,
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderAssemblyName: typeof(ImageFeaturesTransformer).Assembly.FullName,
        loaderSignature: LoaderSignature);
}
