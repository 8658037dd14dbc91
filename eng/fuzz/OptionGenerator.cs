using System.Collections;
using System.Globalization;
using System.Reflection;

namespace MLExtensions.Fuzz;

/// <summary>Sets options to random values that are valid on their own. Together they may be refused, by name.</summary>
internal static class OptionGenerator
{
    private const double Share = 0.3;

    // What belongs to the data or the machine, and what a family sets itself.
    private static readonly HashSet<string> Left =
    [
        nameof(TrainingOptions.CancellationToken), nameof(TrainingOptions.CheckpointFolder), nameof(TrainingOptions.TensorBoardFolder), nameof(TrainingOptions.Device),
        nameof(TrainingOptions.InitialModel), nameof(TrainingOptions.Progress), nameof(TrainingOptions.ResumeFromCheckpoint), nameof(TrainingOptions.Epochs),
        nameof(ImageOptions.ImageShape), nameof(CnnOptions.Layers), nameof(ResNetOptions.Form), nameof(ResNetOptions.Depth), nameof(ResNetOptions.BaseChannels),
        nameof(RecurrentOptions.StepSize), nameof(DataTrainingOptions.FrozenLayers), nameof(DataTrainingOptions.LayerRules), nameof(RbmEstimator.Options.SoftmaxGroups),
        nameof(ImageOptions.CropSize), nameof(ImageOptions.PixelScaling),
        nameof(GanOptions.SamplesFolder),
    ];

    private static readonly Dictionary<string, Func<Random, object?>> Known = new()
    {
        [nameof(TrainingOptions.LearningRate)] = random => Math.Pow(10, (random.NextDouble() * 5) - 4),
        [nameof(TrainingOptions.GradientClipNorm)] = random => 0.01 + random.NextDouble(),
        [nameof(TrainingOptions.ThreadCount)] = random => 1 + random.Next(2),
        [nameof(TrainingOptions.Seed)] = random => random.Next(),
        [nameof(TrainingOptions.EarlyStopping)] = random => new EarlyStopping { Patience = 1 + random.Next(3) },
        [nameof(TrainingOptions.BatchSize)] = random => new[] { 1, 2, 3, 7, 16, 1000 }[random.Next(6)],
        [nameof(DataTrainingOptions.ValidationFraction)] = random => 0.1 + (0.5 * random.NextDouble()),
        [nameof(SupervisedTrainerOptions.ExampleWeightColumnName)] = _ => nameof(Row.Weight),
        [nameof(MlpBinaryTrainer.Options.ClassWeights)] = _ => ClassWeights.Balanced,
        [nameof(RbmEstimator.Options.SparsityTarget)] = random => 0.01 + (0.9 * random.NextDouble()),
        [nameof(RecurrentOptions.Tokenization)] = Tokens,
        [nameof(GanOptions.PackSize)] = random => 1 + random.Next(3),
        [nameof(GanOptions.DiscriminatorLearningRate)] = random => Math.Pow(10, (random.NextDouble() * 5) - 4),
        [nameof(GanOptions.LabelSmoothing)] = random => random.Next(2) * 0.4 * random.NextDouble(),
        [nameof(GanOptions.Augmentation)] = random => (DifferentiableAugmentation)random.Next(8),
        [nameof(MlpOptions.HiddenLayers)] = null!,
        [nameof(ImageOptions.Augmentations)] = Augmentations,
        ["ReconstructionColumnName"] = _ => "Rebuilt",
        [nameof(RbmEstimator.Options.FreeEnergyColumnName)] = _ => "Energy",
        ["InitialScale"] = random => 0.01 + random.NextDouble(),
        ["WindowLength"] = random => 1 + random.Next(12),
        ["WindowSize"] = random => 1 + random.Next(6),
        [nameof(OneCycleSchedule.InitialDivisor)] = random => 1 + (99 * random.NextDouble()),
        [nameof(OneCycleSchedule.FinalDivisor)] = random => 1 + (99 * random.NextDouble()),
        ["Epsilon"] = random => Math.Pow(10, -1 - (9 * random.NextDouble())),
    };

    /// <summary>Changes about a third of the options.</summary>
    /// <returns>What was set, for the report.</returns>
    public static string Change(object options, Random random)
    {
        var words = new List<string>();
        foreach (var property in options.GetType().GetProperties().Where(p => p.SetMethod?.IsPublic == true).OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            if (random.NextDouble() > Share || Left.Contains(property.Name) || !TryCreate(property, options, random, out var value))
                continue;
            property.SetValue(options, value);
            words.Add($"{property.Name} = {Text(value)}");
        }
        return string.Join(", ", words);
    }

    public static string Text(object? value) => value switch
    {
        null => "null",
        string text => text,
        IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(Text))}]",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static bool TryCreate(PropertyInfo property, object options, Random random, out object? value)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        value = property.Name == nameof(MlpOptions.HiddenLayers) ? HiddenLayers(property.PropertyType, random)
            : Known.TryGetValue(property.Name, out var create) ? create(random)
            : type == typeof(bool) ? random.Next(2) == 0
            : type == typeof(int) ? 1 + random.Next(6)
            : type == typeof(double) ? random.NextDouble() * 0.9
            : type.IsEnum ? Enum.GetValues(type).GetValue(random.Next(Enum.GetValues(type).Length))
            : type == typeof(Optimizer) || type == typeof(LearningRateSchedule) ? OneOf(type, random)
            : null;
        return value is not null && (property.PropertyType.IsInstanceOfType(value) || type.IsInstanceOfType(value));
    }

    private static object OneOf(Type type, Random random)
    {
        var kinds = type.Assembly.GetTypes().Where(t => t.IsSubclassOf(type) && !t.IsAbstract && t.GetConstructor([]) is not null).OrderBy(t => t.Name, StringComparer.Ordinal).ToArray();
        var made = Activator.CreateInstance(kinds[random.Next(kinds.Length)])!;
        Change(made, random);
        return made;
    }

    private static object? HiddenLayers(Type type, Random random)
    {
        var count = random.Next(4);
        if (type.IsAssignableFrom(typeof(int[])))
            return Enumerable.Range(0, count).Select(_ => 1 + random.Next(9)).ToArray();
        if (!type.IsAssignableFrom(typeof(HiddenLayer[])))
            return Enumerable.Range(0, count + 1).Select(_ => new RbmLayer(1 + random.Next(9)) { Type = (HiddenUnitType)random.Next(Enum.GetValues<HiddenUnitType>().Length) }).ToArray();
        return Enumerable.Range(0, count).Select(_ =>
        {
            var layer = new HiddenLayer(1 + random.Next(9));
            Change(layer, random);
            return layer;
        }).ToArray();
    }

    private static Tokenization Tokens(Random random) => random.Next(3) switch
    {
        0 => Tokenization.Characters(),
        1 => Tokenization.Words(5),
        _ => Tokenization.Words(100, splitPunctuation: true),
    };

    private static IReadOnlyList<ImageAugmentation> Augmentations(Random random)
    {
        ImageAugmentation[] all =
        [
            new RandomFlip(), new RandomCrop { Padding = 1 }, ImageAugmentation.Cutout(2), ImageAugmentation.Rotation(30), ImageAugmentation.Brightness(0.2), ImageAugmentation.Contrast(),
            ImageAugmentation.Saturation(), ImageAugmentation.Elastic(), ImageAugmentation.Mixup(),
        ];
        return all.Where(_ => random.Next(4) == 0).ToArray();
    }
}
