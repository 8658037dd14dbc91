using System.Globalization;
using System.Text.Json;
using MLExtensions.Training.Data;
using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>
/// What the bits of a training's result depend on, by name: a checkpoint made with other values is not gone on from. The number
/// of epochs counts only where the schedule looks at it.
/// </summary>
internal static class TrainingFingerprint
{
    /// <summary>The networks that were trained before this one and that it builds on. Where they changed, its checkpoint is of no use, and it starts anew.</summary>
    public const string Foundation = "networks below of SHA-256";

    public static IReadOnlyDictionary<string, string> Create(TrainingOptions options, NetworkArchitecture architecture, TrainingStep step, IBatchSource training, IBatchSource? validation, int seed, IReadOnlyDictionary<string, object?> more)
    {
        var values = new Dictionary<string, object?>
        {
            ["architecture"] = JsonSerializer.Serialize(architecture),
            [nameof(options.Seed)] = seed,
            [nameof(options.BatchSize)] = options.BatchSize,
            [nameof(options.LearningRate)] = options.LearningRate,
            [nameof(options.Optimizer)] = JsonSerializer.Serialize(options.Optimizer),
            [nameof(options.LearningRateSchedule)] = JsonSerializer.Serialize(options.LearningRateSchedule),
            [nameof(options.L2Regularization)] = options.L2Regularization,
            [nameof(options.L1Regularization)] = options.L1Regularization,
            [nameof(options.WeightDecay)] = options.WeightDecay,
            [nameof(options.GradientClipNorm)] = options.GradientClipNorm,
            [nameof(options.FrozenLayers)] = JsonSerializer.Serialize(options.FrozenLayers),
            [nameof(options.LayerRules)] = JsonSerializer.Serialize(options.LayerRules),
            // They are in no checkpoint: they come from where they came from the first time.
            ["frozen weights of SHA-256"] = string.Join(", ", step.Updaters.Select(entry => entry.Updater.Parameters.Frozen.Checksum())),
            [nameof(options.ValidationFraction)] = options.ValidationFraction,
            [nameof(options.EarlyStopping)] = options.EarlyStopping,
            [nameof(options.WeightAverageDecay)] = options.WeightAverageDecay,
            [nameof(options.Precision)] = options.Precision,
            [nameof(options.Buffering)] = options.Buffering,
            ["number of threads"] = get_num_threads(),
            ["training rows"] = training.RowCount,
            ["validation rows"] = validation?.RowCount ?? 0,
        };
        if (options.LearningRateSchedule is not ConstantSchedule)
            values[nameof(options.Epochs)] = options.Epochs;
        foreach (var (name, value) in more)
            values[name] = value;
        return values.ToDictionary(entry => entry.Key, entry => Convert.ToString(entry.Value, CultureInfo.InvariantCulture) ?? "unset");
    }
}
