using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>How a <see cref="BatchedPredictor"/> serves a model.</summary>
public sealed record BatchedPredictorOptions
{
    /// <summary>The most rows that are scored as one block. Default: 256. A request with more rows is a block of its own.</summary>
    public int MaximumBlockRows { get; init; } = 256;

    /// <summary>
    /// How long a request waits for others before its block is scored. Default: zero. What arrives while a block is scored is the next block in any case, so the
    /// blocks grow with the load by themselves; a window makes them larger and every answer later. Timers of the system are no finer than about a millisecond.
    /// </summary>
    public TimeSpan Window { get; init; }

    /// <summary>The most rows that wait. Default: 8,192. Requests that do not fit are refused with a <see cref="PredictionQueueFullException"/>.</summary>
    public int QueueCapacity { get; init; } = 8192;

    /// <summary>How many blocks are scored at once, each by a thread. Default: half of the processor's cores, at least one.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>How long a request may take, waiting included. Default: 30 seconds. Then it gets a <see cref="TimeoutException"/>.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How often the file is looked at for a new model. Default: null, never; then <see cref="BatchedPredictor.ReloadAsync"/> reloads. The file's length and time are
    /// compared, and a change must have been there twice, so that a file that is being written is not loaded.
    /// </summary>
    public TimeSpan? WatchInterval { get; init; }

    /// <summary>
    /// The columns that are answered. Default: null, those that no later step of the model reads, of the last step that scores and of those behind it; of all steps
    /// if none scores. What the model needs to know depends on it: a column that no output depends on need not be sent.
    /// </summary>
    public IReadOnlyList<string>? OutputColumns { get; init; }

    /// <summary>
    /// A class whose properties are the columns of the data that the model was made for, as for a prediction engine. Default: null, the schema that the model was saved with.
    /// </summary>
    public Type? RowType { get; init; }

    /// <summary>What computes the networks of the model. Default: null, as the model does without being told.</summary>
    public ScoringOptions? Scoring { get; init; }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(BatchedPredictorOptions), PrintMembers);

    internal void Check()
    {
        RequireFrom(MaximumBlockRows, 1, nameof(MaximumBlockRows));
        RequireFrom(QueueCapacity, 1, nameof(QueueCapacity));
        RequireFrom(Workers, 1, nameof(Workers));
        if (Window < TimeSpan.Zero || Window > TimeSpan.FromSeconds(10))
            throw new ArgumentOutOfRangeException(nameof(Window), Window, $"{nameof(Window)} is {Window}; it must be from 0 to 10 seconds.");
        if (TimeLimit <= TimeSpan.Zero || TimeLimit > TimeSpan.FromDays(1))
            throw new ArgumentOutOfRangeException(nameof(TimeLimit), TimeLimit, $"{nameof(TimeLimit)} is {TimeLimit}; it must be more than 0 and at most a day.");
        if (WatchInterval is { } interval && (interval < TimeSpan.FromMilliseconds(10) || interval > TimeSpan.FromDays(1)))
            throw new ArgumentOutOfRangeException(nameof(WatchInterval), interval, $"{nameof(WatchInterval)} is {interval}; it must be from 10 milliseconds to a day, or null.");
        if (RowType is { IsClass: false } or { IsGenericTypeDefinition: true })
            throw new ArgumentException($"{nameof(RowType)} is {RowType}; it must be a class.", nameof(RowType));
        if (OutputColumns is { Count: 0 })
            throw new ArgumentException($"{nameof(OutputColumns)} is empty; it must name a column, or be null.", nameof(OutputColumns));
        if (OutputColumns?.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new ArgumentException($"{nameof(OutputColumns)} names '{twice.Key}' more than once: {NameList.Of([.. OutputColumns])}.", nameof(OutputColumns));
        Scoring?.Check();
    }

    private static void RequireFrom(int value, int least, string option)
    {
        if (value < least)
            throw new ArgumentOutOfRangeException(option, value, FormattableString.Invariant($"{option} is {value}; it must be at least {least}."));
    }
}
