namespace MLExtensions.Training.Data;

/// <summary>Gives the batches of an epoch, again and again.</summary>
internal interface IBatchSource
{
    /// <summary>The number of rows of an epoch.</summary>
    long RowCount { get; }

    /// <summary>The number of batches of an epoch.</summary>
    int BatchCount { get; }

    /// <summary>The batches of an epoch; the same for the same epoch. The caller disposes each before it takes the next.</summary>
    IEnumerable<Batch> ReadEpoch(int epoch);
}

/// <summary>The length of a row, from its features.</summary>
internal delegate int RowLength(ReadOnlySpan<float> features);

/// <summary>What the batch sources of a training share.</summary>
/// <param name="Size">Rows a batch.</param>
/// <param name="MinimumRows">A last batch of fewer rows is left out: batch normalisation can't work on one row.</param>
/// <param name="Seed">The training's seed.</param>
/// <param name="Shuffle">Whether each epoch has an order of its own.</param>
/// <param name="Scale">Makes labels and weights those of the loss.</param>
/// <param name="Device">Where the tensors go.</param>
/// <param name="LengthOf">The length of a row, where batches should be of rows of about one length; else null.</param>
internal sealed record BatchSettings(int Size, int MinimumRows, int Seed, bool Shuffle, LabelScale Scale, TorchSharp.torch.Device Device, RowLength? LengthOf = null)
{
    public int CountBatches(long rows)
    {
        var rest = rows % Size;
        return checked((int)((rows / Size) + (rest > 0 && rest >= MinimumRows ? 1 : 0)));
    }
}
