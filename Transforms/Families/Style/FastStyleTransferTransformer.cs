using MLExtensions.Onnx;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using MLExtensions;
using MLExtensions.Families.Style;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Native;
using MLExtensions.Tensors;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(FastStyleTransferTransformer), typeof(FastStyleTransferTransformer), null, typeof(SignatureLoadModel), "", FastStyleTransferTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Paints pictures in a learned style, in one pass of a network.</summary>
/// <remarks>
/// <para>
/// Pictures have any size of at least 5 x 5 pixels, whatever the size in the training, and keep it. Transparent ones are seen on white and keep
/// their transparency. Vectors of values from 0 to 255 become vectors of the same size.
/// </para>
/// <inheritdoc cref="NetworkColumnsTransformer" path="/remarks"/>
/// </remarks>
public sealed class FastStyleTransferTransformer : NetworkColumnsTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtFastStyle";
    private const string ModelSignature = "MLEXTFST";
    private const string ModelFolder = "Model";

    private readonly FastStyleSettings _settings;

    internal FastStyleTransferTransformer(IHostEnvironment env, NetworkModelParameters model, FastStyleSettings settings)
        : base(env.Register(LoaderSignature), settings.InputColumnName, [model])
    {
        (Model, _settings) = (model, settings);
        Architecture = (StyleNetworkArchitecture)model.Architecture;
    }

    /// <summary>The column of the finished pictures.</summary>
    public string OutputColumnName => _settings.OutputColumnName;

    /// <summary>
    /// The column that says which style a row is to have, a key of <see cref="StyleNames"/> or a <c>Vector&lt;Single&gt;</c> with the share of
    /// each; null for the first style.
    /// </summary>
    public string? StyleColumnName => _settings.Styles.Column;

    /// <summary>The names of the styles.</summary>
    public IReadOnlyList<string> StyleNames => _settings.Styles.Names;

    /// <summary>The trained network with its history. The transformer owns it.</summary>
    public NetworkModelParameters Model { get; }

    /// <summary>The layers and sizes of the network.</summary>
    public StyleNetworkArchitecture Architecture { get; }

    /// <summary>The training history: metrics per epoch.</summary>
    public TrainingHistory History => Model.History ?? throw new InvalidOperationException("The network was not trained by this library, so it has no history.");

    IInitialWeights INetworkHolder.InitialWeights => Model;

    internal override string WhyLibtorch => "each picture has a size of its own";

    internal override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumns => [new(OutputColumnName, new ImageDataViewType())];

    internal static FastStyleTransferTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var settings = FastStyleSettings.Load(ctx);
        var model = ctx.LoadNetwork(env, ModelFolder, FormattableString.Invariant($"a network of {settings.Styles.Names.Count} styles"), network =>
            network is { Architecture: StyleNetworkArchitecture architecture, Head: null } && architecture.StyleCount == settings.Styles.Names.Count);
        return new FastStyleTransferTransformer(env, model, settings);
    }

    private protected override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumnsFor(DataViewSchema schema) => [new(OutputColumnName, schema[InputColumnName].Type)];

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema)
    {
        var column = PictureColumn.Find(schema, InputColumnName, _settings.Image).Column;
        _settings.Styles.Check(schema);
        return column;
    }

    private protected override IReadOnlyList<DataViewSchema.Column> OtherInputs(DataViewSchema schema) =>
        StyleColumnName == null ? [] : [schema[StyleColumnName]];

    private protected override IDataView ReadAhead(IDataView input) => input;

    private protected override Delegate[] CreateGetters(DataViewRow row, DataViewSchema.Column input, int[] active, out Action? disposer)
    {
        disposer = FreedMemory.KeepFor(row);
        var shares = _settings.Styles.Open(row);
        if (PictureColumn.Find(row.Schema, InputColumnName, _settings.Image).Shape is { } shape)
            return [VectorGetter(row, input, shape, shares)];
        var reader = new PictureReader(row, input);
        return [FinishedPicture.Getter(new OncePerRow<FinishedPicture>(row, () =>
        {
            var picture = reader.Read();
            return Paint(picture, shares(), row.Position, values =>
            {
                using var image = picture.WithColors(values);
                return FinishedPicture.Of(image);
            });
        }))];
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        _settings.Save(ctx);
        ctx.SaveModel(Model, ModelFolder);
    }

    private protected override void Write(OnnxContext context, OnnxColumns columns)
    {
        var (column, shape) = PictureColumn.Find(columns.Schema, InputColumnName, _settings.Image);
        var input = columns.Variable(column);
        var graph = Model.CreateGraph(context);
        var pictures = graph.Reshape(input, -1, shape!.Channels, shape.Height, shape.Width);
        var shares = Architecture.ShareCount == 0 ? null : _settings.Styles.Write(graph, columns);
        var painted = new StyleGraph(graph, Architecture, shares).Paint(pictures, shape.Height, shape.Width);
        var clipped = graph.Node("Clip", [painted, graph.Constant(0.0), graph.Constant(255.0)]);
        OutputColumn.Vector(OutputColumnName, (VectorDataViewType)column.Type).Write(graph, columns, graph.Node("Flatten", clipped));
    }

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private ValueGetter<VBuffer<float>> VectorGetter(DataViewRow row, DataViewSchema.Column input, ImageShape shape, Func<float[]> shares)
    {
        var reader = new FeatureReader(row, input, (int)shape.Count);
        var once = new OncePerRow<float[]>(row, () =>
        {
            var colors = new float[reader.Width];
            reader.Read(colors);
            return Paint(new Picture(shape.Height, shape.Width, colors, alpha: null), shares(), row.Position, values => TensorMemory.Floats(values.contiguous()).ToArray());
        });
        return (ref VBuffer<float> destination) =>
        {
            var values = once.Value;
            var editor = VBufferEditor.Create(ref destination, values.Length);
            values.CopyTo(editor.Values);
            destination = editor.Commit();
        };
    }

    /// <summary>Paints a picture.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="shares">The share of each style.</param>
    /// <param name="row">The position of its row, for messages.</param>
    /// <param name="finish">Makes the result of <c>[1, 3, height, width]</c> from 0 to 255.</param>
    private T Paint<T>(Picture picture, float[] shares, long row, Func<Tensor, T> finish)
    {
        Check(picture, row);
        using var lease = Lease();
        using var state = TorchState.Enter();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(Architecture.MultiplyAdds / Architecture.Image.Count * picture.Height * picture.Width * ImageReader.ColorChannels));
        using var scope = NewDisposeScope();
        using var mode = TorchState.Infer();
        var mixture = Architecture.ShareCount == 0 ? null : tensor(shares, [1, shares.Length], ScalarType.Float32, CPU);
        return finish(((StyleNetwork)Model.Network).Paint(picture.ToTensor(), mixture).clamp(Number.Zero, Number.Of(255L)));
    }

    /// <exception cref="FormatException">The picture is too small; the message names column and row.</exception>
    /// <exception cref="InsufficientMemoryException">The picture needs more memory than there is.</exception>
    private void Check(Picture picture, long row)
    {
        if (Math.Min(picture.Height, picture.Width) < StyleNetworkArchitecture.LeastSide)
            throw new FormatException(FormattableString.Invariant($"Image column '{InputColumnName}', {RowName.Of(row)}: the picture has {picture.Height} x {picture.Width} pixels (height x width); each side must have at least {StyleNetworkArchitecture.LeastSide}. Enlarge the picture (ResizeImages)."));
        PictureMemory.Check(
            PictureMemory.BytesOf(Architecture.PassingValues(picture.Height, picture.Width)),
            FormattableString.Invariant($"Image column '{InputColumnName}', {RowName.Of(row)}: a picture of {picture.Height} x {picture.Width} pixels (height x width)"),
            "Make the picture smaller (ResizeImages).");
    }
}

/// <summary>What fast style transfer needs besides its network.</summary>
/// <param name="OutputColumnName">The column to add.</param>
/// <param name="InputColumnName">The column of the pictures.</param>
/// <param name="Styles">The styles.</param>
/// <param name="Image">The pictures of the training, before cropping.</param>
internal sealed record FastStyleSettings(string OutputColumnName, string InputColumnName, StyleShares Styles, ImageShape Image)
{
    public void Save(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(OutputColumnName);
        ctx.SaveNonEmptyString(InputColumnName);
        ctx.SaveStringOrNull(Styles.Column);
        ctx.Writer.Write(Image.Height);
        ctx.Writer.Write(Image.Width);
        ctx.Writer.Write(Styles.Names.Count);
        foreach (var name in Styles.Names)
            ctx.SaveNonEmptyString(name);
    }

    /// <exception cref="ModelFormatException">A number is out of range.</exception>
    public static FastStyleSettings Load(ModelLoadContext ctx)
    {
        var (output, input, column) = (ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString(), ctx.LoadStringOrNull());
        var image = new ImageShape(ImageReader.ColorChannels, ctx.Reader.ReadInt32(), ctx.Reader.ReadInt32());
        var count = ctx.Reader.ReadInt32();
        if (image.Height < 1 || image.Width < 1 || image.Count > int.MaxValue || count is < 1 or > StyleNetworkArchitecture.MaximumStyles)
            throw new ModelFormatException("Model.key", FormattableString.Invariant($"does not describe a style transfer: pictures of {image.Height} x {image.Width}, {count} styles"));
        return new FastStyleSettings(output, input, new StyleShares(Enumerable.Range(0, count).Select(_ => ctx.LoadNonEmptyString()).ToArray(), column), image);
    }
}
