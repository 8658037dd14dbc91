using MLExtensions.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using MLExtensions;
using MLExtensions.Families.Style;
using MLExtensions.Models;
using MLExtensions.Persistence;

[assembly: LoadableClass(typeof(StyleTransferTransformer), typeof(StyleTransferTransformer), null, typeof(SignatureLoadModel), "", StyleTransferTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Paints pictures in the style of others, by optimization.</summary>
/// <remarks>
/// <see cref="NetworkColumnsTransformer.Transform"/> is lazy and slow: every pass over the rows optimizes each picture again, when its row is
/// read. ML.NET cannot cache images: read them once, and save them. A row's picture does not depend on other rows. One transformer can be used by
/// several threads. It uses the training engine: a program that loads it needs MLExtensions.Trainers.
/// </remarks>
public sealed class StyleTransferTransformer : NetworkColumnsTransformer
{
    internal const string LoaderSignature = "MLExtStyleTransfer";
    private const string ModelSignature = "MLEXTSTY";
    private const string NetworkFolder = "LossNetwork";

    private readonly StyleTransferEstimator.Options _options;
    private readonly StyleTransferPlan _plan;
    private readonly StylePictures _style;
    private readonly int _seed;
    private readonly PictureOptimization _optimization;
    private int _said;

    internal StyleTransferTransformer(IHostEnvironment env, NetworkModelParameters network, StyleTransferEstimator.Options options, StyleTransferPlan plan, StylePictures style, int seed)
        : base(env.Register(LoaderSignature), options.InputColumnName, [network])
    {
        (LossNetwork, _options, _plan, _style, _seed) = (network, options, plan, style, seed);
        (Progress, CancellationToken) = (options.Progress, options.CancellationToken);
        _optimization = new PictureOptimization(Host, network, options, plan.Loss, style, seed);
    }

    /// <summary>The column of the finished pictures.</summary>
    public string OutputColumnName => _options.OutputColumnName;

    /// <summary>The network that compares pictures, up to the last layer that is used. The transformer owns it.</summary>
    public NetworkModelParameters LossNetwork { get; }

    /// <inheritdoc cref="StyleTransferEstimator.Options.Progress"/>
    public IProgress<StyleTransferProgress>? Progress { get; set; }

    /// <inheritdoc cref="StyleTransferEstimator.Options.CancellationToken"/>
    public CancellationToken CancellationToken { get; set; }

    internal override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumns => ColumnsWith(new ImageDataViewType());

    /// <summary>As large as the content pictures, if their column tells the size.</summary>
    private protected override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumnsFor(DataViewSchema schema) => ColumnsWith(schema[InputColumnName].Type);

    internal static StyleTransferTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var (options, seed, style) = StyleTransferStorage.Load(ctx);
        var network = ctx.LoadNetwork(env, NetworkFolder, "a loss network", model => model is { Architecture: ImageArchitecture { Image.Shape.Channels: 3 }, Head: null });
        try
        {
            var plan = StyleTransferPlan.Of(options, LossLayers.Of((ImageArchitecture)network.Architecture));
            return new StyleTransferTransformer(env, network, options, plan, style, seed);
        }
        catch (ArgumentException e)
        {
            network.Dispose();
            throw new ModelFormatException(NetworkFolder, $"does not suit the options of the style transfer: {e.Message}", e);
        }
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        _plan.CheckColumns(schema);
        return schema[InputColumnName];
    }

    private protected override IReadOnlyList<DataViewSchema.Column> OtherInputs(DataViewSchema schema) =>
        _plan.InputColumns.Where(name => name != InputColumnName).Select(name => schema[name]).ToArray();

    /// <summary>Rows are not read ahead: each takes long, and who takes one is not to wait for others.</summary>
    private protected override IDataView ReadAhead(IDataView input)
    {
        // Not for each of the views that a pipeline makes on its way.
        if (Interlocked.Exchange(ref _said, 1) != 0)
            return input;
        using var channel = Host.Start("Style transfer");
        channel.Info("{0}", FormattableString.Invariant($"Each picture of column '{OutputColumnName}' is optimized in {_options.Iterations} steps whenever its row is read; read it once, and save it."));
        return input;
    }

    private protected override Delegate[] CreateGetters(DataViewRow row, DataViewSchema.Column input, int[] active, out Action? disposer)
    {
        disposer = null;
        var content = new PictureReader(row, input);
        var mask = ReaderOf(_options.MaskColumnName);
        var start = ReaderOf(_options.StartColumnName);
        var painted = new OncePerRow<OptimizedPicture>(row, () =>
        {
            using var lease = Lease();
            return _optimization.Run(new PictureRow(row.Position, content.Read(), mask?.Read(), start?.Read()), Progress, CancellationToken);
        });
        var getters = new Delegate[AddedColumns.Count];
        foreach (var index in active)
            getters[index] = index == 0 ? FinishedPicture.Getter(() => painted.Value.Picture) : (ValueGetter<float>)((ref float loss) => loss = painted.Value.Loss);
        return getters;

        PictureReader? ReaderOf(string? name) => name == null ? null : new PictureReader(row, row.Schema[name]);
    }

    private DataViewSchema.DetachedColumn[] ColumnsWith(DataViewType pictures) => _options.LossColumnName is { } loss
        ? [new(OutputColumnName, pictures), new(loss, NumberDataViewType.Single)]
        : [new(OutputColumnName, pictures)];

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        // The layers by name: what is usual for a network is not known of the part of it that is saved.
        var options = _options.Copy();
        (options.ContentLayers, options.StyleLayers, options.StyleLayerWeights) = (_plan.Loss.ContentLayers, _plan.Loss.StyleLayers, _plan.Loss.StyleLayerWeights);
        StyleTransferStorage.Save(ctx, options, _seed, _style);
        ctx.SaveModel(LossNetwork, NetworkFolder);
    }

    private protected override void Write(OnnxContext context, OnnxColumns columns) =>
        throw columns.NotExportable("it optimizes the picture of each row with gradients, which a graph does not have. FastStyleTransfer learns a network that can be exported");

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature, assembly: typeof(StyleTransferTransformer).Assembly);
}
