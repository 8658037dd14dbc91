using System.Globalization;
using MLExtensions.Distribution;
using MLExtensions.Engine;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace MLExtensions.Families.Rbm;

/// <summary>The training step of an RBM. The loss is the reconstruction error; the gradient is that of contrastive divergence.</summary>
internal sealed class RbmStep : TrainingStep<RowBatch>
{
    private const string PseudoLogLikelihood = "pseudoLogLikelihood";
    private const string FreeEnergy = "freeEnergy";
    private const string FreeEnergyGap = "freeEnergyGap";

    // The standard deviation of a probability between the rows; a unit that is on for one row in a hundred has 0.1.
    private const double LeastDeviation = 0.05;

    private readonly RbmNetwork _network;
    private readonly LowerLayers _lower;
    private readonly Tensor _sample;
    private readonly int _seed;
    private readonly ScalarType _type;
    private readonly UnitSampler _sampler;
    private readonly ContrastiveDivergence _divergence;
    private readonly SparsityPenalty? _sparsity;
    private readonly SparseVisibleUnits? _sparse;
    private readonly Tensor? _chains;
    private readonly double _rateFactor;
    private double _sampleFreeEnergy;
    private SplitMix64 _flips;

    /// <param name="trained">The RBM in training; owned by the step.</param>
    /// <param name="network">Its module.</param>
    /// <param name="options">The options.</param>
    /// <param name="lower">The RBMs below.</param>
    /// <param name="statistics">What is known of the data, as visible units.</param>
    /// <param name="seed">The seed of the samples.</param>
    public RbmStep(TrainedNetwork trained, RbmNetwork network, RbmEstimator.Options options, LowerLayers lower, DataStatistics statistics, int seed)
    {
        Networks = [trained];
        _network = network;
        network.Refresh();
        network.KeepViews();
        _lower = lower;
        _seed = seed;
        _type = network.Weight.dtype;
        using (NewDisposeScope())
            _sample = statistics.Sample.to(_type).alias().DetachFromDisposeScope();
        _sampler = new UnitSampler(trained.Device, Distributed.ShareOf(options.Distributed));
        _sparse = network.Architecture.VisibleUnits == VisibleUnitType.Bernoulli ? SparseVisibleUnits.Of(statistics, _type) : null;
        _rateFactor = options.AdaptsLearningRate ? _sparse?.RateFactor ?? 1 : 1;
        var means = new BatchMeans(options.Distributed?.Group);
        _divergence = new ContrastiveDivergence(network, _sampler, options.GibbsSteps, options.SampleVisible ?? options.PersistentChains != null, means, _sparse);
        if (options.SparsityTarget is { } target)
            _sparsity = new SparsityPenalty(network, target, options.SparsityCost, means);
        if (options.PersistentChains is { } chains)
            _chains = zeros(chains, network.Architecture.OutputCount, dtype: _type, device: trained.Device).DetachFromDisposeScope();
    }

    public override IReadOnlyList<TrainedNetwork> Networks { get; }

    public override IReadOnlyList<(string Name, Tensor Value)> State
    {
        get
        {
            var state = new List<(string, Tensor)>();
            if (_chains is not null)
                state.Add(("chains", _chains));
            if (_sparsity != null)
                state.Add(("hidden means", _sparsity.Mean));
            return state;
        }
    }

    /// <summary>Training raises the likelihood; the reconstruction error may rise a little meanwhile.</summary>
    public override bool LowersLoss => false;

    public override void BeginEpoch(int epoch)
    {
        base.BeginEpoch(epoch);
        _sampler.Reseed(SeedSequence.Derive(_seed, SeedSequence.UnitSamples, epoch));
    }

    public override double Train(RowBatch batch, double learningRate, MetricSums metrics)
    {
        using var noGradient = no_grad();
        var visible = Visible(batch);
        var (hidden, reconstruction) = _divergence.AddGradient(visible, _chains);
        var loss = ErrorOf(visible, reconstruction);
        if (!double.IsFinite(loss))
            return loss;
        _sparsity?.AddGradient(visible, hidden);
        Networks[0].Apply(learningRate * _rateFactor);
        return loss;
    }

    public override void EndEpoch(MetricSums metrics)
    {
        using var noGradient = no_grad();
        ReseedFlips();
        metrics.AddMean(FreeEnergy, MeanOf(_network.FreeEnergy(_sample)));
        if (_network.Architecture.VisibleUnits == VisibleUnitType.Bernoulli)
            metrics.AddMean(PseudoLogLikelihood, MeanOf(Pseudo(_sample)));
    }

    public override double LossAfter(RowBatch batch)
    {
        using var noGradient = no_grad();
        var visible = Visible(batch);
        return MeanOf(_network.FreeEnergy(visible)) + ErrorOf(visible, _network.VisibleMeans(_network.HiddenMeans(visible)));
    }

    /// <summary>Says what was changed for sparse rows, and when hidden units have the same value for all rows, which says nothing about a row.</summary>
    public override IEnumerable<string> Diagnose()
    {
        using var noGradient = no_grad();
        var notes = new List<string>();
        if (_sparse is { RateFactor: > 1 and var factor })
        {
            var rate = _rateFactor == 1 ? FormattableString.Invariant($"; LearningRate was kept as it was set (if it is not set, it is multiplied by {factor:G3})") : FormattableString.Invariant($" and the learning rate multiplied by {factor:G3}");
            notes.Add($"Nearly all visible values are 0, so that the gradient was centered{rate}.");
        }
        var count = _network.Architecture.OutputCount;
        if (_sample.shape[0] < 2)
            return notes;
        var hidden = _network.HiddenMeans(_sample).to(ScalarType.Float32);
        var deviation = (hidden - hidden.mean([0])).pow(Number.Of(2)).mean([0]).sqrt().cpu();
        var constant = (int)deviation.lt(Number.Of(LeastDeviation)).sum().item<long>();
        if (constant > count / 2)
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"{constant} of {count} hidden units have about the same value for all of the {_sample.shape[0]} training rows that were looked at; what is trained on them will learn nothing. Try more Epochs, a larger LearningRate or {nameof(RbmEstimator.Options.SparsityTarget)}."));
        return notes;
    }

    public override void BeginValidation()
    {
        base.BeginValidation();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        ReseedFlips();
        _sampler.Reseed(SeedSequence.Derive(_seed, SeedSequence.UnitSamples));
        _sampleFreeEnergy = MeanOf(_network.FreeEnergy(_sample));
    }

    public override double? Validate(RowBatch batch, MetricSums metrics)
    {
        using var noGradient = no_grad();
        var visible = Visible(batch);
        var energy = MeanOf(_network.FreeEnergy(visible));
        metrics.Add(FreeEnergy, energy * batch.RowCount);
        metrics.Add(FreeEnergyGap, (energy - _sampleFreeEnergy) * batch.RowCount);
        if (_network.Architecture.VisibleUnits == VisibleUnitType.Bernoulli)
            metrics.Add(PseudoLogLikelihood, MeanOf(Pseudo(visible)) * batch.RowCount);
        // Computed from states, as in training, so that the two can be compared.
        return ErrorOf(visible, _network.VisibleMeans(_sampler.Hidden(_network, visible).States));
    }

    public override void Dispose()
    {
        base.Dispose();
        _sample.Dispose();
        _divergence.Dispose();
        _sampler.Dispose();
        _sparsity?.Dispose();
        _sparse?.Dispose();
        _chains?.Dispose();
    }

    private static double ErrorOf(Tensor visible, Tensor reconstruction)
    {
        if (visible.device_type != DeviceType.CPU || visible.dtype != ScalarType.Float32)
            return nn.functional.mse_loss(reconstruction, visible).to(ScalarType.Float32).item<float>();
        var distance = TensorPrimitives.Distance(TensorMemory.Floats(visible), TensorMemory.Floats(reconstruction));
        return (double)distance * distance / visible.NumberOfElements;
    }

    private static double MeanOf(Tensor values) => values.to(ScalarType.Float32).mean().item<float>();

    private Tensor Visible(RowBatch batch) => _lower.Up(batch.Features).to(_type);

    private Tensor Pseudo(Tensor visible) => _network.PseudoLogLikelihood(visible, RbmRows.DrawUnits(visible, ref _flips));

    /// <summary>The same units are used each time, so that epochs differ only by the weights.</summary>
    private void ReseedFlips() => _flips = new SplitMix64(SeedSequence.Derive(_seed, SeedSequence.UnitSamples));
}
