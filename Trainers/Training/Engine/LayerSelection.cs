using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>Which layers of a network are trained, and by which rules.</summary>
/// <param name="frozen">Layers that are not trained.</param>
/// <param name="rules">Layers that are trained in another way than the rest.</param>
internal sealed class LayerSelection(IReadOnlyList<string> frozen, IReadOnlyList<LayerRule> rules)
{
    /// <summary>Everything is trained alike.</summary>
    public static LayerSelection All { get; } = new([], []);

    /// <summary>Whether a parameter or module is frozen.</summary>
    public bool IsFrozen(string name) => frozen.Any(layer => LayerNames.IsBelow(name, layer));

    /// <summary>The rule of the longest name that fits a parameter, or null.</summary>
    public LayerRule? RuleOf(string name) => rules.Where(rule => LayerNames.IsBelow(name, rule.Layer)).MaxBy(rule => rule.Layer.Length);

    /// <exception cref="ArgumentException">A layer does not exist, a rule has nothing to rule, or nothing is left to train.</exception>
    public void Check(nn.Module module)
    {
        var names = module.named_parameters().Select(entry => entry.name).ToList();
        for (var i = 0; i < frozen.Count; i++)
            LayerNames.CheckExists(frozen[i], $"{nameof(DataTrainingOptions.FrozenLayers)}[{i}]", names);
        var trained = names.Where(name => !IsFrozen(name)).ToList();
        if (trained.Count == 0)
            throw new ArgumentException($"FrozenLayers ({string.Join(", ", frozen)}) freezes every parameter; at least one must be left to train.", nameof(DataTrainingOptions.FrozenLayers));
        for (var i = 0; i < rules.Count; i++)
        {
            var option = $"{nameof(DataTrainingOptions.LayerRules)}[{i}]";
            LayerNames.CheckExists(rules[i].Layer, option, names);
            if (!trained.Any(name => LayerNames.IsBelow(name, rules[i].Layer)))
                throw new ArgumentException($"{option} is for '{rules[i].Layer}', and all of that is in FrozenLayers; a rule needs parameters that are trained.", option);
        }
    }
}
