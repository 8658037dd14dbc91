using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace MLExtensions;

/// <summary>How a model was trained and what was measured on the way. Histories are immutable and compare by value.</summary>
public sealed record TrainingHistory
{
    /// <summary>One record per epoch, in order.</summary>
    public required IReadOnlyList<EpochRecord> Epochs
    {
        get;
        init => field = CheckEpochs(value);
    }

    /// <summary>The epoch whose weights the model has, when that is not simply the last; otherwise null.</summary>
    public int? BestEpoch { get; init; }

    /// <summary>Why training ended.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>The seed of everything random in the training.</summary>
    public required int Seed { get; init; }

    /// <summary>The CPU threads used. With the same seed, only the same number gives the same bits.</summary>
    public required int ThreadCount { get; init; }

    /// <summary>The device, such as "cpu" or "cuda:0".</summary>
    public required string Device { get; init; }

    /// <summary>The floating-point type of the computation, such as "float32".</summary>
    public required string Precision { get; init; }

    /// <summary>What was measured on the validation data before the first epoch; null without validation data.</summary>
    [JsonPropertyName("initial")]
    public EpochRecord? BeforeTraining { get; init; }

    /// <summary>What the network took from the file of weights that it started from, or null when it started otherwise.</summary>
    public WeightReport? InitialWeights { get; init; }

    /// <inheritdoc/>
    public bool Equals(TrainingHistory? other) =>
        other is not null
        && Epochs.SequenceEqual(other.Epochs)
        && BestEpoch == other.BestEpoch
        && StopReason == other.StopReason
        && Seed == other.Seed
        && ThreadCount == other.ThreadCount
        && Device == other.Device
        && Precision == other.Precision
        && BeforeTraining == other.BeforeTraining
        && InitialWeights == other.InitialWeights;

    /// <inheritdoc/>
    public override int GetHashCode() =>
        HashCode.Combine(Epochs.Count, BestEpoch, StopReason, Seed, ThreadCount, Device, Precision, HashCode.Combine(BeforeTraining, InitialWeights));

    /// <summary>A line for logs.</summary>
    public override string ToString()
    {
        var best = BestEpoch is { } epoch ? $"best {epoch}, " : "";
        return $"{Epochs.Count} epochs, {best}stopped by {(StopReason == StopReason.Epochs ? "epochs" : "early stopping")}; seed {Seed}, {ThreadCount} threads, {Device}, {Precision}";
    }

    private static ImmutableArray<EpochRecord> CheckEpochs(IReadOnlyList<EpochRecord> epochs)
    {
        ArgumentNullException.ThrowIfNull(epochs);
        for (var i = 0; i < epochs.Count; i++)
        {
            var least = i == 0 ? 1 : epochs[i - 1].Epoch + 1;
            if (epochs[i] is null || epochs[i].Epoch < least)
            {
                throw new ArgumentException($"Epochs[{i}] is {epochs[i]?.Epoch.ToString() ?? "null"}, expected {least} or more.", nameof(Epochs));
            }
        }
        return [.. epochs];
    }
}

/// <summary>Why a training ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StopReason>))]
public enum StopReason
{
    /// <summary>All epochs that were asked for are done.</summary>
    [JsonStringEnumMemberName("epochs")]
    Epochs,

    /// <summary>The goal was not improved on for too many epochs.</summary>
    [JsonStringEnumMemberName("early stopping")]
    EarlyStopping,
}
