using MLExtensions.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.Style;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Native;
using MLExtensions.Tensors;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(StyleEmbeddingTransformer), typeof(StyleEmbeddingTransformer), null, typeof(SignatureLoadModel), "", StyleEmbeddingTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Adds a vector that describes the style of a picture.</summary>
/// <inheritdoc cref="NetworkColumnsTransformer" path="/remarks"/>
public sealed class StyleEmbeddingTransformer : NetworkColumnsTransformer
{
    internal const string LoaderSignature = "MLExtStyleEmbedding";
    private const string ModelSignature = "MLEXTSEM";
    private const string NetworkFolder = "LossNetwork";

    private readonly StyleEmbeddingSettings _settings;
    private readonly PictureSizes _sizes;
    private readonly LossNetwork _layers;

    internal StyleEmbeddingTransformer(IHostEnvironment env, NetworkModelParameters network, StyleEmbeddingSettings settings)
        : base(env.Register(LoaderSignature), settings.InputColumnName, [network])
    {
        (LossNetwork, _settings) = (network, settings);
        _sizes = new PictureSizes(network, padding: 0);
        _layers = new LossNetwork(network, padding: 0);
        var channels = LossLayers.Of((ImageArchitecture)network.Architecture).ToDictionary(layer => layer.Path, layer => layer.Placed.Output.Channels);
        Size = settings.Layers.Sum(layer => settings.Statistic == StyleStatistic.Gram ? channels[layer] * (channels[layer] + 1) / 2 : 2 * channels[layer]);
    }

    /// <summary>The added column.</summary>
    public string OutputColumnName => _settings.OutputColumnName;

    /// <summary>The length of the vectors.</summary>
    public int Size { get; }

    /// <summary>The network, up to the last layer that is used. The transformer owns it.</summary>
    public NetworkModelParameters LossNetwork { get; }

    internal override string WhyLibtorch => "each picture has a size of its own, and several layers are read";

    internal override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumns => [new(OutputColumnName, new VectorDataViewType(NumberDataViewType.Single, Size))];

    internal static StyleEmbeddingTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var settings = StyleEmbeddingSettings.Load(ctx);
        var network = ctx.LoadNetwork(env, NetworkFolder, "a network with the layers of the style", model => model is { Architecture: ImageArchitecture { Image.Shape.Channels: 3 } architecture, Head: null }
            && settings.Layers.All(LossLayers.Of(architecture).Select(layer => layer.Path).Contains));
        return new StyleEmbeddingTransformer(env, network, settings);
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema) => PictureReader.Find(schema, InputColumnName);

    private protected override IDataView ReadAhead(IDataView input) => input;

    private protected override Delegate[] CreateGetters(DataViewRow row, DataViewSchema.Column input, int[] active, out Action? disposer)
    {
        disposer = FreedMemory.KeepFor(row);
        var reader = new PictureReader(row, input);
        var once = new OncePerRow<float[]>(row, () =>
        {
            using var lease = Lease();
            return Describe(reader.Read(), row.Position);
        });
        ValueGetter<VBuffer<float>> getter = (ref VBuffer<float> destination) =>
        {
            var editor = VBufferEditor.Create(ref destination, Size);
            once.Value.CopyTo(editor.Values);
            destination = editor.Commit();
        };
        return [getter];
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        _settings.Save(ctx);
        ctx.SaveModel(LossNetwork, NetworkFolder);
    }

    private protected override void Write(OnnxContext context, OnnxColumns columns) =>
        throw columns.NotExportable("there is no graph for its networks, whose pictures have any size");

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private float[] Describe(Picture picture, long row)
    {
        if (_sizes.ProblemOf(picture.Height, picture.Width) is { } problem)
            throw new FormatException(FormattableString.Invariant($"Image column '{InputColumnName}', {RowName.Of(row)}: the picture has {picture.Height} x {picture.Width} pixels (height x width): {problem}"));
        PictureMemory.Check(
            PictureMemory.BytesOf(_sizes.PassingValues(picture.Height, picture.Width)),
            FormattableString.Invariant($"Image column '{InputColumnName}', {RowName.Of(row)}: a picture of {picture.Height} x {picture.Width} pixels (height x width)"),
            "Make the picture smaller (ResizeImages), or choose earlier layers.");
        using var state = TorchState.Enter();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(_sizes.MultiplyAdds(picture.Height, picture.Width)));
        using var scope = NewDisposeScope();
        using var mode = TorchState.Infer();
        var parts = _layers.Measure(picture.ToTensor(), _settings.Layers, (_, outputs) => _settings.Statistic == StyleStatistic.Gram
            ? StyleStatistics.UpperTriangle(StyleStatistics.Gram(outputs))
            : cat(StyleStatistics.MeanAndDeviation(outputs), 1));
        return TensorMemory.Floats(cat(Array.ConvertAll(parts, part => part.flatten()), 0).contiguous()).ToArray();
    }
}

/// <summary>What a style embedding needs besides its network.</summary>
/// <param name="OutputColumnName">The column to add.</param>
/// <param name="InputColumnName">The column of the pictures.</param>
/// <param name="Layers">The full names of the layers.</param>
/// <param name="Statistic">What describes the style.</param>
internal sealed record StyleEmbeddingSettings(string OutputColumnName, string InputColumnName, IReadOnlyList<string> Layers, StyleStatistic Statistic)
{
    private const int MaximumLayers = 10_000;

    public void Save(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.Writer.Write((int)Statistic);
        ctx.Writer.Write(Layers.Count);
        foreach (var layer in Layers)
            ctx.SaveNonEmptyString(layer);
    }

    /// <exception cref="ModelFormatException">A number is out of range.</exception>
    public static StyleEmbeddingSettings Load(ModelLoadContext ctx)
    {
        var (output, input) = (ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString());
        var statistic = (StyleStatistic)ctx.Reader.ReadInt32();
        var count = ctx.Reader.ReadInt32();
        if (!Enum.IsDefined(statistic) || count is < 1 or > MaximumLayers)
            throw new ModelFormatException("Model.key", FormattableString.Invariant($"does not describe a style embedding: statistic {(int)statistic}, {count} layers"));
        return new StyleEmbeddingSettings(output, input, Enumerable.Range(0, count).Select(_ => ctx.LoadNonEmptyString()).ToArray(), statistic);
    }
}
