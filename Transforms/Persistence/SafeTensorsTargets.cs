using MLExtensions.Messages;
using static TorchSharp.torch;

namespace MLExtensions.Persistence;

/// <summary>Compares the tensors of a file with those of a network.</summary>
internal static class SafeTensorsTargets
{
    /// <param name="entries">The names, types and shapes in the file.</param>
    /// <param name="targets">The tensors of the network.</param>
    /// <param name="fail">Creates the exception.</param>
    public static void Check(IReadOnlyList<(string Name, ScalarType Type, IReadOnlyList<long> Shape)> entries, IReadOnlyDictionary<string, Tensor> targets, Func<string, ModelFormatException> fail)
    {
        var found = entries.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        var missing = targets.Keys.Where(name => !found.Contains(name)).ToList();
        var unexpected = entries.Select(entry => entry.Name).Where(name => !targets.ContainsKey(name)).ToList();
        if (missing.Count + unexpected.Count > 0)
            throw fail($"does not have the tensors of the model; missing: {List(missing)}; unexpected: {List(unexpected)}");
        foreach (var (name, type, shape) in entries)
        {
            var target = targets[name];
            if (type != target.dtype || !shape.SequenceEqual(target.shape))
                throw fail($"tensor '{name}' should be {SafeTensorsEntry.Describe(target.dtype, target.shape)}, but the file has {SafeTensorsEntry.Describe(type, shape)}");
        }
    }

    private static string List(List<string> names) => NameList.Of(names.Order(StringComparer.Ordinal).Select(name => $"'{name}'").ToList());
}
