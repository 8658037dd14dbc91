using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Heads;
using MLExtensions.Supervised.Tasks;
using MLExtensions.Training;
using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using TorchSharp;

namespace MLExtensions.Supervised;

/// <summary>Reads what a supervised training learns from.</summary>
internal sealed class SupervisedData(SupervisedTrainerOptions options, SupervisedTask task, IChannel channel, int seed, Action throwIfCancelled)
{
    // Validation is the same rows in the same order each time, and larger batches change nothing but the padding of sequences.
    private const int ValidationRows = 1024;
    private const int ValidationSequences = 128;

    /// <summary>Reads the data, or looks at its labels where it is streamed.</summary>
    /// <param name="training">The training data.</param>
    /// <param name="validation">Validation data of its own, or null.</param>
    /// <param name="columns">The columns of a data set.</param>
    /// <param name="minimumRows">The rows that a batch needs at least.</param>
    /// <param name="initialHead">The head of the model that training starts from, or null.</param>
    /// <param name="device">Where batches go.</param>
    public TrainingData<LabeledBatch> Open(IDataView training, IDataView? validation, Func<IDataView, TrainingColumns> columns, int minimumRows, PredictionHead? initialHead, torch.Device device)
    {
        var fraction = validation == null ? options.ValidationFraction : 0;
        var trainingColumns = columns(training);
        var set = Read(training, trainingColumns, fraction);
        RowSet? other = null;
        try
        {
            set.CheckRows(minimumRows);
            if (set.Labels.WeightSum <= 0)
                throw new ArgumentException("Every example weight of the training data is 0.");
            var head = task.CreateHead(set.Labels, initialHead);
            var scale = task.CreateScale(set.Labels, head, options.ClassWeighting, trainingColumns.Weight != null);
            var settings = new BatchSettings(options.BatchSize, minimumRows, seed, Shuffle: true, device, trainingColumns.Format.LengthOf);
            var unshuffled = settings with { Shuffle = false, MinimumRows = 1, Size = Math.Max(settings.LengthOf == null ? ValidationRows : ValidationSequences, options.BatchSize) };
            if (validation != null)
            {
                other = Read(validation, columns(validation) with { ClassCount = trainingColumns.ClassCount }, 0);
                if (other.Labels.RowCount == 0)
                    throw new ArgumentException("The validation data has no row with a label.");
            }
            var aside = other?.CreateLabeledBatches(RowPart.Training, unshuffled, scale)
                ?? (fraction > 0 ? set.CreateLabeledBatches(RowPart.Validation, unshuffled, scale) : null);
            return new TrainingData<LabeledBatch>(set.CreateLabeledBatches(RowPart.Training, settings, scale), aside, head, set, other);
        }
        catch
        {
            set.Dispose();
            other?.Dispose();
            throw;
        }
    }

    private RowSet Read(IDataView data, TrainingColumns columns, double validationFraction)
    {
        var set = RowSet.Open(data, columns, options.CreateRowSettings(seed) with { ValidationFraction = validationFraction }, throwIfCancelled);
        if (set.SkippedRows > 0)
            channel.Warning("{0} rows have no label in column '{1}' and were left out.", set.SkippedRows, columns.Label!.Value.Name);
        return set;
    }
}
