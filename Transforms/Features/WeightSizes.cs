using MLExtensions.Persistence;

namespace MLExtensions.Features;

/// <summary>How many weights and biases each layer has, by the layer's name: what a network is recognised by.</summary>
internal static class WeightSizes
{
    private static readonly string[] Statistics = ["running_mean", "running_var", "num_batches_tracked"];

    public static Dictionary<string, long> Of(WeightFile file)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var tensor in file.Tensors)
        {
            var dot = Math.Max(0, tensor.Name.LastIndexOf('.'));
            if (Statistics.Contains(tensor.Name[dot..].TrimStart('.')))
                continue;
            var layer = tensor.Name[..dot];
            sizes[layer] = sizes.GetValueOrDefault(layer) + tensor.Shape.Aggregate(1L, (product, size) => product * size);
        }
        return sizes;
    }

    public static Dictionary<string, long> Of(ImageArchitecture architecture) => architecture.Leaves
        .Select(placed => (placed.Site.Path, Count: placed.Layer.ParameterCount(placed.Input, placed.Site)))
        .Where(layer => layer.Count > 0)
        .ToDictionary(layer => layer.Path, layer => layer.Count, StringComparer.Ordinal);

    /// <summary>The first dimension of a layer's weights in a file; null where the file has no such layer.</summary>
    public static int? OutputsOf(WeightFile file, string layer) =>
        file.Tensors.FirstOrDefault(tensor => tensor.Name == layer + ".weight") is { Shape: [> 0 and <= int.MaxValue, ..] } weight ? (int)weight.Shape[0] : null;
}
