using System.Globalization;
using System.Collections.Immutable;
using System.Text.Json.Serialization;
using System.Text.Json;
using MLExtensions.Models;
using MLExtensions.Persistence;

namespace MLExtensions;

/// <summary>How a model was trained, with the metrics of each epoch. Histories are immutable and compare by value.</summary>
public sealed record TrainingHistory
{
    /// <summary>One record per epoch, in order.</summary>
    public required IReadOnlyList<EpochRecord> Epochs
    {
        get;
        init => field = CheckEpochs(value);
    }

    /// <summary>The epoch whose weights the model has, if it is not simply the last one; otherwise null.</summary>
    public int? BestEpoch { get; init; }

    /// <summary>Why training ended.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>The seed of all random numbers of the training.</summary>
    public required int Seed { get; init; }

    /// <summary>The number of CPU threads. Results are bitwise the same only with the same seed and the same number of threads.</summary>
    public required int ThreadCount { get; init; }

    /// <summary>The device, such as "cpu" or "cuda:0".</summary>
    public required string Device { get; init; }

    /// <summary>The floating-point type of the computation, such as "float32".</summary>
    public required string Precision { get; init; }

    /// <summary>The metrics on the validation data before the first epoch; null without validation data.</summary>
    [JsonPropertyName("initial")]
    public EpochRecord? BeforeTraining { get; init; }

    /// <summary>What was loaded from the file of initial weights; null if there was none.</summary>
    public WeightReport? InitialWeights { get; init; }

    /// <summary>
    /// What was wrong or unusual in this training, as the log said it: why the network may have learned badly. Empty if nothing was.
    /// </summary>
    public IReadOnlyList<string> Warnings
    {
        get;
        init => field = CopyWarnings(value);
    } = [];

    /// <summary>
    /// What was found in the data, by name, where there is any: tokens and unknown tokens; sequences, cut, lost and empty ones; missing keys;
    /// rows without a label; rows left out of each epoch, because they do not fill its last batch. The names of the validation data begin with "validation: ".
    /// </summary>
    public IReadOnlyDictionary<string, long> DataCounts
    {
        get;
        init => field = (value ?? throw new ArgumentNullException(nameof(DataCounts))).ToImmutableSortedDictionary(StringComparer.Ordinal);
    } = ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);

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
        && InitialWeights == other.InitialWeights
        && Warnings.SequenceEqual(other.Warnings)
        && DataCounts.SequenceEqual(other.DataCounts);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        HashCode.Combine(Epochs.Count, BestEpoch, StopReason, Seed, ThreadCount, Device, Precision, HashCode.Combine(BeforeTraining, InitialWeights));

    /// <summary>Returns a summary in one line.</summary>
    public override string ToString()
    {
        var best = BestEpoch is { } epoch ? FormattableString.Invariant($"best {epoch}, ") : "";
        return FormattableString.Invariant($"{Epochs.Count} epochs, {best}stopped by {(StopReason switch { StopReason.Epochs => "epochs", StopReason.EarlyStopping => "early stopping", _ => "convergence" })}; seed {Seed}, {ThreadCount} threads, {Device}, {Precision}");
    }

    private static ImmutableArray<string> CopyWarnings(IReadOnlyList<string> warnings)
    {
        ArgumentNullException.ThrowIfNull(warnings);
        return [.. warnings];
    }

    private static ImmutableArray<EpochRecord> CheckEpochs(IReadOnlyList<EpochRecord> epochs)
    {
        ArgumentNullException.ThrowIfNull(epochs);
        for (var i = 0; i < epochs.Count; i++)
        {
            var least = i == 0 ? 1 : epochs[i - 1].Epoch + 1;
            if (epochs[i] is null || epochs[i].Epoch < least)
            {
                throw new ArgumentException(FormattableString.Invariant($"Epochs[{i}] is {epochs[i]?.Epoch.ToString(CultureInfo.InvariantCulture) ?? "null"}; it must be at least {least}."), nameof(Epochs));
            }
        }
        return [.. epochs];
    }
}

/// <summary>Why a training ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StopReason>))]
public enum StopReason
{
    /// <summary>All requested epochs are done.</summary>
    [JsonStringEnumMemberName("epochs")]
    Epochs,

    /// <summary>The validation metric did not improve for too many epochs.</summary>
    [JsonStringEnumMemberName("early stopping")]
    EarlyStopping,

    /// <summary>What is optimized did not improve by more than the tolerance anymore.</summary>
    [JsonStringEnumMemberName("convergence")]
    Converged,
}

/// <summary>The metrics of one epoch. Records are immutable and compare by value.</summary>
public sealed record EpochRecord
{
    /// <summary>The number of the epoch, from 1; 0 for metrics before the first epoch.</summary>
    public required int Epoch { get; init; }

    /// <summary>The learning rate at the end of the epoch.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The duration of the epoch in seconds, including validation.</summary>
    public required double Seconds { get; init; }

    /// <summary>The number of training examples in the epoch.</summary>
    public required long Examples { get; init; }

    /// <summary>Metrics on the training data by name, such as "loss", "accuracy" or "rmse".</summary>
    public required IReadOnlyDictionary<string, double> Training
    {
        get;
        init => field = MetricValues.Copy(value);
    }

    /// <summary>Metrics on the validation data by name; empty without validation data.</summary>
    public IReadOnlyDictionary<string, double> Validation
    {
        get;
        init => field = MetricValues.Copy(value);
    } = MetricValues.None;

    /// <summary>The metric "loss" of <see cref="Training"/>.</summary>
    /// <exception cref="InvalidOperationException">The training did not record this metric.</exception>
    [JsonIgnore]
    public double TrainingLoss => Training.TryGetValue(MetricValues.Loss, out var loss)
        ? loss
        : throw new InvalidOperationException(FormattableString.Invariant($"Epoch {Epoch} has no training metric 'loss'; it has {string.Join(", ", Training.Keys)}."));

    /// <summary>The metric "loss" of <see cref="Validation"/>, or null if it was not measured.</summary>
    [JsonIgnore]
    public double? ValidationLoss => Validation.TryGetValue(MetricValues.Loss, out var loss) ? loss : null;

    /// <inheritdoc/>
    public bool Equals(EpochRecord? other) =>
        other is not null
        && Epoch == other.Epoch
        && LearningRate.Equals(other.LearningRate)
        && Seconds.Equals(other.Seconds)
        && Examples == other.Examples
        && MetricValues.Same(Training, other.Training)
        && MetricValues.Same(Validation, other.Validation);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Epoch, LearningRate, Seconds, Examples, Training.Count, Validation.Count);

    /// <summary>Returns a summary in one line, with numbers rounded to six digits.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"epoch {Epoch}")
        + MetricValues.Format("", Training)
        + MetricValues.Format("validation ", Validation)
        + FormattableString.Invariant($", learning rate {LearningRate:G6}, {Seconds:F1} s");
}

/// <summary>Metric values by name, as in the records of a history: copied, sorted by name, compared by value.</summary>
internal static class MetricValues
{
    public const string Loss = "loss";

    public static readonly IReadOnlyDictionary<string, double> None = ImmutableSortedDictionary.Create<string, double>(StringComparer.Ordinal);

    public static IReadOnlyDictionary<string, double> Copy(IReadOnlyDictionary<string, double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return values.ToImmutableSortedDictionary(StringComparer.Ordinal);
    }

    // Copies are sorted, so equal content has equal order; NaN equals NaN here.
    public static bool Same(IReadOnlyDictionary<string, double> a, IReadOnlyDictionary<string, double> b) => a.SequenceEqual(b);

    public static string Format(string prefix, IReadOnlyDictionary<string, double> values) =>
        string.Concat(values.Select(v => FormattableString.Invariant($", {prefix}{v.Key} {v.Value:G6}")));
}

/// <summary>A training history as JSON: camelCase, every digit kept, NaN and infinities as strings.</summary>
internal static class TrainingHistoryJson
{
    /// <summary>Enough for about a hundred thousand epochs.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        MaxDepth = 8,
        WriteIndented = true,
        NewLine = "\n",
    };

    public static byte[] ToJson(this TrainingHistory history) => JsonSerializer.SerializeToUtf8Bytes(history, Options);

    /// <param name="json">The bytes of <see cref="ToJson"/>; fields of later versions are ignored.</param>
    /// <param name="entryName">The name of the file in error messages.</param>
    /// <exception cref="ModelFormatException">The JSON is damaged, incomplete or too long.</exception>
    public static TrainingHistory FromJson(ReadOnlySpan<byte> json, string entryName)
    {
        if (json.Length > MaxBytes)
        {
            throw new ModelFormatException(entryName, FormattableString.Invariant($"is {json.Length} bytes long; a history can have at most {MaxBytes}"));
        }
        try
        {
            return JsonSerializer.Deserialize<TrainingHistory>(json, Options)
                ?? throw new ModelFormatException(entryName, "holds null instead of a training history");
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new ModelFormatException(entryName, "is not a training history: " + e.Message, e);
        }
    }

    /// <summary>Reads a history to the end of a stream.</summary>
    /// <inheritdoc cref="FromJson(ReadOnlySpan{byte}, string)"/>
    public static TrainingHistory FromJson(Stream stream, string entryName) =>
        FromJson(new EntryReader(stream, entryName).ReadToEnd(MaxBytes), entryName);
}
