using static TorchSharp.torch;

namespace MLExtensions.Engine;

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

    /// <summary>The checksum of the data; null if the training itself generates the data.</summary>
    string? Checksum => null;

    /// <summary>
    /// State that the source carries from epoch to epoch, by name. Checkpoints save it, and resuming a training restores it.
    /// </summary>
    IReadOnlyList<(string Name, Tensor Value)> State => [];

    /// <summary>
    /// Returns the batches of an epoch: the same for the same epoch, <see cref="State"/> and networks. The caller disposes each one before
    /// it takes the next.
    /// </summary>
    IEnumerable<TBatch> ReadEpoch(int epoch);
}
