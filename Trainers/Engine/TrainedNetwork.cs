using MLExtensions.Training;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>
/// A network in training, with everything that belongs to it alone: parameters, gradients, optimizer, clipping, regularization, moving
/// average, dropout. Steps are composed of one or several.
/// </summary>
internal sealed class TrainedNetwork : IDisposable
{
    private readonly OptimizationSettings _settings;
    private readonly DropoutGenerator _dropout;
    private readonly bool _takesBFloat16;

    /// <param name="name">Its name in checkpoints and TensorBoard's events.</param>
    /// <param name="architecture">Its architecture.</param>
    /// <param name="module">The module of the architecture with its first weights, float32 on the CPU; taken over.</param>
    /// <param name="settings">How it is trained.</param>
    /// <param name="seed">The seed of its dropout.</param>
    /// <param name="device">Where to train.</param>
    /// <exception cref="ArgumentException">The layers of the settings do not fit the module; the message names the option.</exception>
    public TrainedNetwork(string name, NetworkArchitecture architecture, nn.Module<Tensor, Tensor> module, OptimizationSettings settings, int seed, Device device)
    {
        Name = name;
        Architecture = architecture;
        Device = device;
        Module = module;
        _settings = settings;
        _takesBFloat16 = settings.Precision == Precision.BFloat16 && module is not IFullPrecisionInput;
        if (device.type != DeviceType.CPU)
            module.to(device);
        Parameters = new ParameterSet(module, settings);
        Optimizer = FlatOptimizer.Create(settings.Optimizer, Parameters.Weights, Parameters.Gradients, Parameters.Segments, get_num_threads());
        Average = settings.AverageDecay == null ? null : Parameters.Weights.clone().DetachFromDisposeScope();
        _dropout = new DropoutGenerator(module, seed, device);
    }

    public string Name { get; }

    public NetworkArchitecture Architecture { get; }

    public Device Device { get; }

    /// <summary>The module in training. For its outputs <see cref="Forward"/> knows the precision.</summary>
    public nn.Module<Tensor, Tensor> Module { get; }

    public ParameterSet Parameters { get; }

    public FlatOptimizer Optimizer { get; }

    /// <summary>The moving average of the weights, or null.</summary>
    public Tensor? Average { get; }

    /// <summary>The weights to validate and to keep: the average where there is one.</summary>
    public Tensor Result => Average ?? Parameters.Weights;

    public void BeginEpoch(int epoch)
    {
        Parameters.BeginTraining();
        _dropout.BeginEpoch(epoch);
    }

    public void BeginValidation() => Module.eval();

    /// <summary>The network's outputs, float32.</summary>
    public Tensor Forward(Tensor inputs)
    {
        if (_takesBFloat16)
            inputs = inputs.to(ScalarType.BFloat16);
        return Module.call(inputs).to(ScalarType.Float32);
    }

    /// <summary>One step down the gradient of a loss; none where the loss is not finite, which ends the training.</summary>
    /// <returns>The loss.</returns>
    public double Descend(Tensor loss, double learningRate)
    {
        var value = loss.item<float>();
        if (!float.IsFinite(value))
            return value;
        loss.backward();
        Apply(learningRate);
        return value;
    }

    /// <summary>One update from the gradients that the module holds now; they are zero afterwards.</summary>
    public void Apply(double learningRate)
    {
        Parameters.CollectGradients();
        Optimizer.Step(learningRate * _settings.LearningRateFactor, ClipFactor());
        Parameters.PublishWeights();
        if (Average is null)
            return;
        // Early on the average would be the initial weights: follow faster, as TensorFlow does.
        var decay = Math.Min(_settings.AverageDecay!.Value, (1.0 + Optimizer.StepCount) / (10 + Optimizer.StepCount));
        using var noGradient = no_grad();
        using var gap = Parameters.Weights - Average;
        Average.add_(gap, 1 - decay);
    }

    /// <summary>Drops gradients that another network's loss has left here.</summary>
    public void DiscardGradients() => Parameters.DiscardGradients();

    /// <summary>The resulting weights in a module of their own, float32 on the CPU.</summary>
    public nn.Module<Tensor, Tensor> Export()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var module = Architecture.CreateModule();
        var targets = module.state_dict();
        foreach (var (name, value) in Parameters.Split(Result).Concat(Parameters.Buffers).Concat(Parameters.Frozen.Weights))
            targets[name].copy_(value);
        module.DetachFromDisposeScope();
        return module;
    }

    /// <summary>The SHA-256 of all that the network starts a training with.</summary>
    public string Checksum() => WeightChecksum.Of([Parameters.Weights, .. Parameters.Buffers.Select(entry => entry.Value), .. Parameters.Frozen.Weights.Select(entry => entry.Value)]);

    public void Dispose()
    {
        Optimizer.Dispose();
        Average?.Dispose();
        Parameters.Dispose();
        Module.Dispose();
        _dropout.Dispose();
    }

    private double ClipFactor()
    {
        if (_settings.ClipNorm is not { } limit)
            return 1;
        var norm = Optimizer.GradientNorm();
        return norm > limit ? limit / norm : 1;
    }
}

/// <summary>How one network's parameters are trained. Each network of a training has its own.</summary>
internal sealed record OptimizationSettings
{
    public required Optimizer Optimizer { get; init; }

    /// <summary>Multiplies the learning rate of the training's schedule.</summary>
    public double LearningRateFactor { get; init; } = 1;

    public double L1 { get; init; }

    public double L2 { get; init; }

    /// <summary>Decoupled weight decay; null for the optimizer's own.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>The largest Euclidean norm of the gradients; null for no clipping.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>The decay of the moving average of the weights; null for no average.</summary>
    public double? AverageDecay { get; init; }

    public Precision Precision { get; init; }

    /// <summary>Which layers are trained, and by which rules.</summary>
    public LayerSelection Layers { get; init; } = LayerSelection.All;

    /// <summary>What pulls parameters towards zero that a rule for layers covers, or none.</summary>
    public Regularization RegularizationOf(LayerRule? rule) => new(
        L1,
        rule?.L2Regularization ?? L2,
        rule?.WeightDecay ?? WeightDecay ?? Optimizer.DefaultWeightDecay);
}

/// <summary>The random numbers of a network's dropout: each epoch's come from the seed, whatever was drawn before.</summary>
internal sealed class DropoutGenerator : IDisposable
{
    private readonly int _seed;
    private readonly Generator? _generator;

    public DropoutGenerator(nn.Module network, int seed, Device device)
    {
        _seed = seed;
        // libtorch has no generators for CUDA that could be handed over: there, the process's is seeded.
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
            cuda.manual_seed(seed);
    }

    public void Dispose() => _generator?.Dispose();
}
