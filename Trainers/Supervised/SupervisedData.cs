using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Training.Data;
using MLExtensions.Heads;
using MLExtensions.Tensors.Sequences;
using MLExtensions.Supervised.Tasks;
using TorchSharp;

namespace MLExtensions.Supervised;

/// <summary>The training and validation batches of a supervised training, in memory or streamed, and what is known of the labels.</summary>
internal sealed class SupervisedData : IDisposable
{
    private readonly List<RowSet> _sets = [];
    private readonly NetworkTrainerOptions _options;
    private readonly SupervisedTask _task;
    private readonly IChannel _channel;
    private readonly int _seed;
    private readonly Action _checkAlive;

    public SupervisedData(NetworkTrainerOptions options, SupervisedTask task, IChannel channel, int seed, Action checkAlive)
    {
        _options = options;
        _task = task;
        _channel = channel;
        _seed = seed;
        _checkAlive = checkAlive;
    }

    public IBatchSource Training { get; private set; } = null!;

    public IBatchSource? Validation { get; private set; }

    public LabelSummary Labels { get; private set; } = null!;

    public PredictionHead Head { get; private set; } = null!;

    /// <summary>Reads the data, or looks at its labels where it is streamed.</summary>
    /// <param name="training">The training data.</param>
    /// <param name="validation">Validation data of its own, or null.</param>
    /// <param name="columns">The columns of a data set.</param>
    /// <param name="minimumRows">The rows that a batch needs at least.</param>
    /// <param name="initialHead">The head of the model that training starts from, or null.</param>
    /// <param name="device">Where batches go.</param>
    public void Open(IDataView training, IDataView? validation, Func<IDataView, TrainingColumns> columns, int minimumRows, PredictionHead? initialHead, torch.Device device)
    {
        var fraction = validation == null ? _options.ValidationFraction : 0;
        var trainingColumns = columns(training);
        var set = Open(training, trainingColumns, fraction);
        Labels = set.Labels;
        set.CheckRows(minimumRows);
        if (Labels.WeightSum <= 0)
            throw new ArgumentException("Every example weight of the training data is 0.");
        Head = _task.CreateHead(Labels, initialHead);
        var scale = _task.CreateScale(Labels, Head, _options.ClassWeighting, trainingColumns.Weight != null);
        var settings = new BatchSettings(_options.BatchSize, minimumRows, _seed, Shuffle: true, scale, device, trainingColumns.Format is SequenceFormat ? SequenceFormat.LengthOf : null);
        Training = set.CreateBatches(settings, false);
        // Validation is the same rows in the same order each time, and larger batches change nothing but the padding of sequences.
        var unshuffled = settings with { Shuffle = false, MinimumRows = 1, Size = Math.Max(settings.LengthOf == null ? 1024 : 128, _options.BatchSize) };
        if (validation != null)
        {
            var own = Open(validation, columns(validation) with { ClassCount = trainingColumns.ClassCount }, 0);
            if (own.Labels.RowCount == 0)
                throw new ArgumentException("The validation data has no row with a label.");
            Validation = own.CreateBatches(unshuffled, false);
        }
        else if (fraction > 0)
        {
            Validation = set.CreateBatches(unshuffled, true);
        }
    }

    public void Dispose()
    {
        foreach (var set in _sets)
            set.Dispose();
    }

    private RowSet Open(IDataView data, TrainingColumns columns, double validationFraction)
    {
        var set = RowSet.Open(data, columns, new RowSetSettings(_options.Buffering, _options.ShuffleBufferRows, validationFraction, _seed), _checkAlive);
        _sets.Add(set);
        if (set.SkippedRows > 0)
            _channel.Warning("{0} rows have no label in column '{1}' and were left out.", set.SkippedRows, columns.Label!.Value.Name);
        return set;
    }
}
