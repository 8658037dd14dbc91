using MLExtensions.Engine;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>Some pairs of the first training batch, painted after each epoch: content, style and result side by side.</summary>
internal sealed class StylePairSamples : IDisposable
{
    private const int MostPairs = 4;
    private const int Columns = 3;

    private readonly StylePairBatch _batch;

    private StylePairSamples(StylePairBatch batch) => _batch = batch;

    public static StylePairSamples Take(IBatchSource<StylePairBatch> source)
    {
        using var scope = NewDisposeScope();
        foreach (var batch in source.ReadEpoch(1))
        {
            using (batch)
            {
                var count = Math.Min(MostPairs, batch.RowCount);
                // Tensors of a batch share memory that the next one overwrites.
                return new StylePairSamples(new StylePairBatch(count, 0, batch.Content.narrow(0, 0, count).clone().DetachFromDisposeScope(), StylesOf(batch, count)));
            }
        }
        throw new InvalidOperationException("The training data has no batch.");
    }

    /// <param name="paint">Paints the contents of the batch in the styles.</param>
    public StepPicture Draw(Func<StylePairBatch, Tensor> paint)
    {
        var content = _batch.Content;
        var (height, width) = ((int)content.shape[2], (int)content.shape[3]);
        var styles = cat(_batch.Styles.Select(style => nn.functional.interpolate(style, [height, width], mode: InterpolationMode.Bilinear, align_corners: false)).ToArray(), 0);
        // [pairs, 3 pictures, 3 colors, height, width]
        var pictures = stack([content, styles, paint(_batch)], 1).clamp(Number.Zero, Number.Of(255L)).round().to(ScalarType.Byte).cpu().contiguous();
        var values = pictures.bytes.ToArray();
        var (png, totalWidth, totalHeight) = TilePicture.Encode(Columns * _batch.RowCount, width, height, Columns, (tile, row, column) =>
        {
            var first = (tile * 3 * height * width) + (row * width) + column;
            return (values[first], values[first + (height * width)], values[first + (2 * height * width)]);
        });
        return new StepPicture("styled", png, totalWidth, totalHeight);
    }

    public void Dispose() => _batch.Dispose();

    private static Tensor[] StylesOf(StylePairBatch batch, int count) => batch.Styles.Count == 1
        ? [batch.Styles[0].narrow(0, 0, count).clone().DetachFromDisposeScope()]
        : batch.Styles.Take(count).Select(style => style.clone().DetachFromDisposeScope()).ToArray();
}
