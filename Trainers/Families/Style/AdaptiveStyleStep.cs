using MLExtensions.Engine;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Style;

/// <summary>The losses of a batch, each a mean over its pictures.</summary>
/// <param name="Total">The weighted sum.</param>
/// <param name="Content">The content loss without its weight.</param>
/// <param name="Style">The style loss without its weight: the weighted sum of its layers.</param>
/// <param name="TotalVariation">The total variation without its weight.</param>
internal sealed record AdaptiveStyleLosses(Tensor Total, Tensor Content, Tensor Style, Tensor TotalVariation);

/// <summary>The losses of adaptive style transfer, relative to what they compare with. Huang and Belongie, 2017.</summary>
internal sealed class AdaptiveStyleLoss(StyleEncoder encoder, AdaptiveStylePlan plan, AdaptiveStyleTransferEstimator.Options options)
{
    // The slope of a square root at 0 is infinite, and channels that are 0 everywhere are common.
    private const double Smallest = 1e-5;

    private readonly string[] _layers = [plan.EncoderLayer, .. plan.StyleLayers];

    /// <summary>What a decoder is to paint, and the statistics that its pictures are to have.</summary>
    /// <param name="batch">The pictures.</param>
    public (Tensor Features, Tensor[] Statistics) TargetOf(StylePairBatch batch)
    {
        using var noGradient = no_grad();
        // Pictures of different sizes are looked at one by one; their statistics have one size.
        var seen = batch.Styles.Select(style => encoder.Measure(style, _layers, (i, outputs) => i == 0
            ? stack(StyleStatistics.MeanAndDeviation(encoder.Inside(outputs, style.shape[2], style.shape[3])), 1)
            : StatisticsOf(outputs))).ToArray();
        var statistics = Enumerable.Range(0, _layers.Length).Select(layer => seen.Length == 1 ? seen[0][layer] : cat(Array.ConvertAll(seen, ofPicture => ofPicture[layer]), 0)).ToArray();
        return (TensorMemory.WithoutIntermediates(() => AdaptiveNormalization.Apply(encoder.Encode(batch.Content), [statistics[0].select(1, 0), statistics[0].select(1, 1)])), statistics[1..]);
    }

    /// <summary>The losses of what a decoder painted.</summary>
    /// <param name="painted">What the decoder returns for the features.</param>
    /// <param name="batch">The pictures.</param>
    /// <param name="features">What it was to paint.</param>
    /// <param name="statistics">The statistics of the styles.</param>
    public AdaptiveStyleLosses Of(Tensor painted, StylePairBatch batch, Tensor features, Tensor[] statistics)
    {
        var pictures = Cut(painted, batch);
        var losses = encoder.Measure(pictures, _layers, (i, outputs) => i == 0
            ? Relative(encoder.Inside(outputs, pictures.shape[2], pictures.shape[3]), features)
            : Relative(StatisticsOf(outputs), statistics[i - 1]).mul(Number.Of(plan.StyleLayerWeights[i - 1])));
        var content = losses[0];
        var style = losses.Skip(1)
            .Aggregate((sum, loss) => sum.add(loss, Number.One));
        var variation = TransferLoss.TotalVariation(pictures);
        var total = content.mul(Number.Of(options.ContentWeight))
            .add(style, Number.Of(options.StyleWeight))
            .add(variation, Number.Of(options.TotalVariationWeight));
        return new AdaptiveStyleLosses(total, content, style, variation);
    }

    /// <summary>Cuts what was painted to the content pictures.</summary>
    public Tensor Cut(Tensor painted, StylePairBatch batch) => encoder.Cut(painted, batch.Content.shape[2], batch.Content.shape[3]);

    /// <summary>Mean and deviation side by side, with a gradient everywhere.</summary>
    private static Tensor StatisticsOf(Tensor outputs)
    {
        var mean = outputs.mean([2, 3], keepdim: true);
        var variance = TensorMemory.WithoutIntermediates(() => outputs.sub(mean).pow(Number.Of(2)).mean([2, 3]));
        return cat([mean.flatten(1), variance.add(Number.Of(Smallest), Number.One).sqrt()], 1);
    }

    private static Tensor Relative(Tensor values, Tensor target) => TensorMemory.WithoutIntermediates(() => Squares(values.sub(target)).div(Squares(target)).mean());

    private static Tensor Squares(Tensor values) => values.flatten(1).pow(Number.Of(2)).sum(1);
}

/// <summary>The training step of a decoder. The encoder is not trained.</summary>
internal sealed class AdaptiveStyleStep : TrainingStep<StylePairBatch>
{
    private readonly TrainedNetwork _decoder;
    private readonly AdaptiveStyleLoss _loss;
    private readonly StylePairSamples? _samples;

    /// <param name="decoder">The decoder; owned by the step.</param>
    /// <param name="loss">The losses.</param>
    /// <param name="samples">What is painted after each epoch, or null; owned by the step.</param>
    public AdaptiveStyleStep(TrainedNetwork decoder, AdaptiveStyleLoss loss, StylePairSamples? samples)
    {
        (_decoder, _loss, _samples) = (decoder, loss, samples);
        Networks = [decoder];
    }

    public override IReadOnlyList<TrainedNetwork> Networks { get; }

    public override double Train(StylePairBatch batch, double learningRate, MetricSums metrics)
    {
        var losses = LossesOf(batch);
        Measure(losses, batch, metrics);
        return _decoder.Descend(losses.Total, learningRate);
    }

    public override double? Validate(StylePairBatch batch, MetricSums metrics)
    {
        using var mode = inference_mode();
        var losses = LossesOf(batch);
        Measure(losses, batch, metrics);
        return losses.Total.item<float>();
    }

    public override double LossAfter(StylePairBatch batch)
    {
        using var mode = inference_mode();
        _decoder.BeginValidation();
        return LossesOf(batch).Total.item<float>();
    }

    public override IEnumerable<StepPicture> Draw(int epoch)
    {
        if (_samples == null)
            return [];
        using var mode = inference_mode();
        using var result = _decoder.UseResult();
        _decoder.BeginValidation();
        return [_samples.Draw(batch => _loss.Cut(_decoder.Forward(_loss.TargetOf(batch).Features), batch))];
    }

    public override void Dispose()
    {
        base.Dispose();
        _samples?.Dispose();
    }

    private static void Measure(AdaptiveStyleLosses losses, StylePairBatch batch, MetricSums metrics)
    {
        metrics.Add("contentLoss", losses.Content.item<float>() * batch.RowCount);
        metrics.Add("styleLoss", losses.Style.item<float>() * batch.RowCount);
        metrics.Add("totalVariation", losses.TotalVariation.item<float>() * batch.RowCount);
    }

    private AdaptiveStyleLosses LossesOf(StylePairBatch batch)
    {
        var (features, statistics) = _loss.TargetOf(batch);
        return _loss.Of(_decoder.Forward(features), batch, features, statistics);
    }
}
