using MLExtensions.Distribution;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>
/// A network in training with everything that belongs to it alone: parameters, gradients, optimizer, clipping, regularization, moving
/// average, dropout. A training step has one or several of them.
/// </summary>
internal sealed class TrainedNetwork : IDisposable
{
    private readonly OptimizationSettings _settings;
    private readonly DropoutGenerator _dropout;
    private readonly GradientSum _gradients;
    private readonly bool _takesBFloat16;
    private readonly int _threads;
    private readonly List<(string Name, Tensor Value, Tensor Average)> _averagedBuffers = [];

    /// <param name="name">Its name in checkpoints and TensorBoard events.</param>
    /// <param name="architecture">Its architecture.</param>
    /// <param name="module">
    /// The module of the architecture with its initial weights, float32 on the CPU. This object takes ownership.
    /// </param>
    /// <param name="settings">The optimization settings.</param>
    /// <param name="seed">The seed of its dropout.</param>
    /// <param name="device">Where to train.</param>
    /// <exception cref="ArgumentException">The layers in the settings do not match the module; the message names the option.</exception>
    public TrainedNetwork(string name, NetworkArchitecture architecture, nn.Module<Tensor, Tensor> module, OptimizationSettings settings, int seed, Device device)
    {
        Name = name;
        Architecture = architecture;
        Device = device;
        ReadsLossLast = device.type == DeviceType.CUDA;
        Module = module;
        _settings = settings;
        _takesBFloat16 = settings.Precision == Precision.BFloat16 && module is not IFullPrecisionInput;
        if (device.type != DeviceType.CPU)
            module.to(device);
        Parameters = new ParameterSet(module, settings);
        _threads = get_num_threads();
        Optimizer = FlatOptimizer.Create(settings.Optimizer, Parameters.Weights, Parameters.Gradients, Parameters.Segments, _threads);
        if (settings.AverageDecay != null)
        {
            Average = Parameters.Weights.clone().DetachFromDisposeScope();
            foreach (var (buffer, value) in Parameters.Buffers.Where(entry => entry.Value.is_floating_point()))
                _averagedBuffers.Add((buffer, value, value.clone().DetachFromDisposeScope()));
        }
        _gradients = new GradientSum(Parameters, settings);
        // Each rank has rows of its own, and drops what is its own.
        _dropout = new DropoutGenerator(module, Distributed.SeedOf(settings.Distributed, seed), device);
        if (settings.Distributed is { Group: { } group, SynchronizeBatchNormalization: true })
        {
            foreach (var normalization in module.modules().OfType<BatchNormalization>())
                normalization.Sum = group.SumStatistics;
        }
    }

    public string Name { get; }

    public NetworkArchitecture Architecture { get; }

    public Device Device { get; }

    /// <summary>The module in training. Use <see cref="Forward"/> for its outputs, because it knows the precision.</summary>
    public nn.Module<Tensor, Tensor> Module { get; }

    public ParameterSet Parameters { get; }

    public FlatOptimizer Optimizer { get; }

    /// <summary>The number of examples that the next gradient is the mean of. It matters where other batches or ranks have another number.</summary>
    public int Examples { get; set; } = 1;

    /// <summary>Whether the next gradient is the last of an epoch, which no update of the weights may be without.</summary>
    public bool EndsEpoch { get; set; }

    /// <summary>The moving average of the weights, or null.</summary>
    public Tensor? Average { get; }

    /// <summary>The weights for validation and for the model: the moving average if there is one.</summary>
    public Tensor Result => Average ?? Parameters.Weights;

    /// <summary>The moving averages of the module's buffers: the statistics that belong to <see cref="Average"/>.</summary>
    public IEnumerable<(string Name, Tensor Value)> AveragedBuffers => _averagedBuffers.Select(entry => (entry.Name, entry.Average));

    /// <summary>The buffers that belong to <see cref="Result"/>.</summary>
    public IEnumerable<(string Name, Tensor Value)> ResultBuffers =>
        Parameters.Buffers.Where(entry => _averagedBuffers.All(averaged => averaged.Name != entry.Name)).Concat(AveragedBuffers);

    public void BeginEpoch(int epoch)
    {
        Parameters.BeginTraining();
        _gradients.Clear();
        _dropout.BeginEpoch(epoch);
    }

    public void BeginValidation() => Module.eval();

    /// <summary>Computes the outputs of the network, float32.</summary>
    public Tensor Forward(Tensor inputs)
    {
        if (_takesBFloat16)
            inputs = inputs.to(ScalarType.BFloat16);
        return Module.call(inputs).to(ScalarType.Float32);
    }

    /// <summary>
    /// Whether a loss is read after the update. A GPU computes behind the program; who asks for a number waits until it is there, and meanwhile gives the
    /// GPU nothing to do.
    /// </summary>
    public bool ReadsLossLast { get; init; }

    /// <summary>Updates the network with the gradient of a loss. If the loss is not finite, training ends; on the CPU there is no update.</summary>
    /// <returns>The loss.</returns>
    public double Descend(Tensor loss, double learningRate)
    {
        var value = ReadsLossLast ? 0 : loss.item<float>();
        if (!float.IsFinite(value))
            return value;
        loss.backward();
        Apply(learningRate);
        return ReadsLossLast ? loss.item<float>() : value;
    }

    /// <summary>Updates the network with the current gradients of the module and zeroes them; or keeps them, where more batches make an update.</summary>
    public void Apply(double learningRate)
    {
        Parameters.CollectGradients();
        if (_gradients.Add(Examples, EndsEpoch) is not { } scale)
            return;
        Optimizer.Step(learningRate * _settings.LearningRateFactor, scale * ClipFactor(scale));
        Parameters.PublishWeights();
        if (Average is null)
            return;
        // Early the average would be close to the initial weights, so it follows faster, as in TensorFlow.
        var decay = Math.Min(_settings.AverageDecay!.Value, (1.0 + Optimizer.StepCount) / (10 + Optimizer.StepCount));
        FlatAverage.Move(Average, Parameters.Weights, 1 - decay, _threads);
        using var noGradient = no_grad();
        foreach (var (_, value, average) in _averagedBuffers)
        {
            using var gap = value - average;
            average.add_(gap, Number.Of(1 - decay));
        }
    }

    /// <summary>Moves the weights towards those of another network of the same architecture.</summary>
    /// <param name="other">The other network.</param>
    /// <param name="share">The share of the way; 1 for a copy, which weights that are no numbers do not outlast.</param>
    public void Follow(TrainedNetwork other, double share)
    {
        using var noGradient = no_grad();
        if (share >= 1)
            Parameters.Weights.copy_(other.Parameters.Weights);
        else
            FlatAverage.Move(Parameters.Weights, other.Parameters.Weights, share, _threads);
        Parameters.PublishWeights();
    }

    /// <summary>Puts the weights and statistics that the model would get into the module until the returned object is disposed.</summary>
    public IDisposable UseResult() => new ResultInUse(this);

    /// <summary>Takes the initial weights of rank 0: initialization may differ in the last bits from processor to processor.</summary>
    public void TakeWeights(ProcessGroup group)
    {
        using var noGradient = no_grad();
        foreach (var value in Floats().Append(Parameters.Weights))
            TakeValues(group, value);
        Parameters.PublishWeights();
        Average?.copy_(Parameters.Weights);
        foreach (var (_, value, average) in _averagedBuffers)
            average.copy_(value);
    }

    /// <summary>
    /// Makes the statistics of batches, which each rank has of its own rows, those of all. Weights become those of rank 0: other processors may
    /// round other than it does.
    /// </summary>
    public void Meet(ProcessGroup group)
    {
        using var noGradient = no_grad();
        TakeValues(group, Parameters.Weights);
        Parameters.PublishWeights();
        if (Average is { } mean)
            TakeValues(group, mean);
        foreach (var value in Floats().Concat(_averagedBuffers.Select(entry => entry.Average)))
        {
            SumValues(group, value);
            value.mul_(Number.Of(1.0 / group.Size));
        }
    }

    private IEnumerable<Tensor> Floats() => Parameters.Buffers.Select(entry => entry.Value).Where(value => value.is_floating_point());

    private static void TakeValues(ProcessGroup group, Tensor values)
    {
        if (group.Rank != 0)
            values.zero_();
        SumValues(group, values);
    }

    private static void SumValues(ProcessGroup group, Tensor values)
    {
        using var flat = values.to(ScalarType.Float32).reshape(-1).clone();
        group.Sum(flat);
        using var shaped = flat.view(values.shape);
        values.copy_(shaped);
    }

    /// <summary>Discards gradients that the loss of another network has left in this one.</summary>
    public void DiscardGradients() => Parameters.DiscardGradients();

    /// <summary>Returns the resulting weights in a new module, float32 on the CPU.</summary>
    public nn.Module<Tensor, Tensor> Export()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var module = Architecture.CreateModule();
        var targets = module.state_dict();
        foreach (var (name, value) in Parameters.Split(Result).Concat(ResultBuffers).Concat(Parameters.Frozen.Weights))
            targets[name].copy_(value);
        module.DetachFromDisposeScope();
        return module;
    }

    /// <summary>Returns the SHA-256 of everything that the network starts training with.</summary>
    public string Checksum() => WeightChecksum.Of([Parameters.Weights, .. Parameters.Buffers.Select(entry => entry.Value), .. Parameters.Frozen.Weights.Select(entry => entry.Value)]);

    public void Dispose()
    {
        Optimizer.Dispose();
        Average?.Dispose();
        _gradients.Dispose();
        foreach (var (_, _, average) in _averagedBuffers)
            average.Dispose();
        Parameters.Dispose();
        Module.Dispose();
        _dropout.Dispose();
    }

    private double ClipFactor(double scale)
    {
        if (_settings.ClipNorm is not { } limit)
            return 1;
        return Optimizer.ClipFactor(limit, scale);
    }

    private sealed class ResultInUse : IDisposable
    {
        private readonly TrainedNetwork _network;
        private readonly Tensor? _weights;
        private readonly List<(Tensor Target, Tensor Value)> _buffers = [];

        public ResultInUse(TrainedNetwork network)
        {
            _network = network;
            if (network.Average is not { } average)
                return;
            using var noGradient = no_grad();
            _weights = network.Parameters.Exchange(average);
            foreach (var (_, value, mean) in network._averagedBuffers)
            {
                _buffers.Add((value, value.clone().DetachFromDisposeScope()));
                value.copy_(mean);
            }
        }

        public void Dispose()
        {
            if (_weights is null)
                return;
            using var noGradient = no_grad();
            _network.Parameters.Exchange(_weights).Dispose();
            _weights.Dispose();
            foreach (var (target, value) in _buffers)
            {
                target.copy_(value);
                value.Dispose();
            }
            _buffers.Clear();
        }
    }
}

/// <summary>How the parameters of one network are trained. Each network of a training has its own settings.</summary>
internal sealed record OptimizationSettings
{
    public required Optimizer Optimizer { get; init; }

    /// <summary>A factor on the learning rate of the schedule.</summary>
    public double LearningRateFactor { get; init; } = 1;

    public double L1 { get; init; }

    public double L2 { get; init; }

    /// <summary>Decoupled weight decay; null for the default of the optimizer.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>The largest Euclidean norm of the gradients; null for no clipping.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>The decay of the moving average of the weights; null for no average.</summary>
    public double? AverageDecay { get; init; }

    public Precision Precision { get; init; }

    /// <summary>The number of batches whose mean gradient makes one update.</summary>
    public int AccumulationSteps { get; init; } = 1;

    /// <summary>The processes that train it, or null for this one.</summary>
    public Distributed? Distributed { get; init; }

    /// <summary>Which layers are trained, and by which rules.</summary>
    public LayerSelection Layers { get; init; } = LayerSelection.All;

    /// <summary>Returns the regularization of parameters under a layer rule, or without one.</summary>
    public Regularization RegularizationOf(LayerRule? rule) => new(
        L1,
        rule?.L2Regularization ?? L2,
        rule?.WeightDecay ?? WeightDecay ?? Optimizer.DefaultWeightDecay);
}

/// <summary>
/// The random numbers of a network's dropout. Those of each epoch are derived from the seed, independently of what was drawn before.
/// </summary>
internal sealed class DropoutGenerator : IDisposable
{
    private readonly int _seed;
    private readonly Generator? _generator;

    public DropoutGenerator(nn.Module network, int seed, Device device)
    {
        _seed = seed;
        // libtorch has no CUDA generators that could be passed in: there, the generator of the process is seeded.
        if (device.type == DeviceType.CPU)
            _generator = new Generator((ulong)seed);
        foreach (var layer in network.modules().OfType<SeededDropout>())
            layer.Generator = _generator;
    }

    public void BeginEpoch(int epoch)
    {
        var seed = (long)(SeedSequence.Derive(_seed, SeedSequence.Dropout, epoch) >> 1);
        if (_generator != null)
            _generator.manual_seed(seed);
        else
            cuda.manual_seed_all(seed); // the device may be any
    }

    public void Dispose() => _generator?.Dispose();
}
