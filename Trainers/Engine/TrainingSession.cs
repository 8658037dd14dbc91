using System.Globalization;
using System.Text.Json;
using Microsoft.ML.Runtime;
using MLExtensions.Distribution;
using MLExtensions.Native;
using MLExtensions.Tensors;
using MLExtensions.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>What every family needs around the loop: device, cancellation, log, progress, checkpoint, history.</summary>
internal sealed class TrainingSession(IHost host, IChannel channel, TrainingOptions options, int seed)
{
    /// <summary>The names of the data in messages.</summary>
    public const string TrainingData = "training data";
    public const string ValidationData = "validation data";

    private readonly DataCounts _counts = new();
    private readonly List<string> _warnings = [];

    // Of several ranks, one does.
    private readonly bool _speaks = options.Distributed is not { IsMain: false };

    public int Seed => seed;

    /// <summary>Finds the device, and warns about options that do not suit it.</summary>
    public Device OpenDevice()
    {
        TorchRuntime.Initialize();
        var device = TrainingDevice.Resolve(options.Device);
        if (options.Precision == Precision.BFloat16 && device.type == DeviceType.CPU && BFloat16Instructions.Name == null)
            Warn("This processor has no bfloat16 instructions; Precision = Float32 is faster on it.");
        if (options.Precision == Precision.TensorFloat32 && device.type == DeviceType.CPU)
            Warn("Precision is TensorFloat32, which only GPUs compute with; on the CPU it is Float32.");
        return device;
    }

    /// <summary>Writes a warning to the log and to the history of the training.</summary>
    public void Warn(string warning)
    {
        if (_warnings.Contains(warning))
            return;
        _warnings.Add(warning);
        if (_speaks)
            channel.Warning("{0}", warning);
    }

    /// <summary>Writes to the log.</summary>
    public void Say(string text)
    {
        if (_speaks)
            channel.Info("{0}", text);
    }

    /// <summary>Keeps what was cut, skipped or unknown in data for the history, and says it in the log.</summary>
    /// <param name="counts">The counts of the data.</param>
    /// <param name="data"><see cref="TrainingData"/> or <see cref="ValidationData"/>.</param>
    /// <param name="notes">What to say.</param>
    public void Report(DataCounts counts, string data, IEnumerable<DataNote> notes)
    {
        _counts.Add(counts, data == ValidationData ? "validation: " : "");
        foreach (var note in notes)
        {
            if (note.IsWarning)
                Warn(note.Text);
            else
                Say(note.Text);
        }
    }

    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    public void ThrowIfCancelled()
    {
        options.CancellationToken.ThrowIfCancellationRequested();
        host.CheckAlive();
    }

    /// <summary>Trains; afterwards the step holds the resulting weights.</summary>
    /// <param name="step">The networks in training.</param>
    /// <param name="training">The training batches.</param>
    /// <param name="validation">The validation batches, or null.</param>
    /// <param name="goal">The metric by which epochs are compared, or null.</param>
    /// <param name="initialWeights">The report on the initial weights file, or null.</param>
    /// <param name="fingerprint">What else the result depends on, by name.</param>
    /// <exception cref="ArgumentException">Early stopping is set, but the training has no goal.</exception>
    public TrainingHistory Run<TBatch>(
        TrainingStep<TBatch> step,
        IBatchSource<TBatch> training,
        IBatchSource<TBatch>? validation,
        TrainingGoal? goal,
        WeightReport? initialWeights = null,
        IReadOnlyDictionary<string, string>? fingerprint = null)
        where TBatch : Batch
    {
        if (goal == null && options.EarlyStopping != null)
            throw new ArgumentException($"{nameof(options.EarlyStopping)} is set, but this training has no metric to compare epochs with; it must be null.", nameof(options.EarlyStopping));
        if (StepWarnings.OfCount(options.Epochs, options.CountSteps(training.BatchCount)) is { } few)
            Warn(few);
        using var progress = host.StartProgressChannel("Training");
        using var reporter = new TrainingReporter(channel, progress, options);
        if (options.Distributed is { Group: not null } distributed && RankAgreement.Begin(distributed, step, training.Share, () => Fingerprint()) is { } note && _speaks)
            channel.Info("{0}", note);
        var checkpoint = options.CheckpointFolder == null ? null : new CheckpointFile(options.CheckpointFolder, Fingerprint());
        using var memory = FreedMemory.Keep();
        using var products = ProductPrecision.Enter(options.Precision, step.Networks[0].Device);
        using var loop = new TrainingLoop<TBatch>(step, training, validation, goal, options, reporter, checkpoint, BeforeBatch, _warnings);
        var outcome = loop.Run();
        using (NewDisposeScope())
            step.Diagnose().Concat(step.LossTellsLearning ? StepWarnings.OfLosses(outcome, step.LowersLoss ? options.CountSteps(training.BatchCount) : 0, isNew: options.InitialModel == null && initialWeights == null) : []).ToList().ForEach(Warn);
        if (options.Distributed?.Group is { } group)
        {
            // Each has seen its own rows, and logged nothing: what rank 0 has logged is what happened.
            var warnings = JsonSerializer.Deserialize<string[]>(group.Broadcast(JsonSerializer.SerializeToUtf8Bytes(_warnings)))!;
            _warnings.Clear();
            _warnings.AddRange(warnings);
        }
        return new TrainingHistory
        {
            Epochs = outcome.Records,
            BestEpoch = outcome.BestEpoch,
            StopReason = outcome.StopReason,
            BeforeTraining = outcome.BeforeTraining,
            InitialWeights = initialWeights,
            Warnings = _warnings,
            DataCounts = _counts.Values,
            Seed = seed,
            ThreadCount = get_num_threads(),
            Device = step.Networks[0].Device.ToString(),
            Precision = options.Precision.ToString().ToLowerInvariant(),
        };

        IReadOnlyDictionary<string, string> Fingerprint() =>
            TrainingFingerprint.Create(options, seed, step, training.Checksum, validation?.Checksum, fingerprint ?? new Dictionary<string, string>());

        void BeforeBatch()
        {
            ThrowIfCancelled();
            memory.TidyAtTimes();
        }
    }
}

/// <summary>Tells from the number of steps and from the losses that a training will not learn, or has not learned.</summary>
internal static class StepWarnings
{
    // Small networks on a few hundred rows learn in little more.
    private const int FewSteps = 100;

    // The loss of one batch varies; a mean over that many steps does not.
    private const int SteadySteps = 100;

    /// <summary>The warning that a training has few steps, or null.</summary>
    public static string? OfCount(int epochs, int steps) => epochs == 0 || (long)epochs * steps >= FewSteps
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"The training has {(long)epochs * steps} training steps in all, {steps} in each of {epochs} epochs; with fewer than {FewSteps} networks often learn too little. Try a smaller BatchSize or more Epochs.");

    /// <summary>The warning that the loss rose instead of falling, or none.</summary>
    /// <param name="outcome">The training.</param>
    /// <param name="steps">The number of steps of an epoch; 0 if the loss may also rise a little when a network learns.</param>
    /// <param name="isNew">Whether it began with random weights.</param>
    public static IEnumerable<string> OfLosses(TrainingOutcome outcome, int steps, bool isNew)
    {
        var epochs = outcome.Records;
        if (outcome.FirstLoss is not { } first || epochs.Count == 0)
            yield break;
        var last = (epochs.FirstOrDefault(epoch => epoch.Epoch == outcome.BestEpoch && outcome.StopReason == StopReason.EarlyStopping) ?? epochs[^1]).TrainingLoss;
        var limit = isNew ? first * ((long)epochs.Count * steps >= SteadySteps ? 1 : 2) : Math.Max(1, 10 * first);
        if (last > 0 && last >= limit)
            yield return string.Create(CultureInfo.InvariantCulture, $"The network did not learn: the training loss was {first:G4} before the first step and is {last:G4} after {epochs.Count} epochs. Try a smaller LearningRate, or GradientClipNorm = 1; normalize the features (NormalizeMeanVariance); check that the features say something about what is to be learned.");
    }
}
