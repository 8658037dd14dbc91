using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.Style;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Learns to paint pictures in a style, or in several, in one pass of a network: the network is trained on many content pictures, with the losses
/// that <see cref="StyleTransferEstimator"/> minimizes for each picture anew. Johnson, Alahi and Fei-Fei, 2016.
/// </summary>
/// <remarks>
/// <para>
/// Content pictures are images (<c>MLImage</c>) of known size, or a <c>Vector&lt;Single&gt;</c> of their values from 0 to 255. They need no
/// label and may show anything, preferably what is to be painted later; a few hundred do, thousands are better. The transformer takes images of
/// any size and is saved without the loss network.
/// </para>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Style transfer; no label</description></item>
/// <item><term>Is normalization required?</term><description>No: pixels are from 0 to 255</description></item>
/// <item><term>Is caching required?</term><description>No: data is read once into memory, or streamed.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, and a libtorch package</description></item>
/// <item><term>Exportable to ONNX</term><description>Yes, for vectors of pixels</description></item>
/// </list>
/// <para>
/// With several styles each picture of a step gets one of them at random; the convolutions are shared, and each style has its own scales and
/// shifts after the normalization (Dumoulin, Shlens and Kudlur, 2017). Styles can then be mixed. The history has <c>loss</c>, the weighted sum,
/// and without weights <c>contentLoss</c>, <c>styleLoss</c> and <c>totalVariation</c>; validation takes the styles in turn, and cuts values off at 0 and 255
/// as scoring does. The same seed, data, computer and number of threads give the same weights.
/// </para>
/// </remarks>
public sealed partial class FastStyleTransferEstimator : NetworkEstimator<FastStyleTransferTransformer>
{
    private readonly Options _options;
    private readonly StyleTransferPlan _plan;

    internal FastStyleTransferEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(FastStyleTransferEstimator), options)
    {
        _options = (Options)Settings;
        using var file = new LossNetworkFile(_options.WeightsPath, nameof(_options.WeightsPath), _options.Architecture);
        _plan = StyleTransferPlan.Of(_options.Transfer, file.Layers);
    }

    /// <inheritdoc cref="StyleTransferEstimator.LayerNames"/>
    public IReadOnlyList<string> LayerNames => _plan.LayerNames;

    private protected override void CheckSchema(SchemaShape schema) => PictureColumn.Check(schema, _options.InputColumnName);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns() => [];

    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input)
    {
        var column = input.Single(other => other.Name == _options.InputColumnName);
        return [new SchemaShape.Column(_options.OutputColumnName, column.Kind, column.ItemType, isKey: false)];
    }

    private protected override FastStyleTransferTransformer Train(IDataView input, IDataView? validation)
    {
        var transfer = _options.Transfer;
        using var file = new LossNetworkFile(_options.WeightsPath, nameof(_options.WeightsPath), _options.Architecture);
        using var network = file.Load(Host, _plan.Loss.ContentLayers.Concat(_plan.Loss.StyleLayers), _options.Pooling, nameof(_options.WeightsPath));
        var styles = StylePictures.Read(transfer, network);
        var training = new FastStyleTraining(Host, _options, new LearnedStyles(network, _plan.Loss, styles), Seed);
        var model = training.Run(input, validation);
        return new FastStyleTransferTransformer(Host, model, new FastStyleSettings(_options.OutputColumnName, _options.InputColumnName, new StyleShares(_options.NamesOfStyles, _options.StyleColumnName), training.Image));
    }
}
