using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Families.Images;
using MLExtensions.Plotting;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>The training step of a network that paints: the loss network compares what it paints with content and style.</summary>
internal sealed class FastStyleStep : TrainingStep<RowBatch>
{
    private readonly TrainedNetwork _network;
    private readonly TransferLoss _loss;
    private readonly Tensor[] _styles;
    private readonly ImageInput _input;
    private readonly ImageAugmenter _augmenter;
    private readonly StyleSamples? _samples;
    private readonly int _styleCount;
    private readonly int _seed;
    private readonly Share _share;
    private SplitMix64 _augmentation;
    private SplitMix64 _choice;
    private int _validated;

    /// <param name="network">The network; owned by the step.</param>
    /// <param name="loss">The losses.</param>
    /// <param name="styles">The Gram matrices of each layer, <c>[styles, channels, channels]</c>; owned by the step.</param>
    /// <param name="input">The pictures in a row.</param>
    /// <param name="augmenter">Changes the pictures of the training.</param>
    /// <param name="samples">The pictures that are drawn after each epoch; owned by the step, null for none.</param>
    /// <param name="seed">The seed of the training.</param>
    /// <param name="share">The part of each batch that is trained on.</param>
    public FastStyleStep(TrainedNetwork network, TransferLoss loss, Tensor[] styles, ImageInput input, ImageAugmenter augmenter, StyleSamples? samples, int seed, Share share)
    {
        _share = share;
        (_network, _loss, _styles, _input, _augmenter, _samples, _seed) = (network, loss, styles, input, augmenter, samples, seed);
        _styleCount = ((StyleNetworkArchitecture)network.Architecture).StyleCount;
        Networks = [network];
    }

    public override IReadOnlyList<TrainedNetwork> Networks { get; }

    public override void BeginEpoch(int epoch)
    {
        base.BeginEpoch(epoch);
        _augmentation = new SplitMix64(SeedSequence.Derive(_seed, SeedSequence.Augmentation, epoch));
        _choice = new SplitMix64(SeedSequence.Derive(_seed, SeedSequence.StyleChoice, epoch));
    }

    public override double Train(RowBatch batch, double learningRate, MetricSums metrics)
    {
        var pictures = _augmenter.Apply(_input.ToImages(batch.Features), ref _augmentation).Images;
        var chosen = _share.Draw(batch.RowCount, () => (long)_choice.Next(_styleCount));
        var losses = LossesOf(pictures, Paint(pictures, chosen), chosen);
        Add(losses, batch, metrics);
        return _network.Descend(losses.Total, learningRate);
    }

    public override void BeginValidation()
    {
        base.BeginValidation();
        _validated = 0;
    }

    public override double? Validate(RowBatch batch, MetricSums metrics)
    {
        var losses = AsScored(batch);
        Add(losses, batch, metrics);
        return losses.Total.item<float>();
    }

    public override double LossAfter(RowBatch batch)
    {
        BeginValidation();
        return AsScored(batch).Total.item<float>();
    }

    public override IEnumerable<StepPicture> Draw(int epoch)
    {
        if (_samples == null)
            return [];
        using var mode = inference_mode();
        using var result = _network.UseResult();
        _network.BeginValidation();
        return _samples.Draw(_styleCount, (picture, style) => Paint(picture.to(_network.Device), [style])) is { } picture ? [picture] : [];
    }

    public override void Dispose()
    {
        foreach (var style in _styles)
            style.Dispose();
        _samples?.Dispose();
        base.Dispose();
    }

    private static void Add(TransferLosses losses, RowBatch batch, MetricSums metrics)
    {
        metrics.Add("contentLoss", losses.Content.item<float>() * (double)batch.RowCount);
        metrics.Add("styleLoss", losses.Style.item<float>() * (double)batch.RowCount);
        metrics.Add("totalVariation", losses.TotalVariation.item<float>() * (double)batch.RowCount);
    }

    /// <summary>The losses of the center of pictures in the styles in turn, cut off to what a picture can have.</summary>
    private TransferLosses AsScored(RowBatch batch)
    {
        using var mode = inference_mode();
        var pictures = _input.Prepare(_input.ToImages(batch.Features));
        var chosen = Enumerable.Range(_validated, batch.RowCount).Select(row => (long)(row % _styleCount)).ToArray();
        _validated += batch.RowCount;
        return LossesOf(pictures, Paint(pictures, chosen).clamp(Number.Zero, Number.Of(255L)), chosen);
    }

    private TransferLosses LossesOf(Tensor pictures, Tensor painted, long[] chosen)
    {
        Tensor[] content;
        using (no_grad())
            content = _loss.ContentOf(pictures);
        return _loss.Of(painted, content, _styleCount == 1 ? _styles : Array.ConvertAll(_styles, style => style.index_select(0, Indices(chosen, pictures.device))));
    }

    private Tensor Paint(Tensor pictures, long[] chosen)
    {
        var rows = pictures.contiguous().flatten(1);
        if (_styleCount > 1)
            rows = cat([rows, nn.functional.one_hot(Indices(chosen, rows.device), _styleCount).to(ScalarType.Float32)], 1);
        return _network.Forward(rows).view(pictures.shape);
    }

    private static Tensor Indices(long[] chosen, Device device) => tensor(chosen, [chosen.Length], ScalarType.Int64, CPU).to(device);
}

/// <summary>A few pictures that are painted after each epoch, to be looked at.</summary>
internal sealed class StyleSamples : IDisposable
{
    private const int Most = 4;
    private const int MostStyles = 8;

    // With what is between pictures, within the limits of a PNG of TensorBoard.
    private const int Largest = Plotting.Picture.LargestSide - (3 * MostStyles);

    private readonly Tensor[] _pictures;

    private StyleSamples(Tensor[] pictures) => _pictures = pictures;

    /// <summary>Takes the first pictures of a data set.</summary>
    public static StyleSamples Take(IBatchSource<RowBatch> source, ImageInput input)
    {
        using var scope = NewDisposeScope();
        var pictures = new List<Tensor>();
        foreach (var batch in source.ReadEpoch(1))
        {
            using (batch)
            {
                var prepared = input.Prepare(input.ToImages(batch.Features));
                for (var row = 0; row < batch.RowCount && pictures.Count < Most; row++)
                    pictures.Add(prepared.narrow(0, row, 1).cpu().clone().DetachFromDisposeScope());
            }
            if (pictures.Count == Most)
                break;
        }
        return new StyleSamples([.. pictures]);
    }

    /// <summary>Draws each picture beside what the network makes of it in the first styles.</summary>
    /// <param name="styleCount">The number of styles.</param>
    /// <param name="paint">Paints a picture in a style.</param>
    /// <returns>Null if not even one pair fits into a picture.</returns>
    public StepPicture? Draw(int styleCount, Func<Tensor, long, Tensor> paint)
    {
        var (rows, across) = ((int)_pictures[0].shape[2], (int)_pictures[0].shape[3]);
        var columns = Math.Min(1 + Math.Min(styleCount, MostStyles), Largest / across);
        if (columns < 2 || rows > Largest)
            return null;
        var tiles = _pictures.Take(Largest / rows).SelectMany(picture => Enumerable.Range(0, columns).Select(column => column == 0 ? picture : paint(picture, column - 1)))
            .Select(picture => picture.round().clamp(Number.Zero, Number.Of(255L)).to(ScalarType.Byte).cpu().contiguous().bytes.ToArray()).ToArray();
        var plane = rows * across;
        var (png, width, height) = TilePicture.Encode(tiles.Length, across, rows, columns, (tile, row, column) =>
        {
            var place = (row * across) + column;
            return (tiles[tile][place], tiles[tile][plane + place], tiles[tile][(2 * plane) + place]);
        });
        return new StepPicture("styled", png, width, height);
    }

    public void Dispose()
    {
        foreach (var picture in _pictures)
            picture.Dispose();
    }
}
