using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Training.Engine;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Start;

/// <summary>Starts a training from a trained model.</summary>
internal static class WarmStart
{
    /// <summary>The network of a transformer, or of the last one in a chain that has one.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static IInitialWeights? Find(ITransformer? model) => model switch
    {
        null => null,
        INetworkHolder transformer => transformer.InitialWeights,
        IEnumerable<ITransformer> chain => chain.Select(Last).LastOrDefault(found => found != null) ?? throw NoNetwork(model),
        _ => throw NoNetwork(model),
    };

    /// <summary>Compares a model's weights with a network's; an output layer for another number of outputs may differ.</summary>
    /// <exception cref="ArgumentException">The architectures differ otherwise.</exception>
    public static WeightReport Compare(IInitialWeights from, NetworkArchitecture architecture, nn.Module to)
    {
        using var scope = NewDisposeScope();
        return Compare(from, from.WeightsFor(architecture), architecture, to);
    }

    /// <summary>Copies what fits.</summary>
    public static WeightReport Copy(IInitialWeights from, NetworkArchitecture architecture, nn.Module to)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var sources = from.WeightsFor(architecture);
        var report = Compare(from, sources, architecture, to);
        var targets = to.state_dict();
        foreach (var name in report.Loaded)
            targets[name].copy_(sources[name]);
        return report;
    }

    private static WeightReport Compare(IInitialWeights from, IReadOnlyDictionary<string, Tensor> weights, NetworkArchitecture architecture, nn.Module to)
    {
        var sources = weights.Select(entry => new WeightDescription(entry.Key, entry.Value.dtype, entry.Value.shape)).ToList();
        var whole = to.state_dict();
        var targets = whole.Where(entry => !from.LacksOutput || !LayerNames.IsBelow(entry.Key, architecture.OutputLayer)).ToDictionary();
        var comparison = new WeightComparison(sources, targets);
        if (!comparison.Satisfies(WeightMatch.ExceptOutput, architecture.OutputLayer))
            throw new ArgumentException($"InitialModel has another architecture than {architecture}; {comparison.Problems}.", nameof(TrainingOptions.InitialModel));
        return from.LacksOutput ? new WeightComparison(sources, whole).Report : comparison.Report;
    }

    private static IInitialWeights? Last(ITransformer transformer) =>
        transformer is INetworkHolder or IEnumerable<ITransformer> ? Find(transformer) : null;

    private static ArgumentException NoNetwork(ITransformer model) =>
        new($"InitialModel is a {model.GetType().Name} without a network of this library in it.", nameof(TrainingOptions.InitialModel));
}
