using MLExtensions.Training.Data;
using TorchSharp;

namespace MLExtensions.Training.Engine;

/// <summary>
/// What a family brings to the engine: how a batch becomes a loss and gradients. The engine brings everything else: epochs,
/// schedule, validation, early stopping, averages, checkpoints, progress.
/// </summary>
internal abstract class TrainingStep : IDisposable
{
    /// <summary>What is trained, by name; adversarial families have several.</summary>
    public abstract IReadOnlyList<(string Name, ParameterUpdater Updater)> Updaters { get; }

    /// <summary>What training carries from batch to batch beside weights and optimizers, by name; checkpoints keep it.</summary>
    public virtual IReadOnlyList<(string Name, torch.Tensor Value)> State => [];

    /// <summary>Where the networks compute.</summary>
    public abstract torch.Device Device { get; }

    /// <summary>Sets the networks and their random generators up for an epoch.</summary>
    public abstract void BeginEpoch(int epoch);

    /// <summary>Trains on one batch and returns its loss, which the engine checks. Runs within a dispose scope of its own.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="learningRate">The schedule's learning rate for it.</param>
    /// <param name="metrics">Collects the epoch's training metrics.</param>
    public abstract double Train(Batch batch, double learningRate, MetricSums metrics);

    /// <summary>Measures what an epoch has led to, on more than its batches. Runs within a dispose scope of its own.</summary>
    public virtual void EndEpoch(MetricSums metrics)
    {
    }

    /// <summary>Sets the networks up for validation.</summary>
    public abstract void BeginValidation();

    /// <summary>Measures one batch with the networks as they are, and returns its loss.</summary>
    public abstract double Validate(Batch batch, MetricSums metrics);

    public abstract void Dispose();
}
