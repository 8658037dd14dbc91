using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>Applies gradients to a parameter set: clipping, regularisation, optimizer, average of the weights; each range by its own rule.</summary>
internal sealed class ParameterUpdater : IDisposable
{
    private readonly double? _clipNorm;
    private readonly double? _averageDecay;

    public ParameterUpdater(ParameterSet parameters, TrainingOptions options, int threads)
    {
        Parameters = parameters;
        _clipNorm = options.GradientClipNorm;
        _averageDecay = options.WeightAverageDecay;
        var segments = parameters.Ranges.Select(range => Segment(range, options)).ToArray();
        Optimizer = FlatOptimizer.Create(options.Optimizer, parameters.Weights, parameters.Gradients, segments, threads);
        Average = _averageDecay == null ? null : parameters.Weights.clone().DetachFromDisposeScope();
    }

    public ParameterSet Parameters { get; }

    public FlatOptimizer Optimizer { get; }

    /// <summary>The moving average of the weights, or null.</summary>
    public Tensor? Average { get; }

    /// <summary>One update from the gradients that the module holds now; they are zero afterwards.</summary>
    public void Apply(double learningRate)
    {
        Parameters.CollectGradients();
        Optimizer.Step(learningRate, ClipFactor());
        Parameters.PublishWeights();
        if (Average is null)
            return;
        // Early on the average would be the initial weights: follow faster, as TensorFlow does.
        var decay = Math.Min(_averageDecay!.Value, (1.0 + Optimizer.StepCount) / (10 + Optimizer.StepCount));
        using var noGradient = no_grad();
        using var gap = Parameters.Weights - Average;
        Average.add_(gap, 1 - decay);
    }

    /// <summary>The weights to validate and to keep: the average where there is one.</summary>
    public Tensor Result => Average ?? Parameters.Weights;

    /// <summary>The resulting weights in a module of their own, float32 on the CPU.</summary>
    public nn.Module<Tensor, Tensor> Export(NetworkArchitecture architecture)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var module = architecture.CreateModule();
        var targets = module.state_dict();
        foreach (var (name, value) in Parameters.Split(Result).Concat(Parameters.Buffers).Concat(Parameters.Frozen.Weights))
            targets[name].copy_(value);
        module.DetachFromDisposeScope();
        return module;
    }

    public void Dispose()
    {
        Optimizer.Dispose();
        Average?.Dispose();
    }

    private static FlatSegment Segment(ParameterRange range, TrainingOptions options) => new(
        range.Start,
        range.End,
        range.IsRegularized ? RegularizationOf(range.Rule, options) : default,
        range.Rule?.LearningRateFactor ?? 1);

    private static Regularization RegularizationOf(LayerRule? rule, TrainingOptions options) => new(
        options.L1Regularization,
        rule?.L2Regularization ?? options.L2Regularization,
        rule?.WeightDecay ?? options.WeightDecay ?? options.Optimizer.DefaultWeightDecay);

    private double ClipFactor()
    {
        if (_clipNorm == null)
            return 1;
        var norm = Optimizer.GradientNorm();
        return norm > _clipNorm ? _clipNorm.Value / norm : 1;
    }
}
