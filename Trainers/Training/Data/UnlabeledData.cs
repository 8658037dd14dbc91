using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Tensors;
using MLExtensions.Training.Engine;
using TorchSharp;

namespace MLExtensions.Training.Data;

/// <summary>The training and validation batches of a training without labels.</summary>
internal sealed class UnlabeledData : IDisposable
{
    // Validation is the same rows in the same order each time, and larger batches change nothing.
    private const int ValidationBatch = 1024;

    private readonly RowSet _training;
    private readonly RowSet? _validation;
    private readonly double _fraction;

    private UnlabeledData(RowSet training, RowSet? validation, double fraction)
    {
        _training = training;
        _validation = validation;
        _fraction = fraction;
    }

    /// <summary>Reads the data, or counts its rows where it is streamed.</summary>
    /// <param name="training">The training data.</param>
    /// <param name="validation">Validation data of its own, or null.</param>
    /// <param name="columnName">The column of features.</param>
    /// <param name="format">What its rows are; both are checked by it as they are read.</param>
    /// <param name="settings">How they are read; the fraction is for the case without validation data.</param>
    /// <param name="throwIfCancelled">Called now and then.</param>
    /// <exception cref="ArgumentException">There are too few rows.</exception>
    public static UnlabeledData Open(IDataView training, IDataView? validation, string columnName, FeatureFormat format, RowSetSettings settings, Action throwIfCancelled)
    {
        var fraction = validation == null ? settings.ValidationFraction : 0;
        var own = Open(training, fraction);
        try
        {
            own.CheckRows(minimumRows: 1);
            var other = validation == null ? null : Open(validation, 0);
            if (other?.Labels.RowCount == 0)
                throw new ArgumentException("The validation data has no rows.");
            return new UnlabeledData(own, other, fraction);
        }
        catch
        {
            own.Dispose();
            throw;
        }

        RowSet Open(IDataView data, double share) =>
            RowSet.Open(data, new TrainingColumns(data.Schema[columnName], format, Label: null, Weight: null, ClassCount: 0), settings with { ValidationFraction = share }, throwIfCancelled);
    }

    /// <summary>The batches of a training; several can share the data, one after the other.</summary>
    /// <param name="batchSize">The rows of a training batch.</param>
    /// <param name="seed">The seed of the order.</param>
    /// <param name="device">Where they go.</param>
    public (IBatchSource<RowBatch> Training, IBatchSource<RowBatch>? Validation) CreateBatches(int batchSize, int seed, torch.Device device)
    {
        var settings = new BatchSettings(batchSize, MinimumRows: 1, seed, Shuffle: true, device);
        var unshuffled = settings with { Shuffle = false, Size = Math.Max(ValidationBatch, batchSize) };
        var validation = _validation?.CreateBatches(RowPart.Training, unshuffled) ?? (_fraction > 0 ? _training.CreateBatches(RowPart.Validation, unshuffled) : null);
        return (_training.CreateBatches(RowPart.Training, settings), validation);
    }

    public void Dispose()
    {
        _training.Dispose();
        _validation?.Dispose();
    }
}
