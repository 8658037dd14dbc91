using MLExtensions.Messages;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Training;

namespace MLExtensions.Families.Rbm;

/// <summary>The training of an RBM, or of a stack of RBMs one after the other.</summary>
internal sealed class RbmTraining(IHost host, RbmEstimator.Options options, int seed)
{
    public IReadOnlyList<NetworkModelParameters> Run(IDataView input, IDataView? validation)
    {
        OutputFolders.Check(options);
        for (var layer = 0; layer < options.HiddenLayers.Count; layer++)
            OutputFolders.Check(options.OfLayer(layer));
        using var channel = host.Start("Training");
        var session = new TrainingSession(host, channel, options, seed);
        session.ThrowIfCancelled();
        var device = session.OpenDevice();
        if (options.Buffering == Buffering.Streaming)
        {
            var held = validation == null && options.ValidationFraction > 0;
            input = new WatchedDataView(input, "training data", held ? PassCheck.Order : PassCheck.Rows, session.ThrowIfCancelled);
            validation = validation == null ? null : new WatchedDataView(validation, "validation data", PassCheck.Rows, session.ThrowIfCancelled);
        }
        var architectures = CreateArchitectures(FeatureReader.WidthOf(input.Schema[options.InputColumnName]));
        for (var layer = 0; layer < architectures.Count; layer++)
            TrainingMemory.CheckNetwork(architectures[layer], options.OfLayer(layer), onHost: device.type == TorchSharp.DeviceType.CPU);
        using var starts = OpenStarts(architectures);
        using var data = UnlabeledData.Open(input, validation, options.InputColumnName, FormatOf(architectures[0]), options.CreateRowSettings(seed), session.ThrowIfCancelled);
        var layers = new List<NetworkModelParameters>();
        try
        {
            foreach (var architecture in architectures)
            {
                var training = new RbmLayerTraining(host, options.OfLayer(layers.Count), unchecked(seed + layers.Count), architecture, layers, starts.Of(layers.Count), data);
                layers.Add(training.Run(input, validation));
            }
            return layers;
        }
        catch
        {
            layers.ForEach(layer => layer.Dispose());
            throw;
        }
    }

    private static FeatureFormat FormatOf(RbmArchitecture lowest)
    {
        var dense = new DenseFormat(lowest.InputCount);
        var probabilities = new RangeFormat(dense, $"values of {lowest.VisibleUnits} units");
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
            throw new ArgumentException(FormattableString.Invariant($"{nameof(options.SoftmaxGroups)} is {NumberList.Of(groups)}, {groups.Sum(size => (long)size)} in all; column '{options.InputColumnName}' has {visible} values, and each unit needs 2 or more."), nameof(options.SoftmaxGroups));
        var architectures = new List<RbmArchitecture>();
        foreach (var layer in options.HiddenLayers)
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

    /// <summary>Finds the initial weights of all RBMs. They are there until the last one is trained, even if the initial model is disposed.</summary>
    private LayerStarts OpenStarts(List<RbmArchitecture> architectures)
    {
        var known = KnownLayers(architectures);
        var starts = new LayerStarts();
        try
        {
            for (var layer = 0; layer < architectures.Count; layer++)
                starts.Add(StartingWeights.Open(options.OfLayer(layer), known?[layer]));
            return starts;
        }
        catch
        {
            starts.Dispose();
            throw;
        }
    }

    /// <summary>The RBMs that training starts from, or null.</summary>
    private IReadOnlyList<IInitialWeights>? KnownLayers(List<RbmArchitecture> architectures)
    {
        var initial = WarmStart.Find(options.InitialModel);
        if (initial == null)
            return null;
        if (initial is not RbmWeights { Layers: var layers } || !layers.Select(layer => layer.Architecture).SequenceEqual(architectures))
            throw new ArgumentException($"{nameof(options.InitialModel)} has another architecture than these options ask for: {string.Join(", then ", architectures.Select(Describe))}.", nameof(options.InitialModel));
        return layers;
    }

    private static string Describe(RbmArchitecture architecture) =>
        FormattableString.Invariant($"{architecture.InputCount} {architecture.VisibleUnits} visible and {architecture.OutputCount} {architecture.HiddenUnits} hidden units");

    /// <summary>The initial weights of the RBMs of a stack.</summary>
    private sealed class LayerStarts : IDisposable
    {
        private readonly List<StartingWeights> _starts = [];

        public void Add(StartingWeights start) => _starts.Add(start);

        public StartingWeights Of(int layer) => _starts[layer];

        public void Dispose() => _starts.ForEach(start => start.Dispose());
    }
}
