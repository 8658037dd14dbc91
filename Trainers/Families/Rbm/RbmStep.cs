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

    private readonly RbmNetwork _network;
    private readonly LowerLayers _lower;
    private readonly Tensor _sample;
    private readonly int _seed;
    private readonly ScalarType _type;
    private readonly UnitSampler _sampler;
    private readonly ContrastiveDivergence _divergence;
    private readonly SparsityPenalty? _sparsity;
    private readonly Tensor? _chains;
    private double _sampleFreeEnergy;
    private SplitMix64 _flips;

    /// <param name="trained">The RBM in training; owned by the step.</param>
    /// <param name="network">Its module.</param>
    /// <param name="options">The options.</param>
    /// <param name="lower">The RBMs below.</param>
    /// <param name="sample">Training rows, as visible units, for evaluation.</param>
    /// <param name="seed">The seed of the samples.</param>
    public RbmStep(TrainedNetwork trained, RbmNetwork network, RbmEstimator.Options options, LowerLayers lower, Tensor sample, int seed)
    {
        Networks = [trained];
        _network = network;
        network.Refresh();
        network.KeepViews();
        _lower = lower;
        _seed = seed;
        _type = network.Weight.dtype;
        using (NewDisposeScope())
            _sample = sample.to(_type).alias().DetachFromDisposeScope();
        _sampler = new UnitSampler(trained.Device);
        _divergence = new ContrastiveDivergence(network, _sampler, options.GibbsSteps, options.SampleVisible ?? options.PersistentChains != null);
        if (options.SparsityTarget is { } target)
            _sparsity = new SparsityPenalty(network, target, options.SparsityCost);
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
        Networks[0].Apply(learningRate);
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

    public override void BeginValidation()
    {
        base.BeginValidation();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        ReseedFlips();
        _sampler.Reseed(SeedSequence.Derive(_seed, SeedSequence.UnitSamples));
        _sampleFreeEnergy = MeanOf(_network.FreeEnergy(_sample));
    }

    public override double Validate(RowBatch batch, MetricSums metrics)
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
