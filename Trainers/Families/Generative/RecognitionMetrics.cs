using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>How often a classifier's prediction is the class that rows were generated for, or that real rows have.</summary>
public sealed class RecognitionMetrics
{
    internal RecognitionMetrics()
    {
    }

    /// <summary>The share of rows whose predicted class is that of the label, from 0 to 1.</summary>
    public required double Accuracy { get; init; }

    /// <summary>The same share of real rows, which is the best that samples can be expected to reach; null without real rows.</summary>
    public double? RealAccuracy { get; init; }

    /// <summary>Each class, in the order of the label's keys.</summary>
    public required IReadOnlyList<ClassRecognition> Classes { get; init; }

    /// <summary>
    /// The entropy of the shares of predicted classes, in nats: the logarithm of the number of classes if all are predicted equally often, 0
    /// if only one is. Well below <see cref="LabelEntropy"/>, samples have collapsed to some of the classes.
    /// </summary>
    public required double PredictedEntropy { get; init; }

    /// <summary>The entropy of the shares of classes of the labels, in nats.</summary>
    public required double LabelEntropy { get; init; }

    /// <summary>The number of classes that are predicted for at least one row.</summary>
    public required int NumberOfPredictedClasses { get; init; }

    /// <summary>The number of rows with a label.</summary>
    public required long NumberOfRows { get; init; }

    /// <summary>The number of rows without a label. They are skipped.</summary>
    public required long RowsWithoutLabel { get; init; }

    /// <summary>Returns the main metrics as text.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"accuracy {Accuracy:0.####} of {NumberOfRows} rows, {NumberOfPredictedClasses} of {Classes.Count} classes predicted, entropy {PredictedEntropy:G3} of {LabelEntropy:G3}")
        + (RealAccuracy is { } real ? FormattableString.Invariant($"; real rows {real:0.####}") : "");
}

/// <summary>How a class is recognized.</summary>
/// <param name="Name">The class: what its key stands for.</param>
/// <param name="NumberOfRows">The number of rows with this label.</param>
/// <param name="NumberOfPredictions">The number of rows for which the class is predicted.</param>
/// <param name="NumberOfHits">The number of rows with this label for which the class is predicted.</param>
public sealed record ClassRecognition(string Name, long NumberOfRows, long NumberOfPredictions, long NumberOfHits)
{
    /// <summary>The share of rows with this label for which the class is predicted; NaN without such rows.</summary>
    public double Accuracy => NumberOfRows == 0 ? double.NaN : (double)NumberOfHits / NumberOfRows;

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(ClassRecognition), PrintMembers);
}
