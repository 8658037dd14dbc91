using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>The training step of all supervised families: one network, one loss.</summary>
/// <param name="network">The network; owned by the step.</param>
/// <param name="task">The task.</param>
/// <param name="head">Its head.</param>
/// <param name="augmenter">The augmentation of training examples, or null.</param>
/// <param name="seed">The seed of the augmenter.</param>
internal sealed class SupervisedStep(TrainedNetwork network, SupervisedTask task, ScoreHead head, IFeatureAugmenter? augmenter, int seed) : PredictionStep<LabeledBatch>(network)
{
    private SplitMix64 _augmentationRandom;

    public override void BeginEpoch(int epoch)
    {
        base.BeginEpoch(epoch);
        _augmentationRandom = new SplitMix64(SeedSequence.Derive(seed, SeedSequence.Augmentation, epoch));
    }

    public override double Train(LabeledBatch batch, double learningRate, MetricSums metrics)
    {
        if (augmenter == null)
            return base.Train(batch, learningRate, metrics);
        var augmented = augmenter.Apply(batch.Features, ref _augmentationRandom);
        var outputs = Network.Forward(augmented.Features);
        Measure(outputs.detach(), batch, metrics);
        return Network.Descend(Loss(outputs, batch, augmented), learningRate);
    }

    protected override Tensor InputsOf(LabeledBatch batch) => batch.Features;

    protected override Tensor Loss(Tensor outputs, LabeledBatch batch) => task.Loss(outputs, batch.Labels, batch.Weights);

    protected override void Measure(Tensor outputs, LabeledBatch batch, MetricSums metrics) =>
        task.Measure(TensorMemory.Floats(outputs.cpu().contiguous()), batch.LabelValues, head, metrics);

    private Tensor Loss(Tensor outputs, LabeledBatch batch, AugmentedFeatures augmented)
    {
        var loss = Loss(outputs, batch);
        if (augmented is not { Partner: { } partner, PartnerShare: { } share })
            return loss;
        var ofPartners = task.Loss(outputs, batch.Labels.index_select(0, partner), batch.Weights?.index_select(0, partner));
        return ((1 - share) * loss) + (share * ofPartners);
    }
}

/// <summary>Changes training examples at random, so that a network sees more variants than the data has.</summary>
internal interface IFeatureAugmenter
{
    /// <summary>Augments a batch. The results belong to the caller's dispose scope.</summary>
    /// <param name="features"><c>[rows, width]</c>; not changed.</param>
    /// <param name="random">The source of all random numbers.</param>
    AugmentedFeatures Apply(Tensor features, ref SplitMix64 random);
}

/// <summary>The augmented features.</summary>
/// <param name="Features">The input of the network.</param>
/// <param name="Partner">The row that each row is blended with, Int64 <c>[rows]</c>; null without blending.</param>
/// <param name="PartnerShare">The partner's share of the blend, in [0, 1]; null without blending.</param>
internal sealed record AugmentedFeatures(Tensor Features, Tensor? Partner = null, float? PartnerShare = null);
