using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Supervised;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// Stops training when the validation loss no longer falls, and gives back the weights of the best epoch (Prechelt, 1998).
/// </summary>
public sealed record EarlyStopping
{
    /// <summary>How many epochs in a row may pass without an improvement. Default 10 epochs.</summary>
    public int Patience { get; init; } = 10;

    /// <summary>By how much the validation loss must fall to count as an improvement. Default 0.</summary>
    public double MinimumDelta { get; init; }

    internal void Check()
    {
        OptionCheck.AtLeast(Patience, 1, "EarlyStopping.Patience");
        OptionCheck.NotNegative(MinimumDelta, "EarlyStopping.MinimumDelta");
    }
}

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

/// <summary>Compares the epochs by the goal, keeps the best epoch's weights for early stopping, and says when to stop.</summary>
/// <param name="goal">The goal; null where epochs cannot be compared.</param>
/// <param name="settings">When to stop early, or null.</param>
/// <param name="step">What is trained.</param>
internal sealed class GoalMonitor(TrainingGoal? goal, EarlyStopping? settings, TrainingStep step) : IDisposable
{
    /// <summary>The best epoch; null without a goal or without validation.</summary>
    public int? BestEpoch { get; private set; }

    /// <summary>The best epoch's value; meaningless while <see cref="BestEpoch"/> is null.</summary>
    public double BestValue { get; private set; }

    /// <summary>The best epoch's weights; null where nothing would ask for them.</summary>
    public StepSnapshot? Best { get; private set; }

    /// <summary>Takes an epoch in and returns whether training should stop.</summary>
    public bool ShouldStop(EpochRecord record)
    {
        if (goal?.ValueOf(record) is not { } value)
            return false;
        if (BestEpoch == null || goal.IsBetter(value, BestValue, settings?.MinimumDelta ?? 0))
        {
            BestEpoch = record.Epoch;
            BestValue = value;
            if (settings != null)
                Keep(StepSnapshot.Take(step));
        }
        return settings != null && record.Epoch - BestEpoch.Value >= settings.Patience;
    }

    /// <summary>Continues from a checkpoint.</summary>
    public void Resume(int? bestEpoch, double bestValue, StepSnapshot? best)
    {
        BestEpoch = bestEpoch;
        BestValue = bestValue;
        Keep(best);
    }

    public void Dispose() => Best?.Dispose();

    private void Keep(StepSnapshot? snapshot)
    {
        Best?.Dispose();
        Best = snapshot;
    }
}
