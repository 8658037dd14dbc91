namespace MLExtensions;

/// <summary>How well a file of weights must fit the network that starts from it.</summary>
public enum WeightMatch
{
    /// <summary>
    /// As <see cref="Strict"/>, but an output layer for another number of classes or outputs is left out, and the network's own
    /// starts anew.
    /// </summary>
    ExceptOutput,

    /// <summary>
    /// File and network must have the same tensors, by name and shape. Batch normalisation's counters of batches
    /// (<c>num_batches_tracked</c>) may be missing.
    /// </summary>
    Strict,

    /// <summary>Whatever fits is taken, at least one tensor; the rest of the network starts anew.</summary>
    Partial,
}
