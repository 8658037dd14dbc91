using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>What the losses of style transfer compare, and how.</summary>
/// <param name="ContentLayers">The full names of the layers that compare the content.</param>
/// <param name="StyleLayers">The full names of the layers that compare the style.</param>
/// <param name="StyleLayerWeights">The factor of each style layer.</param>
/// <param name="ContentWeight">The factor of the content loss.</param>
/// <param name="StyleWeight">The factor of the style loss.</param>
/// <param name="TotalVariationWeight">The factor of the total variation.</param>
/// <param name="Form">The formulas.</param>
internal sealed record TransferLossSettings(
    IReadOnlyList<string> ContentLayers,
    IReadOnlyList<string> StyleLayers,
    IReadOnlyList<double> StyleLayerWeights,
    double ContentWeight,
    double StyleWeight,
    double TotalVariationWeight,
    StyleLossForm Form);

/// <summary>The losses of a picture, each a mean over the pictures of a batch.</summary>
/// <param name="Total">The weighted sum, which is descended.</param>
/// <param name="Content">The content loss without its weight.</param>
/// <param name="Style">The style loss without its weight: the weighted sum of its layers.</param>
/// <param name="TotalVariation">The total variation without its weight.</param>
/// <param name="StyleByLayer">The style losses of the layers without weights.</param>
internal sealed record TransferLosses(Tensor Total, Tensor Content, Tensor Style, Tensor TotalVariation, Tensor[] StyleByLayer);

/// <summary>The losses of style transfer: content, style and total variation. Gatys, Ecker and Bethge, 2016; Johnson et al., 2016.</summary>
internal sealed class TransferLoss(LossNetwork network, TransferLossSettings settings)
{
    private const float MaximumPixel = 255;

    private readonly string[] _layers = [.. settings.ContentLayers, .. settings.StyleLayers];

    public TransferLossSettings Settings => settings;

    /// <summary>What is to be kept of pictures <c>[rows, 3, height, width]</c> from 0 to 255.</summary>
    public Tensor[] ContentOf(Tensor pictures) => network.Outputs(pictures, settings.ContentLayers);

    /// <summary>The Gram matrices of pictures.</summary>
    public Tensor[] StyleOf(Tensor pictures) => network.Measure(pictures, settings.StyleLayers, (_, outputs) => StyleStatistics.Gram(outputs));

    /// <summary>The losses of pictures.</summary>
    /// <param name="pictures">Pictures <c>[rows, 3, height, width]</c> from 0 to 255.</param>
    /// <param name="content">What is to be kept; see <see cref="ContentOf"/>.</param>
    /// <param name="style">The Gram matrices to reach, one for all rows or one for each; see <see cref="StyleOf"/>.</param>
    public TransferLosses Of(Tensor pictures, IReadOnlyList<Tensor> content, IReadOnlyList<Tensor> style)
    {
        var losses = network.Measure(pictures, _layers, (i, outputs) => i < content.Count
            ? ContentLoss(outputs, content[i])
            : StyleLoss(StyleStatistics.Gram(outputs), style[i - content.Count]));
        var contentLoss = Sum(losses.Take(content.Count));
        var byLayer = losses[content.Count..];
        var styleLoss = Sum(byLayer.Select((loss, i) => loss.mul(Number.Of(settings.StyleLayerWeights[i]))));
        var variation = TotalVariation(pictures);
        var total = contentLoss.mul(Number.Of(settings.ContentWeight))
            .add(styleLoss, Number.Of(settings.StyleWeight))
            .add(variation, Number.Of(settings.TotalVariationWeight));
        return new TransferLosses(total, contentLoss, styleLoss, variation, byLayer);
    }

    private Tensor ContentLoss(Tensor outputs, Tensor target)
    {
        var differences = TensorMemory.WithoutIntermediates(() => SumOfSquares(outputs.sub(target)));
        return settings.Form == StyleLossForm.Absolute
            ? differences.div(Number.Of(2)).mean()
            : differences.div(SumOfSquares(target)).mean();
    }

    private Tensor StyleLoss(Tensor gram, Tensor target)
    {
        var differences = SumOfSquares(gram.sub(target));
        // The matrices are means over positions, so the square of their number is already divided out.
        return settings.Form == StyleLossForm.Absolute
            ? differences.div(Number.Of(4.0 * gram.shape[1] * gram.shape[1])).mean()
            : differences.div(SumOfSquares(target)).mean();
    }

    /// <summary>The mean squared difference of neighboring pixels, as pixels from 0 to 1.</summary>
    public static Tensor TotalVariation(Tensor pictures)
    {
        var (height, width) = (pictures.shape[2], pictures.shape[3]);
        return TensorMemory.WithoutIntermediates(() => Along(2, height).add(Along(3, width), Number.One).div(Number.Of(MaximumPixel * MaximumPixel)));

        Tensor Along(int dimension, long length) => length < 2
            ? pictures.sum().mul(Number.Zero)
            : pictures.narrow(dimension, 1, length - 1).sub(pictures.narrow(dimension, 0, length - 1)).pow(Number.Of(2)).mean();
    }

    private static Tensor SumOfSquares(Tensor values) => TensorMemory.WithoutIntermediates(() => values.flatten(1).pow(Number.Of(2)).sum(1));

    private static Tensor Sum(IEnumerable<Tensor> losses) => losses.Aggregate((sum, loss) => sum.add(loss, Number.One));
}
