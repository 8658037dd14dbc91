using System.Text.Json.Serialization;
using MLExtensions.History;

namespace MLExtensions;

/// <summary>What was measured in one epoch of a training. Records are immutable and compare by value.</summary>
public sealed record EpochRecord
{
    /// <summary>The number of the epoch, from 1 on; 0 for measurements made before the first.</summary>
    public required int Epoch { get; init; }

    /// <summary>The learning rate at the epoch's end.</summary>
    public required double LearningRate { get; init; }

    /// <summary>How long the epoch took, its validation included, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>How many training examples the epoch went through.</summary>
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
    /// <exception cref="InvalidOperationException">The training recorded no metric of that name.</exception>
    [JsonIgnore]
    public double TrainingLoss => Training.TryGetValue(MetricValues.Loss, out var loss)
        ? loss
        : throw new InvalidOperationException($"Epoch {Epoch} has no training metric 'loss', only: {string.Join(", ", Training.Keys)}.");

    /// <summary>The metric "loss" of <see cref="Validation"/>, or null when it was not measured.</summary>
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

    /// <summary>A line for logs, with numbers rounded to six digits.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"epoch {Epoch}")
        + MetricValues.Format("", Training)
        + MetricValues.Format("validation ", Validation)
        + FormattableString.Invariant($", learning rate {LearningRate:G6}, {Seconds:F1} s");
}
