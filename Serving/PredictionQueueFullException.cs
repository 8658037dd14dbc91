namespace MLExtensions;

/// <summary>More rows wait for a <see cref="BatchedPredictor"/> than its queue holds: ask again later, or less. A web server answers 429.</summary>
public sealed class PredictionQueueFullException : InvalidOperationException
{
    internal PredictionQueueFullException(string model, int waiting, int rows, int capacity)
        : base(FormattableString.Invariant($"{waiting} rows wait for the model '{model}', and {rows} more do not fit into its queue of {capacity} ({nameof(BatchedPredictorOptions.QueueCapacity)}). Ask again later."))
    {
    }
}
