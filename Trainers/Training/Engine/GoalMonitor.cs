namespace MLExtensions.Training.Engine;

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
