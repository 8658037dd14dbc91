using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Style;
using MLExtensions.Tensors;

namespace MLExtensions;

/// <summary>
/// Learns to paint pictures in any style, also in styles that it has never seen: content picture and style picture in, picture out, in one pass. Huang and
/// Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization", 2017.
/// </summary>
/// <remarks>
/// <para>
/// An encoder, a pretrained image network that is not trained, sees both pictures. Each channel of what it sees in the content gets the mean and the
/// standard deviation that it has in the style (adaptive instance normalization, AdaIN), and a decoder, which is trained, paints a picture
/// of it. The decoder mirrors the encoder: convolutions without normalization, and an enlargement for each stride or pooling.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Style transfer; no label</description></item>
/// <item><term>Is normalization required?</term><description>No: pictures are images (MLImage), or vectors of values from 0 to
/// 255.</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// The loss of a step is the mean of |f(g(t)) - t|^2 / |t|^2 (content; t are the features after AdaIN, g the decoder, f the encoder), plus
/// <see cref="Options.StyleWeight"/> times, for each style layer, the squared differences of means and deviations divided by those of the style itself,
/// plus <see cref="Options.TotalVariationWeight"/> times the total variation. The history has <c>contentLoss</c>, <c>styleLoss</c> and
/// <c>totalVariation</c> without these factors. Put <c>ResizeImages</c> before the training: content pictures must have one size then, such as
/// 128 x 128. The trained transformer takes pictures of any size, and is saved with the encoder. The same seed, data, computer and number of
/// threads give the same weights.
/// </para>
/// </remarks>
public sealed partial class AdaptiveStyleTransferEstimator : NetworkEstimator<AdaptiveStyleTransferTransformer>
{
    private readonly Options _options;
    private readonly AdaptiveStylePlan _plan;

    internal AdaptiveStyleTransferEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(AdaptiveStyleTransferEstimator), options)
    {
        _options = (Options)Settings;
        using var file = OpenWeights();
        _plan = AdaptiveStylePlan.Of(_options, file.Layers);
    }

    /// <summary>The names of the layers of the encoder; where there are two names for a layer, both.</summary>
    public IReadOnlyList<string> LayerNames => _plan.LayerNames;

    private protected override void CheckSchema(SchemaShape schema)
    {
        PictureColumn.Check(schema, _options.InputColumnName);
        if (!_options.HasStylePictures)
            PictureColumn.Check(schema, _options.StyleColumnName);
    }

    private protected override IEnumerable<SchemaShape.Column> AddedColumns() => [];

    /// <summary>Pictures as those of the content.</summary>
    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input)
    {
        var content = input.First(column => column.Name == _options.InputColumnName);
        return [new SchemaShape.Column(_options.OutputColumnName, content.Kind, content.ItemType, isKey: false)];
    }

    private protected override AdaptiveStyleTransferTransformer Train(IDataView input, IDataView? validation)
    {
        using var file = OpenWeights();
        var encoder = file.Load(Host, [_plan.EncoderLayer], _options.Pooling, nameof(_options.WeightsPath));
        try
        {
            var training = new AdaptiveStyleTraining(Host, _options, Seed, _plan, encoder, LoadLossNetwork);
            var decoder = training.Run(input, validation);
            var columns = new AdaptiveStyleColumns(_options.OutputColumnName, _options.InputColumnName, _options.StyleColumnName, _options.StrengthColumnName, training.Content, training.Style);
            return new AdaptiveStyleTransferTransformer(Host, encoder, decoder, new AdaptiveStyleSettings(columns, (float)_options.Strength, _options.PreserveColors, _plan.EncoderLayer));
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <summary>The network of the losses: it may be deeper than the encoder, and lies on the device of the training.</summary>
    private NetworkModelParameters LoadLossNetwork()
    {
        using var file = OpenWeights();
        return file.Load(Host, _plan.StyleLayers.Append(_plan.EncoderLayer), _options.Pooling, nameof(_options.WeightsPath));
    }

    private LossNetworkFile OpenWeights() => new(_options.WeightsPath, nameof(_options.WeightsPath), _options.Architecture);
}
