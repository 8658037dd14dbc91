using MLExtensions.Messages;
using MLExtensions.Training;
using static TorchSharp.torch;

namespace MLExtensions;

/// <summary>
/// A rule for training one part of a network differently from the rest, such as with a smaller learning rate for pretrained layers or with
/// another regularization.
/// </summary>
/// <param name="Layer">
/// The part: a prefix of parameter names that ends at a dot or at the end of the name, such as <c>features</c> or <c>layer1.0</c>
/// (<c>layer1</c> does not match <c>layer10</c>). If several rules match a parameter, only the longest one applies.
/// </param>
public sealed record LayerRule(string Layer)
{
    /// <summary>A factor on the learning rate, greater than 0. Default 1.</summary>
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>
    /// Replaces <see cref="TrainingOptions.L2Regularization"/>; biases and normalization layers are excluded here too. Default null: the
    /// value of the trainer.
    /// </summary>
    public double? L2Regularization { get; init; }

    /// <summary>
    /// Replaces <see cref="TrainingOptions.WeightDecay"/>; biases and normalization layers are excluded here too. Default null: the value
    /// of the trainer.
    /// </summary>
    public double? WeightDecay { get; init; }

    internal void Check(string option)
    {
        OptionCheck.NotEmpty(Layer, $"{option}.{nameof(Layer)}");
        OptionCheck.Positive(LearningRateFactor, $"{option}.{nameof(LearningRateFactor)}");
        OptionCheck.NotNegative(L2Regularization ?? 0, $"{option}.{nameof(L2Regularization)}");
        OptionCheck.NotNegative(WeightDecay ?? 0, $"{option}.{nameof(WeightDecay)}");
    }

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(LayerRule), PrintMembers);
}

/// <summary>Which layers of a network are trained, and by which rules.</summary>
/// <param name="frozen">Layers that are not trained.</param>
/// <param name="rules">Layers that are trained differently from the rest.</param>
internal sealed class LayerSelection(IReadOnlyList<string> frozen, IReadOnlyList<LayerRule> rules)
{
    /// <summary>Trains everything in the same way.</summary>
    public static LayerSelection All { get; } = new([], []);

    /// <summary>Whether a parameter or module is frozen.</summary>
    public bool IsFrozen(string name) => frozen.Any(layer => LayerNames.IsBelow(name, layer));

    /// <summary>Returns the longest rule that matches a parameter, or null.</summary>
    public LayerRule? RuleOf(string name) => rules.Where(rule => LayerNames.IsBelow(name, rule.Layer)).MaxBy(rule => rule.Layer.Length);

    /// <exception cref="ArgumentException">
    /// A layer does not exist, a rule matches frozen layers only, or nothing is left to train.
    /// </exception>
    public void Check(nn.Module module)
    {
        var names = module.named_parameters().Select(entry => entry.name).ToList();
        for (var i = 0; i < frozen.Count; i++)
            LayerNames.CheckExists(frozen[i], FormattableString.Invariant($"{nameof(DataTrainingOptions.FrozenLayers)}[{i}]"), names);
        var trained = names.Where(name => !IsFrozen(name)).ToList();
        if (trained.Count == 0)
            throw new ArgumentException($"FrozenLayers ({string.Join(", ", frozen)}) freezes every parameter; at least one must be left to train.", nameof(DataTrainingOptions.FrozenLayers));
        for (var i = 0; i < rules.Count; i++)
        {
            var option = FormattableString.Invariant($"{nameof(DataTrainingOptions.LayerRules)}[{i}]");
            LayerNames.CheckExists(rules[i].Layer, option, names);
            if (!trained.Any(name => LayerNames.IsBelow(name, rules[i].Layer)))
                throw new ArgumentException($"{option} is for '{rules[i].Layer}', which is completely in FrozenLayers; a rule needs parameters that are trained.", option);
        }
    }
}

/// <summary>The dotted names of a network's parameters, and the parts of the network that their prefixes stand for.</summary>
internal static class LayerNames
{
    private const int Shown = 20;

    /// <summary>Whether a parameter or module belongs to a layer or to a layer inside it.</summary>
    public static bool IsBelow(string name, string layer) =>
        name.StartsWith(layer, StringComparison.Ordinal) && (name.Length == layer.Length || name[layer.Length] == '.');

    /// <exception cref="ArgumentException">
    /// The layer has no parameters; the message lists the layers and suggests the nearest name.
    /// </exception>
    public static void CheckExists(string layer, string option, IReadOnlyCollection<string> parameters)
    {
        if (parameters.Any(name => IsBelow(name, layer)))
            return;
        var layers = parameters.Select(Parent).Distinct().ToList();
        var suggestion = NearestName.Suggest(layer, parameters.SelectMany(Beginnings).Distinct());
        throw new ArgumentException($"{option} is '{layer}', but the network has no parameters with that name or prefix.{suggestion} It has {NameList.Of(layers, Shown)}.", option);
    }

    private static string Parent(string name) => name.Contains('.') ? name[..name.LastIndexOf('.')] : name;

    private static IEnumerable<string> Beginnings(string name)
    {
        for (var dot = name.IndexOf('.'); dot >= 0; dot = name.IndexOf('.', dot + 1))
            yield return name[..dot];
        yield return name;
    }
}
