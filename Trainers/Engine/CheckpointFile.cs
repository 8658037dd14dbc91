using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using System.Text.Json;
using MLExtensions.Distribution;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>The contents of a checkpoint besides its tensors.</summary>
internal sealed record CheckpointState(IReadOnlyList<EpochRecord> Records, EpochRecord? BeforeTraining, bool Stopped, double? FirstLoss = null, IReadOnlyList<string>? Warnings = null);

/// <summary>
/// A training's state after an epoch in one safetensors file: weights, buffers, optimizer state, moving average, best weights, history.
/// Random numbers need no state: those of each epoch are derived from the seed.
/// </summary>
/// <param name="folder">The folder. The file in it is replaced atomically.</param>
/// <param name="fingerprint">Everything that the result depends on, by name. A checkpoint with another fingerprint is rejected.</param>
internal sealed class CheckpointFile(string folder, IReadOnlyDictionary<string, string> fingerprint)
{
    public const string FileName = "checkpoint.safetensors";

    private const string StateKey = "state";
    private const string FingerprintKey = "fingerprint";
    private const int LongestValue = 200;

    private static readonly JsonSerializerOptions Json = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
    };

    public string FilePath { get; } = Path.Combine(folder, FileName);

    /// <param name="step">The networks in training.</param>
    /// <param name="source">The state of the batch source.</param>
    /// <param name="monitor">The tracker of the best epoch.</param>
    /// <param name="state">The remaining contents.</param>
    public void Save(TrainingStep step, IReadOnlyList<(string Name, Tensor Value)> source, GoalMonitor monitor, CheckpointState state)
    {
        var steps = step.Networks.ToDictionary(network => network.Name, network => network.Optimizer.StepCount);
        var saved = new SavedState(state.Records, state.BeforeTraining, state.Stopped, steps, monitor.BestEpoch, monitor.BestValue, state.FirstLoss, state.Warnings);
        var metadata = new Dictionary<string, string>
        {
            [StateKey] = JsonSerializer.Serialize(saved, Json),
            [FingerprintKey] = JsonSerializer.Serialize(fingerprint, Json),
        };
        using var scope = NewDisposeScope();
        var tensors = Tensors(step, source, monitor.Best);
        try
        {
            AtomicFile.Write(FilePath, stream => SafeTensorsWriter.Write(stream, tensors, metadata));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OutputFolders.NotWritable(nameof(TrainingOptions.CheckpointFolder), folder, e);
        }
    }

    /// <summary>
    /// Loads the checkpoint of the folder into a step and its batch source. Returns null if there is none, or if the networks below this
    /// one were trained again since.
    /// </summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    /// <exception cref="InvalidOperationException">The checkpoint was made with other options or data.</exception>
    /// <param name="step">The networks in training.</param>
    /// <param name="source">The state of the batch source.</param>
    /// <param name="monitor">The tracker of the best epoch.</param>
    /// <param name="group">The processes that train together; the file is that of rank 0.</param>
    public CheckpointState? TryLoad(TrainingStep step, IReadOnlyList<(string Name, Tensor Value)> source, GoalMonitor monitor, ProcessGroup? group = null)
    {
        using var stream = Open(group);
        if (stream == null)
            return null;
        var reader = SafeTensorsReader.Open(stream, FilePath, requireChecksum: true);
        var saved = Parse<Dictionary<string, string>>(reader.Header, FingerprintKey);
        if (fingerprint.TryGetValue(TrainingFingerprint.Foundation, out var foundation) && saved.TryGetValue(TrainingFingerprint.Foundation, out var old) && old != foundation)
            return null;
        CheckFingerprint(saved);
        var state = Parse<SavedState>(reader.Header, StateKey);
        var hasBest = reader.Header.Entries.Any(entry => entry.Name.StartsWith("best/", StringComparison.Ordinal));
        var best = hasBest ? StepSnapshot.Take(step) : null;
        using (NewDisposeScope())
        {
            var tensors = Tensors(step, source, best);
            reader.LoadInto(tensors);
            WeightCheck.RequireFinite(tensors.Where(entry => IsWeight(entry.Key)), FilePath);
        }
        foreach (var network in step.Networks)
        {
            network.Optimizer.StepCount = state.Steps[network.Name];
            network.Parameters.PublishWeights();
        }
        monitor.Resume(state.BestEpoch, state.BestValue, best);
        return new CheckpointState(state.Records, state.BeforeTraining, state.Stopped, state.FirstLoss, state.Warnings);
    }

    private Stream? Open(ProcessGroup? group)
    {
        if (group == null)
            return File.Exists(FilePath) ? File.OpenRead(FilePath) : null;
        var bytes = group.Broadcast(group.Rank == 0 && File.Exists(FilePath) ? File.ReadAllBytes(FilePath) : []);
        return bytes.Length == 0 ? null : new MemoryStream(bytes);
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
            foreach (var (buffer, value) in network.AveragedBuffers)
                tensors.Add($"average/{network.Name}/{buffer}", value);
        }
        foreach (var (name, value) in step.State)
            tensors.Add($"state/{name}", value);
        foreach (var (name, value) in source)
            tensors.Add($"source/{name}", value);
        foreach (var (name, value) in best?.Tensors ?? [])
            tensors.Add($"best/{name}", value);
        return tensors;
    }

    private static bool IsWeight(string name) => name.Split('/')[0] is "weights" or "buffers" or "average" or "best";

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
                throw new InvalidOperationException($"ResumeFromCheckpoint: the checkpoint in '{folder}' was made with {name} {Short(was ?? "unset")}, but this training has {Short(value)}. Use the same options and data, or another CheckpointFolder.{(name == nameof(TrainingOptions.BatchSize) ? $" It is the batch of all ranks together: {nameof(TrainingOptions.GlobalBatchSize)} keeps it for another number of ranks." : "")}");
        }
    }

    /// <summary>Architectures and lists of layers can be pages long.</summary>
    private static string Short(string value) => value.Length <= LongestValue ? value : string.Concat(value.AsSpan(0, LongestValue), "...");

    private sealed record SavedState(
        IReadOnlyList<EpochRecord> Records,
        EpochRecord? BeforeTraining,
        bool Stopped,
        IReadOnlyDictionary<string, long> Steps,
        int? BestEpoch,
        double BestValue,
        double? FirstLoss = null,
        IReadOnlyList<string>? Warnings = null);
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
            foreach (var (buffer, value) in network.ResultBuffers)
                yield return ($"{network.Name}.{buffer}", value);
        }
    }
}

/// <summary>
/// Everything that the result of a training depends on, by name: all options except those marked as not changing it, the initial networks,
/// and the data. A checkpoint with other values is rejected.
/// </summary>
internal static class TrainingFingerprint
{
    /// <summary>
    /// The name of the entry for the networks that were trained before this one and that it builds on. If they changed, its checkpoint is
    /// useless, and training starts from the beginning.
    /// </summary>
    public const string Foundation = "networks below";

    public static IReadOnlyDictionary<string, string> Create(TrainingOptions options, int seed, TrainingStep step, string? training, string? validation, IReadOnlyDictionary<string, string> more)
    {
        var values = OptionsOf(options);
        // Only some schedules depend on the number of epochs; with the others a training may be resumed for more epochs.
        if (options.DependsOnEpochs)
            values[nameof(options.Epochs)] = Text(options.Epochs);
        values[nameof(options.Seed)] = Text(seed);
        values["number of threads"] = Text(get_num_threads());
        // Before the weights, which may start from the data: the first difference is the one that a refusal names.
        values["training data"] = training ?? "none";
        values["validation data"] = validation ?? "none";
        foreach (var network in step.Networks)
        {
            values[$"device of the {network.Name}"] = network.Device.ToString();
            values[$"architecture of the {network.Name}"] = JsonSerializer.Serialize(network.Architecture);
            values[$"initial weights of the {network.Name}"] = network.Checksum();
        }
        foreach (var (name, value) in more)
            values[name] = value;
        return values;
    }

    /// <summary>Returns the options that change the result, by name.</summary>
    public static Dictionary<string, string> OptionsOf(TrainingOptions options) => options.GetType()
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.GetCustomAttribute<DoesNotChangeResultAttribute>() == null)
        .ToDictionary(property => property.Name, property => Text(property.GetValue(options)));

    /// <summary>Returns a value and everything in it as text, whether it is a record, a list or a number.</summary>
    private static string Text(object? value) => value switch
    {
        null => "unset",
        string text => text,
        Enum => value.ToString()!,
        IFormattable when value.GetType().IsPrimitive => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        bool or char => value.ToString()!,
        IEnumerable items => $"[{string.Join(", ", items.Cast<object?>().Select(Text))}]",
        _ => $"{value.GetType().Name} {{ {string.Join(", ", Members(value).Select(member => $"{member.Name} = {Text(member.Value)}"))} }}",
    };

    /// <summary>What a value remembers, public or not: two class weights may differ in nothing that can be seen.</summary>
    private static IEnumerable<(string Name, object? Value)> Members(object value)
    {
        const BindingFlags Own = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        var fields = new List<FieldInfo>();
        for (var type = value.GetType(); type != null; type = type.BaseType)
            fields.AddRange(type.GetFields(Own).Where(field => field.DeclaringType!.GetProperty(NameOf(field), Own)?.GetCustomAttribute<DoesNotChangeResultAttribute>() == null));
        return fields.Select(field => (NameOf(field), field.GetValue(value))).OrderBy(member => member.Item1, StringComparer.Ordinal);

        // The field of a property is <Name>k__BackingField.
        static string NameOf(FieldInfo field) => field.Name.TrimStart('<').Split('>')[0];
    }
}

/// <summary>
/// Marks an option that changes how training runs or which files it writes, but not the weights, or whose effect is in the fingerprint in
/// another form.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DoesNotChangeResultAttribute : Attribute;

/// <summary>The SHA-256 of weights that are not in the checkpoint. It tells a resumed training that they are the same.</summary>
internal static class WeightChecksum
{
    public static string Of(IEnumerable<Tensor> weights)
    {
        using var scope = NewDisposeScope();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var weight in weights)
            TensorMemory.ForEachPiece(weight.detach().cpu().contiguous(), piece => hash.AppendData(piece));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
