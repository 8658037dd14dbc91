using MLExtensions.Heads;
using MLExtensions.Images;
using MLExtensions.Networks;
using MLExtensions.Networks.Images;
using MLExtensions.Supervised.Tasks;
using MLExtensions.Tensors;
using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>The step of every supervised family: one network, one loss.</summary>
internal sealed class SupervisedStep : SingleNetworkStep
{
    private readonly nn.Module<Tensor, Tensor> _network;
    private readonly SupervisedTask _task;
    private readonly PredictionHead _head;
    private readonly int _seed;
    private readonly ImageAugmenter? _augmenter;
    private SplitMix64 _augmentationRandom;

    /// <param name="network">The network with its first weights, float32 on the CPU; taken over.</param>
    /// <param name="task">The task.</param>
    /// <param name="head">Its head.</param>
    /// <param name="options">The options.</param>
    /// <param name="seed">The seed of dropout.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="augmenter">Changes the training images of an image network, or null.</param>
    public SupervisedStep(nn.Module<Tensor, Tensor> network, SupervisedTask task, PredictionHead head, NetworkTrainerOptions options, int seed, Device device, ImageAugmenter? augmenter)
        : base(network, options, seed, device)
    {
        _network = network;
        _task = task;
        _head = head;
        _seed = seed;
        _augmenter = augmenter;
    }

    public override void BeginEpoch(int epoch)
    {
        base.BeginEpoch(epoch);
        _augmentationRandom = new SplitMix64(SeedSequence.Derive(_seed, SeedSequence.Augmentation, epoch));
    }

    public override double Train(Batch batch, double learningRate, MetricSums metrics)
    {
        var augmented = Augment(batch.Features);
        var outputs = Forward(augmented.Images);
        var loss = Descend(Loss(outputs, batch, augmented), learningRate);
        if (double.IsFinite(loss))
            Measure(outputs, batch, metrics);
        return loss;
    }

    public override double Validate(Batch batch, MetricSums metrics)
    {
        using var mode = inference_mode();
        var outputs = Forward(batch.Features);
        Measure(outputs, batch, metrics);
        return _task.Loss(outputs, batch.Labels, batch.Weights).item<float>();
    }

    private AugmentedBatch Augment(Tensor features) => _augmenter == null
        ? new AugmentedBatch(features)
        : _augmenter.Apply(((ImageNetwork)_network).Input.ToImages(features), ref _augmentationRandom);

    private Tensor Loss(Tensor outputs, Batch batch, AugmentedBatch augmented)
    {
        var loss = _task.Loss(outputs, batch.Labels, batch.Weights);
        if (augmented is not { Partner: { } partner, PartnerShare: { } share })
            return loss;
        var ofPartners = _task.Loss(outputs, batch.Labels.index_select(0, partner), batch.Weights?.index_select(0, partner));
        return ((1 - share) * loss) + (share * ofPartners);
    }

    private void Measure(Tensor outputs, Batch batch, MetricSums metrics) =>
        _task.Measure(TensorMemory.Floats(outputs.detach().cpu().contiguous()), batch.LabelValues, _head, metrics);
}
