using MLExtensions.Messages;

namespace MLExtensions.Training.Engine;

/// <summary>The dotted names of a network's parameters, and the parts of the network that their beginnings stand for.</summary>
internal static class LayerNames
{
    private const int Shown = 20;

    /// <summary>Whether a parameter (or module) is a layer's or of a layer below it.</summary>
    public static bool IsBelow(string name, string layer) =>
        name.StartsWith(layer, StringComparison.Ordinal) && (name.Length == layer.Length || name[layer.Length] == '.');

    /// <exception cref="ArgumentException">No parameter is below the layer; the message lists the layers and the nearest name.</exception>
    public static void CheckExists(string layer, string option, IReadOnlyCollection<string> parameters)
    {
        if (parameters.Any(name => IsBelow(name, layer)))
            return;
        var layers = parameters.Select(Parent).Distinct().ToList();
        var suggestion = NearestName.Suggest(layer, parameters.SelectMany(Beginnings).Distinct());
        throw new ArgumentException($"{option} is '{layer}', and the network has no parameters of that name or below it.{suggestion} It has {NameList.Of(layers, Shown)}.", option);
    }

    private static string Parent(string name) => name.Contains('.') ? name[..name.LastIndexOf('.')] : name;

    private static IEnumerable<string> Beginnings(string name)
    {
        for (var dot = name.IndexOf('.'); dot >= 0; dot = name.IndexOf('.', dot + 1))
            yield return name[..dot];
        yield return name;
    }
}
