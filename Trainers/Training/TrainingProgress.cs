namespace MLExtensions;

/// <summary>Where a training stands; reported some ten times a second and at the end of each epoch.</summary>
public sealed record TrainingProgress
{
    /// <summary>Which of several networks is being trained, such as "layer 2 of 3"; null where there is one.</summary>
    public string? Stage { get; init; }

    /// <summary>The epoch under way, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>The number of epochs asked for.</summary>
    public required int Epochs { get; init; }

    /// <summary>The number of batches done in this epoch.</summary>
    public required int Batch { get; init; }

    /// <summary>The number of batches of an epoch.</summary>
    public required int Batches { get; init; }

    /// <summary>The mean training loss of this epoch so far.</summary>
    public required double TrainingLoss { get; init; }

    /// <summary>The epoch's record, on its last report; null before. It holds the validation loss and the metrics.</summary>
    public EpochRecord? Completed { get; init; }

    /// <summary>Training examples a second, in this epoch so far.</summary>
    public required double ExamplesPerSecond { get; init; }

    /// <summary>The time that the epochs asked for will still take at this speed.</summary>
    public required TimeSpan TimeLeft { get; init; }
}
