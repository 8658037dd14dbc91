using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MLExtensions.Persistence;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>The contents of a checkpoint besides its tensors.</summary>
internal sealed record CheckpointState(IReadOnlyList<EpochRecord> Records, EpochRecord? BeforeTraining, bool Stopped);

/// <summary>
/// A training's state after an epoch in one safetensors file: weights, buffers, optimizer state, moving average, best weights, history.
/// Random numbers need no state: those of each epoch are derived from the seed.
/// </summary>
/// <param name="folder">The folder. The file in it is replaced atomically.</param>
/// <param name="fingerprint">Everything that the result depends on, by name. A checkpoint with another fingerprint is rejected.</param>
internal sealed class CheckpointFile(string folder, IReadOnlyDictionary<string, string> fingerprint)
{
    private const string StateKey = "state";
    private const string FingerprintKey = "fingerprint";

    private static readonly JsonSerializerOptions Json = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
    };

    public string FilePath { get; } = Path.Combine(folder, "checkpoint.safetensors");

    /// <param name="step">The networks in training.</param>
    /// <param name="source">The state of the batch source.</param>
    /// <param name="monitor">The tracker of the best epoch.</param>
    /// <param name="state">The remaining contents.</param>
    public void Save(TrainingStep step, IReadOnlyList<(string Name, Tensor Value)> source, GoalMonitor monitor, CheckpointState state)
    {
        var steps = step.Networks.ToDictionary(network => network.Name, network => network.Optimizer.StepCount);
        var saved = new SavedState(state.Records, state.BeforeTraining, state.Stopped, steps, monitor.BestEpoch, monitor.BestValue);
        var metadata = new Dictionary<string, string>
        {
            [StateKey] = JsonSerializer.Serialize(saved, Json),
            [FingerprintKey] = JsonSerializer.Serialize(fingerprint, Json),
        };
        using var scope = NewDisposeScope();
        var tensors = Tensors(step, source, monitor.Best);
        AtomicFile.Write(FilePath, stream => SafeTensorsWriter.Write(stream, tensors, metadata));
    }

    /// <summary>
    /// Loads the checkpoint of the folder into a step and its batch source. Returns null if there is none, or if the networks below this
    /// one were trained again since.
    /// </summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    /// <exception cref="InvalidOperationException">The checkpoint was made with other options or data.</exception>
    public CheckpointState? TryLoad(TrainingStep step, IReadOnlyList<(string Name, Tensor Value)> source, GoalMonitor monitor)
    {
        if (!File.Exists(FilePath))
            return null;
        using var stream = File.OpenRead(FilePath);
        var reader = SafeTensorsReader.Open(stream, FilePath, requireChecksum: true);
        var saved = Parse<Dictionary<string, string>>(reader.Header, FingerprintKey);
        if (fingerprint.TryGetValue(TrainingFingerprint.Foundation, out var foundation) && saved.TryGetValue(TrainingFingerprint.Foundation, out var old) && old != foundation)
            return null;
        CheckFingerprint(saved);
        var state = Parse<SavedState>(reader.Header, StateKey);
        var hasBest = reader.Header.Entries.Any(entry => entry.Name.StartsWith("best/", StringComparison.Ordinal));
        var best = hasBest ? StepSnapshot.Take(step) : null;
        using (NewDisposeScope())
            reader.LoadInto(Tensors(step, source, best));
        foreach (var network in step.Networks)
        {
            network.Optimizer.StepCount = state.Steps[network.Name];
            network.Parameters.PublishWeights();
        }
        monitor.Resume(state.BestEpoch, state.BestValue, best);
        return new CheckpointState(state.Records, state.BeforeTraining, state.Stopped);
    }

    private static Dictionary<string, Tensor> Tensors(TrainingStep step, IReadOnlyList<(string Name, Tensor Value)> source, StepSnapshot? best)
    {
        var tensors = new Dictionary<string, Tensor>();
        foreach (var network in step.Networks)
        {
            tensors.Add($"weights/{network.Name}", network.Parameters.Weights);
            foreach (var (buffer, value) in network.Parameters.Buffers)
                tensors.Add($"buffers/{network.Name}/{buffer}", value);
            foreach (var (state, value) in network.Optimizer.State)
                tensors.Add($"optimizer/{network.Name}/{state}", value);
            if (network.Average is { } average)
                tensors.Add($"average/{network.Name}", average);
        }
        foreach (var (name, value) in step.State)
            tensors.Add($"state/{name}", value);
        foreach (var (name, value) in source)
            tensors.Add($"source/{name}", value);
        foreach (var (name, value) in best?.Tensors ?? [])
            tensors.Add($"best/{name}", value);
        return tensors;
    }

    private T Parse<T>(SafeTensorsHeader header, string key)
    {
        try
        {
            if (header.Metadata.TryGetValue(key, out var json) && JsonSerializer.Deserialize<T>(json, Json) is { } value)
                return value;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new ModelFormatException(FilePath, $"its '{key}' cannot be read: {e.Message}", e);
        }
        throw new ModelFormatException(FilePath, $"it has no '{key}', so it is not a checkpoint");
    }

    private void CheckFingerprint(Dictionary<string, string> saved)
    {
        foreach (var (name, value) in fingerprint)
        {
            saved.TryGetValue(name, out var was);
            if (was != value)
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Resume: the checkpoint in '{folder}' was made with {name} {was ?? "unset"}, but this training has {value}. Use the same options and data, or another CheckpointFolder."));
        }
    }

    private sealed record SavedState(
        IReadOnlyList<EpochRecord> Records,
        EpochRecord? BeforeTraining,
        bool Stopped,
        IReadOnlyDictionary<string, long> Steps,
        int? BestEpoch,
        double BestValue);
}

/// <summary>A copy of what the model would get from a step: the resulting weights and the buffers of the modules.</summary>
internal sealed class StepSnapshot : IDisposable
{
    private StepSnapshot(IReadOnlyList<(string Name, Tensor Value)> tensors) => Tensors = tensors;

    public IReadOnlyList<(string Name, Tensor Value)> Tensors { get; }

    public static StepSnapshot Take(TrainingStep step)
    {
        using var noGradient = no_grad();
        return new StepSnapshot(Results(step).Select(entry => (entry.Name, entry.Value.clone().DetachFromDisposeScope())).ToArray());
    }

    /// <summary>Restores the weights of the snapshot as the result of the step.</summary>
    public void Restore(TrainingStep step)
    {
        using var noGradient = no_grad();
        foreach (var ((_, target), (_, value)) in Results(step).Zip(Tensors))
            target.copy_(value);
    }

    public void Dispose()
    {
        foreach (var (_, value) in Tensors)
            value.Dispose();
    }

    private static IEnumerable<(string Name, Tensor Value)> Results(TrainingStep step)
    {
        foreach (var network in step.Networks)
        {
            yield return (network.Name, network.Result);
            foreach (var (buffer, value) in network.Parameters.Buffers)
                yield return ($"{network.Name}.{buffer}", value);
        }
    }
}
