using Microsoft.ML;
using MLExtensions.Messages;

namespace MLExtensions.Families.Style;

/// <summary>What the options of style transfer mean for a loss network.</summary>
/// <param name="LayerNames">All layers, for the user.</param>
/// <param name="Loss">The losses.</param>
/// <param name="InputColumns">The columns that are read, all images.</param>
internal sealed record StyleTransferPlan(IReadOnlyList<string> LayerNames, TransferLossSettings Loss, IReadOnlyList<string> InputColumns)
{
    /// <exception cref="ArgumentException">A layer does not exist, or must be given; the message names it.</exception>
    public static StyleTransferPlan Of(StyleTransferEstimator.Options options, IReadOnlyList<LossLayer> layers)
    {
        var usual = LossLayers.UsualOf(layers);
        var styleLayers = LossLayers.Choose(layers, options.StyleLayers, usual?.Style, nameof(options.StyleLayers));
        var contentLayers = LossLayers.Choose(layers, options.ContentLayers, usual?.Content, nameof(options.ContentLayers));
        var weights = options.StyleLayerWeights ?? Enumerable.Repeat(options.LossForm == StyleLossForm.Absolute ? 1.0 / styleLayers.Length : 1, styleLayers.Length).ToArray();
        if (weights.Count != styleLayers.Length || weights.Any(weight => !(weight >= 0 && double.IsFinite(weight))))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.StyleLayerWeights)} is [{NumberList.Of(weights)}]; it must have a finite number of at least 0 for each of the {styleLayers.Length} style layers ({NameList.Of(styleLayers)})."), nameof(options.StyleLayerWeights));
        var loss = new TransferLossSettings(contentLayers, styleLayers, weights, options.ContentWeight, options.StyleWeight, options.TotalVariationWeight, options.LossForm);
        return new StyleTransferPlan(layers.Select(layer => layer.ToString()).ToArray(), loss, options.InputColumns.ToArray());
    }

    /// <exception cref="ArgumentException">A column is missing or has no images.</exception>
    public void CheckColumns(DataViewSchema schema)
    {
        foreach (var name in InputColumns)
            PictureReader.Find(schema, name);
    }
}
