using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Heads;
using MLExtensions.Models;
using MLExtensions.Networks.Rbm;
using MLExtensions.Tensors;
using MLExtensions.Training.Data;
using MLExtensions.Training.Engine;
using MLExtensions.Training.Start;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Rbm;

/// <summary>One training of a machine, or of a stack one machine after the other.</summary>
internal sealed class RbmTraining(IHost host, RbmEstimator.Options options, int seed)
{
    // The probability of a unit that is always on or off would have an infinite bias.
    private const double LeastProbability = 0.01;

    // Gaussian units are off by a factor where the data is not standardised.
    private const double WorstVariance = 10;

    public IReadOnlyList<NetworkModelParameters> Run(IDataView input, IDataView? validation)
    {
        options.CheckValidation(validation);
        using var channel = host.Start("Training");
        var session = new TrainingSession(host, channel, options, seed);
        session.CheckAlive();
        var architectures = CreateArchitectures(FeatureReader.WidthOf(input.Schema[options.InputColumnName]));
        var known = KnownLayers(architectures);
        var device = session.OpenDevice();
        var format = FormatOf(architectures[0]);
        var settings = new RowSetSettings(options.Buffering, options.ShuffleBufferRows, options.ValidationFraction, seed);
        using var data = UnlabelledData.Open(input, validation, options.InputColumnName, format, settings, session.CheckAlive);
        var layers = new List<NetworkModelParameters>();
        try
        {
            foreach (var architecture in architectures)
                layers.Add(TrainLayer(channel, architecture, layers, known?[layers.Count], data, device));
            return layers;
        }
        catch
        {
            layers.ForEach(layer => layer.Dispose());
            throw;
        }
    }

    private NetworkModelParameters TrainLayer(IChannel channel, RbmArchitecture architecture, IReadOnlyList<NetworkModelParameters> below, IInitialWeights? known, UnlabelledData data, Device device)
    {
        var own = options.OfLayer(below.Count);
        var layerSeed = unchecked(seed + below.Count);
        var session = new TrainingSession(host, channel, own, layerSeed);
        using var start = StartingWeights.Open(own, known);
        using var threads = TorchThreads.Use(own.ThreadCount ?? TorchThreads.CountFor(architecture.MultiplyAdds * own.BatchSize));
        start.Check(architecture);
        using var lower = new LowerLayers(below, device);
        var (training, validation) = data.CreateBatches(own.BatchSize, layerSeed, device);
        using var statistics = DataStatistics.Of(training, lower.Up, session.CheckAlive);
        if (below.Count == 0)
            WarnOfScale(channel, architecture, statistics);
        var network = (RbmNetwork)start.CreateNetwork(architecture, layerSeed, channel);
        if (known == null && own.InitialWeights == null && own.BiasesFromData)
            SetVisibleBiases(network, statistics.Mean);
        using var step = new RbmStep(network, own, lower, statistics.Sample, layerSeed, device);
        var history = session.Run(step, architecture, training, validation, start.FileReport, Fingerprint(lower));
        return new NetworkModelParameters(host, architecture, new FeaturesHead(architecture.OutputCount), step.Export(architecture), history);
    }

    private static FeatureFormat FormatOf(RbmArchitecture lowest)
    {
        var dense = new DenseFormat(lowest.InputCount);
        var probabilities = new UnitRangeFormat(dense, $"values of {lowest.VisibleUnits} units");
        return lowest.VisibleUnits switch
        {
            VisibleUnitType.Gaussian => dense,
            VisibleUnitType.Softmax => new SoftmaxFormat(probabilities, lowest.SoftmaxGroups),
            _ => probabilities,
        };
    }

    private List<RbmArchitecture> CreateArchitectures(int visible)
    {
        var groups = options.SoftmaxGroups;
        if (options.VisibleUnits == VisibleUnitType.Softmax && groups.Count == 0)
            groups = [visible];
        if (groups.Count > 0 && (groups.Sum(size => (long)size) != visible || groups.Any(size => size < 2)))
            throw new ArgumentException($"{nameof(options.SoftmaxGroups)} is {string.Join(", ", groups)}, {groups.Sum(size => (long)size)} in all; column '{options.InputColumnName}' has {visible} values, of which each unit needs 2 or more.", nameof(options.SoftmaxGroups));
        var architectures = new List<RbmArchitecture>();
        foreach (var layer in options.HiddenUnits)
        {
            var lower = architectures.LastOrDefault();
            architectures.Add(new RbmArchitecture
            {
                InputCount = lower?.OutputCount ?? visible,
                OutputCount = layer.Units,
                VisibleUnits = lower == null ? options.VisibleUnits : lower.HiddenUnits == HiddenUnitType.Bernoulli ? VisibleUnitType.Bernoulli : VisibleUnitType.Gaussian,
                HiddenUnits = layer.Type,
                SoftmaxGroups = lower == null ? groups : [],
            });
        }
        return architectures;
    }

    /// <summary>The machines that training starts from, or null.</summary>
    private IReadOnlyList<IInitialWeights>? KnownLayers(List<RbmArchitecture> architectures)
    {
        var initial = WarmStart.Find(options.InitialModel);
        if (initial == null)
            return null;
        if (initial is not RbmWeights { Layers: var layers } || !layers.Select(layer => layer.Architecture).SequenceEqual(architectures))
            throw new ArgumentException($"{nameof(options.InitialModel)} has another architecture than {string.Join(", ", architectures)}.", nameof(options.InitialModel));
        return layers;
    }

    private void WarnOfScale(IChannel channel, RbmArchitecture architecture, DataStatistics statistics)
    {
        if (architecture.VisibleUnits != VisibleUnitType.Gaussian)
            return;
        using var scope = NewDisposeScope();
        var slot = (int)statistics.Variance.argmax().item<long>();
        var variance = statistics.Variance[slot].item<float>();
        if (variance > WorstVariance)
            channel.Warning("Column '{0}', slot {1}: the variance is {2}; Gaussian units take it for 1. NormalizeMeanVariance before it mends it.", options.InputColumnName, slot, variance);
    }

    /// <summary>With small weights, the units' probabilities are then those of the data.</summary>
    private static void SetVisibleBiases(RbmNetwork network, Tensor mean)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var biases = network.Architecture.VisibleUnits switch
        {
            VisibleUnitType.Gaussian => mean,
            VisibleUnitType.Bernoulli => mean.clamp(LeastProbability, 1 - LeastProbability).logit(),
            _ => mean.clamp(LeastProbability / network.Architecture.InputCount, 1).log(),
        };
        network.VisibleBias.copy_(biases);
    }

    private Dictionary<string, object?> Fingerprint(LowerLayers lower) => new()
    {
        [TrainingFingerprint.Foundation] = lower.Checksum(),
        [nameof(options.ShuffleBufferRows)] = options.ShuffleBufferRows,
        [nameof(options.GibbsSteps)] = options.GibbsSteps,
        [nameof(options.PersistentChains)] = options.PersistentChains,
        [nameof(options.SampleVisible)] = options.SampleVisible,
        [nameof(options.SparsityTarget)] = options.SparsityTarget,
        [nameof(options.SparsityCost)] = options.SparsityCost,
        [nameof(options.BiasesFromData)] = options.BiasesFromData,
    };
}
