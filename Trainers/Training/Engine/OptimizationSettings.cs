namespace MLExtensions.Training.Engine;

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
