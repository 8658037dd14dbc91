using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Models;
using MLExtensions.Persistence;
using static TorchSharp.torch;

namespace MLExtensions.Training.Start;

/// <summary>Starts a training from a trained model.</summary>
internal static class WarmStart
{
    /// <summary>The network of a transformer, or of the last one in a chain that has one.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static NetworkModelParameters? Find(ITransformer? model) => model switch
    {
        null => null,
        INetworkHolder transformer => transformer.Model,
        IEnumerable<ITransformer> chain => chain.Select(Last).LastOrDefault(found => found != null) ?? throw NoNetwork(model),
        _ => throw NoNetwork(model),
    };

    /// <summary>Compares a model's weights with a network's; an output layer for another number of outputs may differ.</summary>
    /// <exception cref="ArgumentException">The architectures differ otherwise.</exception>
    public static WeightReport Compare(NetworkModelParameters from, NetworkArchitecture architecture, nn.Module to)
    {
        var sources = from.Network.state_dict().Select(entry => new WeightDescription(entry.Key, entry.Value.dtype, entry.Value.shape));
        var comparison = new WeightComparison(sources, to.state_dict());
        if (!comparison.Satisfies(WeightMatch.ExceptOutput, architecture.OutputLayer))
            throw new ArgumentException($"InitialModel has another architecture than {architecture}; {comparison.Problems}.", nameof(TrainingOptions.InitialModel));
        return comparison.Report;
    }

    /// <summary>Copies what fits.</summary>
    public static WeightReport Copy(NetworkModelParameters from, NetworkArchitecture architecture, nn.Module to)
    {
        var report = Compare(from, architecture, to);
        var targets = to.state_dict();
        var sources = from.Network.state_dict();
        using var noGradient = no_grad();
        foreach (var name in report.Loaded)
            targets[name].copy_(sources[name]);
        return report;
    }

    private static NetworkModelParameters? Last(ITransformer transformer) =>
        transformer is INetworkHolder or IEnumerable<ITransformer> ? Find(transformer) : null;

    private static ArgumentException NoNetwork(ITransformer model) =>
        new($"InitialModel is a {model.GetType().Name} without a network of this library in it.", nameof(TrainingOptions.InitialModel));
}
