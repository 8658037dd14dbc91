using MLExtensions.Distribution;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>
/// What a family implements for the engine: how a batch becomes gradients. The engine does everything else: epochs, schedule, validation,
/// early stopping, averages, checkpoints, progress.
/// </summary>
internal abstract class TrainingStep : IDisposable
{
    /// <summary>The networks in training. The step owns them; adversarial families have several.</summary>
    public abstract IReadOnlyList<TrainedNetwork> Networks { get; }

    /// <summary>State that training carries from batch to batch besides networks and optimizers, by name. Checkpoints save it.</summary>
    public virtual IReadOnlyList<(string Name, Tensor Value)> State => [];

    /// <summary>Whether training lowers the loss that it reports; false if it lowers something else, of which the loss is a sign.</summary>
    public virtual bool LowersLoss => true;

    /// <summary>Whether a loss that does not fall says that nothing was learned; false if what is learned can raise it.</summary>
    public virtual bool LossTellsLearning => true;

    /// <summary>What to try if the training diverges; null for what helps networks that learn from data.</summary>
    public virtual string? DivergenceAdvice => null;

    /// <summary>Prepares the networks and their random generators for an epoch.</summary>
    public virtual void BeginEpoch(int epoch)
    {
        foreach (var network in Networks)
            network.BeginEpoch(epoch);
    }

    /// <summary>What a user should know of the trained networks, as warnings. Runs in its own dispose scope.</summary>
    public virtual IEnumerable<string> Diagnose() => [];

    /// <summary>Measures the result of an epoch on more than its batches. Runs in its own dispose scope.</summary>
    public virtual void EndEpoch(MetricSums metrics)
    {
    }

    /// <summary>Pictures of what the networks do after an epoch, for TensorBoard. Runs in its own dispose scope.</summary>
    public virtual IEnumerable<StepPicture> Draw(int epoch) => [];

    /// <summary>Prepares the networks for validation.</summary>
    public virtual void BeginValidation()
    {
        foreach (var network in Networks)
            network.BeginValidation();
    }

    public virtual void Dispose()
    {
        foreach (var network in Networks)
            network.Dispose();
    }
}

/// <summary>A picture that a training leaves.</summary>
/// <param name="Name">Its name in TensorBoard.</param>
/// <param name="Png">A complete PNG file.</param>
/// <param name="Width">The width in pixels.</param>
/// <param name="Height">The height in pixels.</param>
internal sealed record StepPicture(string Name, byte[] Png, int Width, int Height);

/// <summary>A training step for batches of one type.</summary>
internal abstract class TrainingStep<TBatch> : TrainingStep
    where TBatch : Batch
{
    /// <summary>Trains on one batch and returns its loss, which the engine checks. Runs in its own dispose scope.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="learningRate">The learning rate that the schedule gives for it.</param>
    /// <param name="metrics">Collects the epoch's training metrics.</param>
    public abstract double Train(TBatch batch, double learningRate, MetricSums metrics);

    /// <summary>
    /// Evaluates one batch with the current networks, and returns its loss; null where only other metrics are measured. Runs in its own dispose
    /// scope.
    /// </summary>
    public abstract double? Validate(TBatch batch, MetricSums metrics);

    /// <summary>
    /// Returns the loss of the last batch of an epoch with the networks that the epoch has left, as they will be used. It shows whether they
    /// still compute. Runs in its own dispose scope. By default it is not computed.
    /// </summary>
    public virtual double LossAfter(TBatch batch) => 0;
}

/// <summary>The training step of a family with one network whose outputs are compared with targets.</summary>
/// <param name="network">The network; owned by the step.</param>
internal abstract class PredictionStep<TBatch>(TrainedNetwork network) : TrainingStep<TBatch>
    where TBatch : Batch
{
    public sealed override IReadOnlyList<TrainedNetwork> Networks { get; } = [network];

    protected TrainedNetwork Network => network;

    public override double Train(TBatch batch, double learningRate, MetricSums metrics)
    {
        var outputs = network.Forward(InputsOf(batch));
        var loss = network.Descend(Loss(outputs, batch), learningRate);
        Measure(outputs.detach(), batch, metrics); // last, because it waits for a GPU
        return loss;
    }

    public sealed override double LossAfter(TBatch batch)
    {
        using var mode = inference_mode();
        network.BeginValidation();
        return Loss(network.Forward(InputsOf(batch)), batch).item<float>();
    }

    public sealed override double? Validate(TBatch batch, MetricSums metrics)
    {
        using var mode = inference_mode();
        var outputs = network.Forward(InputsOf(batch));
        Measure(outputs, batch, metrics);
        return Loss(outputs, batch).item<float>();
    }

    /// <summary>The input of the network.</summary>
    protected abstract Tensor InputsOf(TBatch batch);

    /// <summary>The mean loss of a batch.</summary>
    /// <param name="outputs">The network's outputs, float32.</param>
    /// <param name="batch">The batch.</param>
    protected abstract Tensor Loss(Tensor outputs, TBatch batch);

    /// <summary>Adds a batch to the metrics.</summary>
    /// <param name="outputs">The network's outputs, float32, without a graph.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="metrics">Collects the epoch's metrics.</param>
    protected abstract void Measure(Tensor outputs, TBatch batch, MetricSums metrics);
}

/// <summary>
/// The examples of one training step. The batch type of a family has the tensors, which may share memory that the next batch overwrites.
/// </summary>
/// <param name="rowCount">The number of examples.</param>
/// <param name="epochFraction">The fraction of the epoch before this batch, in [0, 1).</param>
internal abstract class Batch(int rowCount, double epochFraction) : IDisposable
{
    public int RowCount => rowCount;

    public double EpochFraction => epochFraction;

    public abstract void Dispose();
}

/// <summary>Provides the batches of each epoch. They may depend on the networks in training, as an agent's experience does.</summary>
internal interface IBatchSource<out TBatch>
    where TBatch : Batch
{
    /// <summary>The number of examples per epoch.</summary>
    long RowCount { get; }

    /// <summary>The number of batches per epoch.</summary>
    int BatchCount { get; }

    /// <summary>The number of examples of each epoch that are in no batch, because they do not fill one.</summary>
    long LeftOut => 0;

    /// <summary>The part of each batch that this source gives; the whole if it cannot divide batches.</summary>
    Share Share => Share.Whole;

    /// <summary>Whether each batch can be understood without those before it.</summary>
    bool HasIndependentBatches => true;

    /// <summary>The checksum of the data; null if the training itself generates the data.</summary>
    string? Checksum => null;

    /// <summary>
    /// State that the source carries from epoch to epoch, by name. Checkpoints save it, and resuming a training restores it.
    /// </summary>
    IReadOnlyList<(string Name, Tensor Value)> State => [];

    /// <summary>Whether the state is another one on each rank.</summary>
    bool HasStateOfEachRank => false;

    /// <summary>
    /// Returns the batches of an epoch: the same for the same epoch, <see cref="State"/> and networks. The caller disposes each one before
    /// it takes the next.
    /// </summary>
    IEnumerable<TBatch> ReadEpoch(int epoch);
}
