using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>The examples of one training step. A family's batch has the tensors; they may share memory that the next batch overwrites.</summary>
/// <param name="rowCount">The number of examples.</param>
/// <param name="epochFraction">How much of the epoch lies before this batch, in [0, 1).</param>
internal abstract class Batch(int rowCount, double epochFraction) : IDisposable
{
    public int RowCount => rowCount;

    public double EpochFraction => epochFraction;

    public abstract void Dispose();
}

/// <summary>Gives the batches of an epoch, again and again. It may depend on the networks in training, as an agent's experience does.</summary>
internal interface IBatchSource<out TBatch>
    where TBatch : Batch
{
    /// <summary>The number of examples of an epoch.</summary>
    long RowCount { get; }

    /// <summary>The number of batches of an epoch.</summary>
    int BatchCount { get; }

    /// <summary>The checksum of the data; null where the training itself makes the data.</summary>
    string? Checksum => null;

    /// <summary>What the source carries from epoch to epoch, by name; checkpoints keep it, and a resumed training finds it here again.</summary>
    IReadOnlyList<(string Name, Tensor Value)> State => [];

    /// <summary>
    /// The batches of an epoch: the same for the same epoch, <see cref="State"/> and networks. The caller disposes each before it takes
    /// the next.
    /// </summary>
    IEnumerable<TBatch> ReadEpoch(int epoch);
}
