using System.Globalization;
using MLExtensions.Engine;
using MLExtensions.Supervised;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Families.MetricLearning;

/// <summary>The training step of embeddings: outputs of length 1, compared with each other.</summary>
internal sealed class EmbeddingStep : TrainingStep<RowBatch>
{
    private const string Auc = "auc";
    private const string PrecisionAt1 = "precisionAt1";
    private const string ActiveTriplets = "activeTriplets";
    private const string SameDistance = "sameDistance";
    private const string DifferentDistance = "differentDistance";

    // Independent embeddings have 2, and the margin is .2 by default; untrained networks have .02 to 1.
    private const double CollapsedDistance = 0.01;
    private const int CollapsedEpochs = 2;

    private readonly TrainedNetwork _network;
    private readonly TrainedNetwork? _centers;
    private readonly EmbeddingOptions _options;
    private readonly IFeatureAugmenter? _augmenter;
    private readonly Action<string> _warn;
    private readonly int _seed;
    private BatchSpread _spread = new();
    private SplitMix64 _augmentations;
    private SplitMix64 _negatives;
    private int _collapsed;
    private int _epoch;

    /// <param name="network">The network; owned by the step.</param>
    /// <param name="centers">The centers of the classes; owned by the step. Null for losses without them.</param>
    /// <param name="options">The options.</param>
    /// <param name="augmenter">The augmentation of training examples, or null.</param>
    /// <param name="seed">The seed of augmentation and mining.</param>
    /// <param name="warn">Receives warnings.</param>
    public EmbeddingStep(TrainedNetwork network, TrainedNetwork? centers, EmbeddingOptions options, IFeatureAugmenter? augmenter, int seed, Action<string> warn)
    {
        (_network, _centers, _options, _augmenter, _seed, _warn) = (network, centers, options, augmenter, seed, warn);
        Networks = centers == null ? [network] : [network, centers];
    }

    /// <summary>The goal of the training: how well pairs of validation rows are told apart.</summary>
    public static TrainingGoal Goal { get; } = new(Auc, GoalDirection.Maximize);

    public override IReadOnlyList<TrainedNetwork> Networks { get; }

    /// <summary>The mean over violations need not fall when there are fewer of them.</summary>
    public override bool LowersLoss => _options.Loss is not TripletLoss;

    public override bool LossTellsLearning => _options.Loss is not TripletLoss;

    public override void BeginEpoch(int epoch)
    {
        base.BeginEpoch(epoch);
        _epoch = epoch;
        _spread = new BatchSpread();
        _augmentations = new SplitMix64(SeedSequence.Derive(_seed, SeedSequence.Augmentation, epoch));
        _negatives = new SplitMix64(SeedSequence.Derive(_seed, SeedSequence.TripletNegatives, epoch));
    }

    public override double Train(RowBatch batch, double learningRate, MetricSums metrics)
    {
        var features = _augmenter?.Apply(batch.Features, ref _augmentations).Features ?? batch.Features;
        if (_options.Loss is TripletLoss triplet)
            return LearnTriplets(triplet, features, batch, learningRate);
        var loss = _network.Descend(Loss(features, (LabeledBatch)batch, _spread), learningRate);
        if (double.IsFinite(loss))
            _centers?.Apply(learningRate);
        return loss;
    }

    public override double LossAfter(RowBatch batch)
    {
        using var mode = inference_mode();
        foreach (var network in Networks)
            network.BeginValidation();
        var random = new SplitMix64(SeedSequence.Derive(_seed, SeedSequence.TripletNegatives));
        return _options.Loss is TripletLoss triplet
            ? TripletGradient.Of(triplet, _network.Forward(batch.Features), ClassesOf(batch), ref random, spread: null).Loss
            : Loss(batch.Features, (LabeledBatch)batch, spread: null).item<float>();
    }

    /// <summary>The batch has all rows, so that all pairs are compared.</summary>
    public override double? Validate(RowBatch batch, MetricSums metrics)
    {
        using var mode = inference_mode();
        var labels = ClassesOf(batch);
        var rows = ComparedRows(batch.RowCount);
        var features = rows == null ? batch.Features : batch.Features.index_select(0, tensor(Array.ConvertAll(rows, row => (long)row), ScalarType.Int64, CPU).to(batch.Features.device));
        var embeddings = new LabeledEmbeddings(Embed(features), _network.Architecture.OutputCount, rows == null ? labels : Array.ConvertAll(rows, row => labels[row]));
        var found = embeddings.Measure();
        metrics.Add(Auc, found.Auc * batch.RowCount);
        metrics.Add(PrecisionAt1, found.PrecisionAt1 * batch.RowCount);
        metrics.Add(SameDistance, found.SameDistance * batch.RowCount);
        metrics.Add(DifferentDistance, found.DifferentDistance * batch.RowCount);
        return null;
    }

    public override void EndEpoch(MetricSums metrics)
    {
        metrics.AddMean(ActiveTriplets, _spread.ActiveShare);
        metrics.AddMean(SameDistance, _spread.MeanSame);
        metrics.AddMean(DifferentDistance, _spread.MeanDifferent);
        _collapsed = _spread.MeanDifferent < CollapsedDistance ? _collapsed + 1 : 0;
        if (_collapsed == CollapsedEpochs)
            _warn(string.Create(CultureInfo.InvariantCulture, $"The embeddings collapsed: in epoch {_epoch} the mean squared distance of examples of different classes was {_spread.MeanDifferent:G3} (2 if they were independent), so that all embeddings are nearly alike and the loss, {metrics.Loss:G3}, can stay where it is. Try a smaller LearningRate, {(_options.Loss is TripletLoss { Mining: TripletMining.Hard } ? "Mining = SemiHard, " : "")}larger batches, or a trained classifier with the same layers as InitialModel."));
    }

    private static int[] ClassesOf(RowBatch batch) => Array.ConvertAll(((LabeledBatch)batch).LabelValues.ToArray(), label => (int)label);

    private double LearnTriplets(TripletLoss loss, Tensor features, RowBatch batch, double learningRate)
    {
        var outputs = _network.Forward(features);
        var (value, gradient) = TripletGradient.Of(loss, outputs, ClassesOf(batch), ref _negatives, _spread);
        if (gradient is null)
            return value;
        outputs.backward([gradient]);
        _network.Apply(learningRate);
        return value;
    }

    /// <summary>The mean loss of a batch, if it has no triplets.</summary>
    private Tensor Loss(Tensor features, LabeledBatch batch, BatchSpread? spread)
    {
        var embeddings = UnitRows.Of(_network.Forward(features));
        var labels = batch.Labels.to(ScalarType.Int64);
        var cosines = MetricLosses.Cosines(embeddings);
        var distances = MetricLosses.SquaredDistances(cosines);
        spread?.Add(MetricLosses.ToHost(distances, ClassesOf(batch)).Measure(_options.Loss.ActiveMargin));
        return _options.Loss is ArcFaceLoss arcFace
            ? MetricLosses.ArcFace(arcFace, embeddings, _centers!.Module.get_parameter("output.weight")!, labels)
            : MetricLosses.Of(_options.Loss, cosines, distances, labels);
    }

    /// <summary>The embeddings of rows, computed in parts.</summary>
    private float[] Embed(Tensor features)
    {
        var values = new List<float>();
        var part = Math.Min(_network.Architecture.ScoringRows, EmbeddingTraining.MostValidationRows);
        for (var first = 0L; first < features.shape[0]; first += part)
        {
            using var scope = NewDisposeScope();
            var embeddings = UnitRows.Of(_network.Forward(features.narrow(0, first, Math.Min(part, features.shape[0] - first))));
            values.AddRange(TensorMemory.Floats(embeddings.cpu().contiguous()));
        }
        return values.ToArray();
    }

    /// <summary>Which validation rows are compared; null for all of them.</summary>
    private int[]? ComparedRows(int count)
    {
        if (count <= EmbeddingTraining.MostValidationRows)
            return null;
        var order = Enumerable.Range(0, count).ToArray();
        new SplitMix64(SeedSequence.Derive(_seed, SeedSequence.ComparedRows)).Shuffle(order);
        return order[..EmbeddingTraining.MostValidationRows];
    }
}
