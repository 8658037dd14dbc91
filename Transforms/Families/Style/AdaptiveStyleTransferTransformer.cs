using MLExtensions.Onnx;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using MLExtensions;
using MLExtensions.Families.Style;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

[assembly: LoadableClass(typeof(AdaptiveStyleTransferTransformer), typeof(AdaptiveStyleTransferTransformer), null, typeof(SignatureLoadModel), "", AdaptiveStyleTransferTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>Paints the picture of one column in the style of the picture of another, in one pass. Huang and Belongie, 2017.</summary>
/// <remarks>
/// <para>
/// Both pictures have any size; the result has that of the content picture and its transparency. <see cref="NetworkColumnsTransformer.Transform"/> is lazy: every pass over
/// the rows paints again, and ML.NET cannot cache images: read them once, and save them. A row's picture does not depend on other rows. One transformer
/// can be used by several threads.
/// </para>
/// <para>
/// Strength: what is decoded lies between the features of the content and those with the statistics of the style, in that proportion. What the
/// decoder loses of the content (the difference of the content picture and what is decoded from its own features) is added in the remaining
/// proportion. So strength 0 gives the content picture itself, bit for bit, and strength 1 what the decoder paints.
/// </para>
/// </remarks>
public sealed class AdaptiveStyleTransferTransformer : NetworkColumnsTransformer, INetworkHolder
{
    internal const string LoaderSignature = "MLExtAdaptiveStyle";
    private const string ModelSignature = "MLEXTAST";
    private const string EncoderFolder = "Encoder";
    private const string DecoderFolder = "Decoder";

    private readonly AdaptiveStyleSettings _settings;
    private readonly StyleEncoder _encoder;
    private readonly AdaptivePainter _painter;
    private float _strength;

    internal AdaptiveStyleTransferTransformer(IHostEnvironment env, NetworkModelParameters encoder, NetworkModelParameters decoder, AdaptiveStyleSettings settings)
        : base(env.Register(LoaderSignature), settings.Columns.Input, [decoder, encoder])
    {
        (Encoder, Decoder, _settings, _strength) = (encoder, decoder, settings, settings.Strength);
        _encoder = new StyleEncoder(encoder, settings.EncoderLayer);
        _painter = new AdaptivePainter(_encoder, decoder);
    }

    /// <summary>The column of the finished pictures.</summary>
    public string OutputColumnName => _settings.Columns.Output;

    /// <summary>The column of the style pictures.</summary>
    public string StyleColumnName => _settings.Columns.Style;

    /// <summary>The column of the strength, a <c>Single</c> from 0 to 1; null for <see cref="Strength"/>.</summary>
    public string? StrengthColumnName => _settings.Columns.Strength;

    /// <summary>How much of the style there is, from 0, the content picture, to 1. It is not used if there is a column of strengths.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not between 0 and 1.</exception>
    public double Strength
    {
        get => _strength;
        set => _strength = value is >= 0 and <= 1
            ? (float)value
            : throw new ArgumentOutOfRangeException(nameof(value), value, string.Create(CultureInfo.InvariantCulture, $"{nameof(Strength)} is {value}; it must be between 0 and 1."));
    }

    /// <summary>Whether only the luminance of the content pictures changes.</summary>
    public bool PreserveColors => _settings.PreserveColors;

    /// <summary>The pretrained network up to the layer whose statistics are exchanged. The transformer owns it.</summary>
    public NetworkModelParameters Encoder { get; }

    /// <summary>The network that paints, with the history of the training. The transformer owns it.</summary>
    public NetworkModelParameters Decoder { get; }

    /// <summary>The training history: losses per epoch.</summary>
    public TrainingHistory History => Decoder.History ?? throw new InvalidOperationException("The network was not trained by this library, so it has no history.");

    IInitialWeights INetworkHolder.InitialWeights => new AdaptiveStyleWeights(Encoder, Decoder);

    internal override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumns => [new(OutputColumnName, new ImageDataViewType())];

    /// <summary>As large as the content pictures, if their column tells the size.</summary>
    private protected override IReadOnlyList<DataViewSchema.DetachedColumn> AddedColumnsFor(DataViewSchema schema) => [new(OutputColumnName, schema[InputColumnName].Type)];

    internal static AdaptiveStyleTransferTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(GetVersionInfo());
        var settings = AdaptiveStyleSettings.Load(ctx);
        var encoder = ctx.LoadNetwork(env, EncoderFolder, $"a network with layer '{settings.EncoderLayer}'", model => model is { Architecture: ImageArchitecture { Image.Shape.Channels: 3 } architecture, Head: null }
            && LossLayers.Of(architecture).Any(layer => layer.Path == settings.EncoderLayer));
        NetworkModelParameters? decoder = null;
        try
        {
            var shape = new StyleEncoder(encoder, settings.EncoderLayer);
            decoder = ctx.LoadNetwork(env, DecoderFolder, FormattableString.Invariant($"a decoder of {shape.Channels} channels that enlarges {shape.Stride} times"), model =>
                model is { Architecture: DecoderArchitecture architecture, Head: null } && architecture.InputCount == shape.Channels && architecture.Scale == shape.Stride);
            return new AdaptiveStyleTransferTransformer(env, encoder, decoder, settings);
        }
        catch (Exception e)
        {
            encoder.Dispose();
            decoder?.Dispose();
            if (e is FormatException and not ModelFormatException)
                throw new ModelFormatException(EncoderFolder, $"does not suit a decoder: {e.Message}", e);
            throw;
        }
    }

    private protected override DataViewSchema.Column FindInput(DataViewSchema schema) => PictureColumn.Find(schema, InputColumnName, _settings.Columns.InputShape).Column;

    private protected override IReadOnlyList<DataViewSchema.Column> OtherInputs(DataViewSchema schema)
    {
        var style = PictureColumn.Find(schema, StyleColumnName, _settings.Columns.StyleShape).Column;
        return StrengthColumnName == null ? [style] : [style, StrengthReader.Find(schema, StrengthColumnName)];
    }

    /// <summary>Rows are not read ahead: who takes one picture is not to wait for others.</summary>
    private protected override IDataView ReadAhead(IDataView input) => input;

    private protected override Delegate[] CreateGetters(DataViewRow row, DataViewSchema.Column input, int[] active, out Action? disposer)
    {
        disposer = null;
        var style = StyleOf(row);
        var strength = StrengthColumnName == null ? null : new StrengthReader(row, row.Schema[StrengthColumnName]);
        if (PictureColumn.Find(row.Schema, InputColumnName, _settings.Columns.InputShape).Shape is { } shape)
            return [VectorGetter(row, input, shape, style, () => strength?.Read() ?? _strength)];
        var content = new PictureReader(row, input);
        return [FinishedPicture.Getter(new OncePerRow<FinishedPicture>(row, () =>
        {
            var image = content.ReadImage();
            var picture = Picture.Of(image, InputColumnName, row.Position);
            return Paint(picture, style(), strength?.Read() ?? _strength, row.Position, () => FinishedPicture.Of(image), values =>
            {
                using var painted = picture.WithColors(values);
                return FinishedPicture.Of(painted);
            });
        }))];
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        (_settings with { Strength = _strength }).Save(ctx);
        ctx.SaveModel(Encoder, EncoderFolder);
        ctx.SaveModel(Decoder, DecoderFolder);
    }

    private protected override void Write(OnnxContext context, OnnxColumns columns) =>
        throw columns.NotExportable("there is no graph for its networks, whose pictures have any size");

    private protected override VersionInfo CreateVersionInfo() => GetVersionInfo();

    private static VersionInfo GetVersionInfo() => ModelVersion.Of(ModelSignature, LoaderSignature);

    private Func<Picture> StyleOf(DataViewRow row)
    {
        var (column, shape) = PictureColumn.Find(row.Schema, StyleColumnName, _settings.Columns.StyleShape);
        if (shape == null)
            return new PictureReader(row, column).Read;
        var reader = new FeatureReader(row, column, (int)shape.Count);
        return () => ReadVector(reader, shape).Picture;
    }

    private static (float[] Values, Picture Picture) ReadVector(FeatureReader reader, ImageShape shape)
    {
        var values = new float[reader.Width];
        reader.Read(values);
        return (values, new Picture(shape.Height, shape.Width, values, alpha: null));
    }

    private ValueGetter<VBuffer<float>> VectorGetter(DataViewRow row, DataViewSchema.Column input, ImageShape shape, Func<Picture> style, Func<float> strength)
    {
        var reader = new FeatureReader(row, input, (int)shape.Count);
        var once = new OncePerRow<float[]>(row, () =>
        {
            var (values, picture) = ReadVector(reader, shape);
            return Paint(picture, style(), strength(), row.Position, () => values, painted => TensorMemory.Floats(painted.contiguous()).ToArray());
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
    /// <param name="content">The content picture.</param>
    /// <param name="style">The style picture.</param>
    /// <param name="strength">From 0 to 1.</param>
    /// <param name="row">The position of the row, for messages.</param>
    /// <param name="unchanged">Returns the content picture itself.</param>
    /// <param name="finish">Makes the result of <c>[1, 3, height, width]</c> from 0 to 255.</param>
    private T Paint<T>(Picture content, Picture style, float strength, long row, Func<T> unchanged, Func<Tensor, T> finish)
    {
        using var lease = Lease();
        Check(content, InputColumnName, row);
        Check(style, StyleColumnName, row);
        if (strength == 0)
            return unchanged();
        PictureMemory.Check(
            _painter.BytesOf(content, style),
            FormattableString.Invariant($"Image column '{InputColumnName}', {RowName.Of(row)}: a picture of {content.Height} x {content.Width} pixels (height x width) in the style of one of {style.Height} x {style.Width}"),
            "Make the pictures smaller (ResizeImages).");
        using var state = TorchState.Enter();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(_painter.MultiplyAdds(content.Height, content.Width)));
        using var scope = NewDisposeScope();
        using var mode = TorchState.Infer();
        var pixels = content.ToTensor();
        return finish(Recolor(_painter.Paint(pixels, style.ToTensor(), strength), pixels).clamp(Number.Zero, Number.Of(255L)));
    }

    /// <summary>Puts the colors of the content picture back, if they are to stay.</summary>
    private Tensor Recolor(Tensor painted, Tensor content)
    {
        if (!PreserveColors)
            return painted;
        var canvas = PictureCanvas.Of(content, mask: null, preserveColors: true);
        var luminance = canvas.NumbersOf(painted);
        canvas.Clamp(luminance);
        return canvas.Finished(luminance);
    }

    private void Check(Picture picture, string column, long row)
    {
        if (_encoder.ProblemOf(picture.Height, picture.Width) is { } problem)
            throw new FormatException(FormattableString.Invariant($"Image column '{column}', {RowName.Of(row)}: the picture has {picture.Height} x {picture.Width} pixels (height x width): {problem}"));
    }
}
