using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training;

/// <summary>
/// The steps that every training of one network on data takes: inspect the schema, read the rows, build the network, train, return the
/// model. A family implements the parts.
/// </summary>
internal abstract class NetworkTraining<TBatch>(IHost host, DataTrainingOptions options, int seed)
    where TBatch : Batch
{
    private protected int Seed => seed;

    /// <summary>Trains the network.</summary>
    /// <param name="input">The training data.</param>
    /// <param name="validation">Separate validation data, or null.</param>
    public NetworkModelParameters Run(IDataView input, IDataView? validation) => RunAll(input, validation)[0];

    /// <summary>Trains all networks of the step. The first one is the network of the architecture; it gets the head and the history.</summary>
    /// <inheritdoc cref="Run(IDataView, IDataView?)" path="/param"/>
    public IReadOnlyList<NetworkModelParameters> RunAll(IDataView input, IDataView? validation)
    {
        OutputFolders.Check(options);
        using var channel = host.Start("Training");
        var session = new TrainingSession(host, channel, options, seed);
        session.ThrowIfCancelled();
        var device = session.OpenDevice();
        (input, validation) = Watch(input, validation, session.ThrowIfCancelled);
        using var start = OpenStart();
        var architecture = Plan(input, validation, start, session);
        TrainingMemory.CheckNetwork(architecture, options, onHost: device.type == DeviceType.CPU);
        return TrainingMemory.Run(architecture, options, () => Run(input, validation, architecture, start, device, session));
    }

    private NetworkModelParameters[] Run(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session)
    {
        using var threads = TorchThreads.Use(options.ThreadCount ?? TorchThreads.CountFor(WorkOf(architecture) * options.BatchSize));
        using var state = TorchState.Enter();
        start.Check(architecture);
        CheckBatchSize(architecture);
        using var data = Open(input, validation, architecture, start, device, session);
        ReportLeftOut(data.Training, TrainingSession.TrainingData, session);
        ReportLeftOut(data.Validation, TrainingSession.ValidationData, session);
        if (options.Epochs > 0 && data.Training is { BatchCount: 0, Share.Count: > 1 and var ranks })
            throw new ArgumentException(FormattableString.Invariant($"The training data has {data.Training.RowCount} rows or sequences, too few for {ranks} ranks: each needs one, and two classes where classes are compared."));
        TrainingMemory.CheckBatch(architecture, options, (double)data.Training.RowCount / Math.Max(1, data.Training.BatchCount));
        state.Resume();
        using var step = CreateStep(architecture, start, device, data, session);
        var history = session.Run(step, data.Training, data.Validation, Goal, start.FileReport, Fingerprint(data));
        return step.Networks.Select((network, i) => new NetworkModelParameters(host, network.Architecture, i == 0 ? data.Head : null, network.Export(), i == 0 ? history : null)).ToArray();
    }

    /// <summary>Says what is in no batch. Of training data it is another part in each epoch, so it is no reason to warn.</summary>
    private static void ReportLeftOut(IBatchSource<TBatch>? source, string data, TrainingSession session)
    {
        if (source is not { LeftOut: > 0 })
            return;
        var counts = new DataCounts();
        counts.Add(DataCounts.RowsLeftOut, source.LeftOut);
        session.Report(counts, data, [new DataNote(FormattableString.Invariant($"{source.LeftOut} of {source.RowCount} rows of the {data} do not fill a batch and are left out of each epoch{(data == TrainingSession.TrainingData ? ", others each time" : "")}."), IsWarning: false)]);
    }

    private TrainingStep<TBatch> CreateStep(NetworkArchitecture architecture, StartingWeights start, Device device, TrainingData<TBatch> data, TrainingSession session)
    {
        var module = start.CreateNetwork(architecture, seed, session);
        TrainedNetwork? network = null;
        try
        {
            Prepare(module, data);
            network = new TrainedNetwork(NetworkName, architecture, module, options.Optimization, seed, device);
            return CreateStep(network, data);
        }
        catch
        {
            network?.Dispose();
            module.Dispose();
            throw;
        }
    }

    /// <summary>The name of the network in checkpoints and messages.</summary>
    private protected virtual string NetworkName => "network";

    /// <summary>The metric by which epochs are compared, or null.</summary>
    private protected virtual TrainingGoal? Goal => TrainingGoal.LeastLoss;

    /// <summary>Whether a data set is read more than once.</summary>
    private protected virtual bool ReadsAgain(IDataView input) => options.Buffering == Buffering.Streaming;

    /// <summary>Whether the result depends on the order of the rows, beyond what shuffling makes of it.</summary>
    private protected virtual bool NeedsOrder => false;

    /// <summary>The multiply-adds per row, as many as a network of that size has that learns from one pass forwards and one backwards.</summary>
    private protected virtual double WorkOf(NetworkArchitecture architecture) => architecture.MultiplyAdds;

    /// <summary>Finds the source of the initial weights.</summary>
    private protected virtual StartingWeights OpenStart() => StartingWeights.Open(options);

    /// <summary>Inspects the schema, and the rows if the size of the network depends on them.</summary>
    /// <exception cref="ArgumentException">The data does not fit the options; the message names column or option.</exception>
    private protected abstract NetworkArchitecture Plan(IDataView input, IDataView? validation, StartingWeights start, TrainingSession session);

    /// <summary>Reads the rows, or scans them if they are streamed.</summary>
    private protected abstract TrainingData<TBatch> Open(IDataView input, IDataView? validation, NetworkArchitecture architecture, StartingWeights start, Device device, TrainingSession session);

    /// <summary>Sets initial weights that depend on the data.</summary>
    private protected virtual void Prepare(nn.Module<Tensor, Tensor> module, TrainingData<TBatch> data)
    {
    }

    /// <summary>Creates the step, which owns the network.</summary>
    private protected abstract TrainingStep<TBatch> CreateStep(TrainedNetwork network, TrainingData<TBatch> data);

    /// <summary>What the result depends on besides options, networks and data, by name.</summary>
    private protected virtual IReadOnlyDictionary<string, string>? Fingerprint(TrainingData<TBatch> data) => null;

    private (IDataView Input, IDataView? Validation) Watch(IDataView input, IDataView? validation, Action throwIfCancelled)
    {
        var held = validation == null && options.ValidationFraction > 0;
        return (Of(input, "training data", NeedsOrder || held), validation == null ? null : Of(validation, "validation data", NeedsOrder));

        WatchedDataView Of(IDataView data, string name, bool order) =>
            new(data, name, !ReadsAgain(data) ? PassCheck.Count : order ? PassCheck.Order : PassCheck.Rows, throwIfCancelled);
    }

    /// <summary>Statistics of a batch that has one value a channel divide by a variance of 0.</summary>
    private void CheckBatchSize(NetworkArchitecture architecture)
    {
        var least = architecture.MinimumBatchRows;
        var own = options.Distributed is not { SynchronizeBatchNormalization: true };
        var rows = own ? options.RowsOfRank : options.BatchSize;
        if (options.Epochs == 0 || rows >= least)
            return;
        using var scope = NewDisposeScope();
        using var network = architecture.CreateModule();
        var layers = options.Optimization.Layers;
        var trained = network.named_modules().FirstOrDefault(entry => entry.module is BatchNormalization && !layers.IsFrozen(entry.name));
        if (trained.module != null)
            throw new ArgumentOutOfRangeException(nameof(options.BatchSize), rows, FormattableString.Invariant($"{nameof(options.BatchSize)} is {rows}{(rows < options.BatchSize ? $" on each rank (or set {nameof(Distributed)}.{nameof(Distributed.SynchronizeBatchNormalization)})" : "")}; it must be at least {least}, because batch normalization in this network ('{trained.name}' and others) sees a single value of each channel and row. Larger images would also do."));
    }
}

/// <summary>The data of a training.</summary>
/// <param name="training">The training batches.</param>
/// <param name="validation">The validation batches, or null.</param>
/// <param name="head">The prediction head that the data determines, or null.</param>
/// <param name="owned">Objects to dispose together with the data.</param>
internal class TrainingData<TBatch>(IBatchSource<TBatch> training, IBatchSource<TBatch>? validation, PredictionHead? head, params IReadOnlyList<IDisposable?> owned) : IDisposable
    where TBatch : Batch
{
    public IBatchSource<TBatch> Training => training;

    public IBatchSource<TBatch>? Validation => validation;

    public PredictionHead? Head => head;

    public void Dispose()
    {
        foreach (var part in owned)
            part?.Dispose();
    }
}
