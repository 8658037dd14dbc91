using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLExtensions.Supervised;

/// <summary>Starts a training from a trained model.</summary>
internal static class WarmStart
{
    /// <summary>The network of a transformer, or of the last one in a chain that has one.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static NetworkModelParameters? Find(ITransformer? model) => model switch
    {
        null => null,
        NetworkTransformer transformer => transformer.Model,
        IEnumerable<ITransformer> chain => chain.Select(Last).LastOrDefault(found => found != null) ?? throw NoNetwork(model),
        _ => throw NoNetwork(model),
    };

    /// <exception cref="ArgumentException">The architectures differ.</exception>
    public static void Copy(NetworkModelParameters from, NetworkArchitecture architecture, nn.Module to)
    {
        var targets = to.state_dict();
        var sources = from.Network.state_dict();
        var differing = targets.Keys.Union(sources.Keys).FirstOrDefault(name =>
            !targets.TryGetValue(name, out var target) || !sources.TryGetValue(name, out var source) || !target.shape.SequenceEqual(source.shape));
        if (differing != null)
            throw new ArgumentException($"InitialModel has another architecture: '{differing}' is {Shape(sources, differing)} there and {Shape(targets, differing)} in {architecture}.", nameof(NetworkTrainerOptions.InitialModel));
        using var noGradient = no_grad();
        foreach (var (name, target) in targets)
            target.copy_(sources[name]);
    }

    private static NetworkModelParameters? Last(ITransformer transformer) =>
        transformer is NetworkTransformer or IEnumerable<ITransformer> ? Find(transformer) : null;

    private static string Shape(IDictionary<string, Tensor> state, string name) =>
        state.TryGetValue(name, out var value) ? $"[{string.Join(", ", value.shape)}]" : "absent";

    private static ArgumentException NoNetwork(ITransformer model) =>
        new($"InitialModel is a {model.GetType().Name} without a network of this library in it.", nameof(NetworkTrainerOptions.InitialModel));
}
