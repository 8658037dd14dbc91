using MLExtensions.History;

namespace MLExtensions.Training.Engine;

/// <summary>The validation metric by which a training's epochs are compared. Early stopping and the best epoch follow it.</summary>
/// <param name="Metric">The name of the metric.</param>
/// <param name="Direction">Whether more of it is better or worse.</param>
internal sealed record TrainingGoal(string Metric, GoalDirection Direction)
{
    /// <summary>The lowest validation loss.</summary>
    public static TrainingGoal LeastLoss { get; } = new(MetricValues.Loss, GoalDirection.Minimize);

    /// <summary>Whether a value beats another one by more than a margin.</summary>
    public bool IsBetter(double value, double than, double margin) =>
        Direction == GoalDirection.Minimize ? value < than - margin : value > than + margin;

    /// <summary>The value of an epoch; null where it was not measured.</summary>
    /// <exception cref="InvalidOperationException">The epoch was validated, but for other metrics.</exception>
    public double? ValueOf(EpochRecord record)
    {
        if (record.Validation.Count == 0)
            return null;
        return record.Validation.TryGetValue(Metric, out var value)
            ? value
            : throw new InvalidOperationException($"The goal of the training is '{Metric}'; epoch {record.Epoch} measured {string.Join(", ", record.Validation.Keys)}.");
    }
}

/// <summary>Whether more of a metric is better or worse.</summary>
internal enum GoalDirection
{
    /// <summary>Less is better.</summary>
    Minimize,

    /// <summary>More is better.</summary>
    Maximize,
}
