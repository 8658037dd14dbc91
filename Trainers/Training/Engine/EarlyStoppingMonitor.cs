using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>Watches the validation loss, keeps the best epoch's weights, and says when to stop.</summary>
internal sealed class EarlyStoppingMonitor(EarlyStopping? settings, TrainingStep step) : IDisposable
{
    /// <summary>The epoch of the lowest validation loss, or null without validation.</summary>
    public int? BestEpoch { get; private set; }

    public double BestLoss { get; private set; } = double.PositiveInfinity;

    /// <summary>The best epoch's weights; null where nothing would ask for them.</summary>
    public StepSnapshot? Best { get; private set; }

    /// <summary>Takes an epoch's validation loss in and returns whether training should stop.</summary>
    public bool ShouldStop(int epoch, double? validationLoss)
    {
        if (validationLoss is not { } loss)
            return false;
        if (BestEpoch == null || loss < BestLoss - (settings?.MinimumDelta ?? 0))
        {
            BestEpoch = epoch;
            BestLoss = loss;
            if (settings != null)
                Keep(StepSnapshot.Take(step));
        }
        return settings != null && epoch - BestEpoch.Value >= settings.Patience;
    }

    /// <summary>Goes on from a checkpoint.</summary>
    public void Resume(int? bestEpoch, double bestLoss, StepSnapshot? best)
    {
        BestEpoch = bestEpoch;
        BestLoss = bestLoss;
        Keep(best);
    }

    public void Dispose() => Best?.Dispose();

    private void Keep(StepSnapshot? snapshot)
    {
        Best?.Dispose();
        Best = snapshot;
    }
}
