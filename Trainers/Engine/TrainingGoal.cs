using MLExtensions.Engine;
using MLExtensions.Messages;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>Stops training when the validation loss stops falling, and restores the weights of the best epoch (Prechelt, 1998).</summary>
/// <remarks>
/// Embeddings are compared by the area under the ROC curve of the validation pairs instead, and deep Q-networks in an environment by the
/// return of their evaluation episodes; both must rise.
/// </remarks>
public sealed record EarlyStopping
{
    /// <summary>Number of consecutive epochs without improvement after which training stops. Default 10.</summary>
    public int Patience { get; init; } = 10;

    /// <summary>Minimum decrease of the validation loss, or increase of what must rise, that counts as an improvement. Default 0.</summary>
    public double MinimumDelta { get; init; }

    internal void Check()
    {
        OptionCheck.AtLeast(Patience, 1, "EarlyStopping.Patience");
        OptionCheck.NotNegative(MinimumDelta, "EarlyStopping.MinimumDelta");
    }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(EarlyStopping), PrintMembers);
}

/// <summary>The validation metric by which epochs are compared. It decides on early stopping and the best epoch.</summary>
/// <param name="Metric">The name of the metric.</param>
/// <param name="Direction">Whether higher values are better or worse.</param>
internal sealed record TrainingGoal(string Metric, GoalDirection Direction)
{
    /// <summary>The lowest validation loss.</summary>
    public static TrainingGoal LeastLoss { get; } = new(MetricValues.Loss, GoalDirection.Minimize);

    /// <summary>Whether a value is better than another one by more than a margin.</summary>
    public bool IsBetter(double value, double than, double margin) =>
        Direction == GoalDirection.Minimize ? value < than - margin : value > than + margin;

    /// <summary>Returns the value of an epoch; null if it was not measured.</summary>
    /// <exception cref="InvalidOperationException">The epoch was validated, but with other metrics.</exception>
    public double? ValueOf(EpochRecord record)
    {
        if (record.Validation.Count == 0)
            return null;
        return record.Validation.TryGetValue(Metric, out var value)
            ? value
            : throw new InvalidOperationException(FormattableString.Invariant($"The goal of the training is '{Metric}', but epoch {record.Epoch} measured {string.Join(", ", record.Validation.Keys)}."));
    }
}

/// <summary>Whether higher values of a metric are better or worse.</summary>
internal enum GoalDirection
{
    /// <summary>Lower values are better.</summary>
    Minimize,

    /// <summary>Higher values are better.</summary>
    Maximize,
}

/// <summary>Compares epochs by the goal, keeps the weights of the best epoch for early stopping, and decides when to stop.</summary>
/// <param name="goal">The goal; null if epochs cannot be compared.</param>
/// <param name="settings">The early stopping settings, or null.</param>
/// <param name="step">The networks in training.</param>
internal sealed class GoalMonitor(TrainingGoal? goal, EarlyStopping? settings, TrainingStep step) : IDisposable
{
    /// <summary>The best epoch; null without a goal or without validation.</summary>
    public int? BestEpoch { get; private set; }

    /// <summary>The value of the best epoch; undefined while <see cref="BestEpoch"/> is null.</summary>
    public double BestValue { get; private set; }

    /// <summary>The weights of the best epoch; null if they are not needed.</summary>
    public StepSnapshot? Best { get; private set; }

    /// <summary>Adds an epoch and returns whether training should stop.</summary>
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
