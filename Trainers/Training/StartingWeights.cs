using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Persistence;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Training;

/// <summary>The source of a network's initial weights: random numbers, a trained model, or a file.</summary>
internal sealed class StartingWeights : IDisposable
{
    private readonly DataTrainingOptions _options;
    private readonly InitialWeightsFile? _file;
    private NetworkLease? _lease;
    private IInitialWeights? _model;
    private string? _otherClasses;

    private StartingWeights(DataTrainingOptions options, IInitialWeights? model, InitialWeightsFile? file)
    {
        _options = options;
        _model = model;
        _file = file;
        _lease = model?.Lease();
    }

    /// <summary>The head of the initial model, or null.</summary>
    public PredictionHead? Head => _model?.Head;

    /// <summary>The initial model, or null.</summary>
    public IInitialWeights? Model => _model;

    /// <summary>The architecture of the initial model, or null.</summary>
    public NetworkArchitecture? Architecture => _model?.Architecture;

    /// <summary>What was loaded from the file; null without one.</summary>
    public WeightReport? FileReport { get; private set; }

    /// <summary>Finds the model or the file.</summary>
    public static StartingWeights Open(DataTrainingOptions options) => Open(options, WarmStart.Find(options.InitialModel));

    /// <summary>Finds the file for a known model.</summary>
    public static StartingWeights Open(DataTrainingOptions options, IInitialWeights? model)
    {
        var file = options.WeightsFile is { } weights ? InitialWeightsFile.Open(weights.Path, weights.Name) : null;
        try
        {
            return new StartingWeights(options, model, file);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Gives the outputs of the initial model to the classes that they were trained for: the same classes can have other keys here. If they
    /// are other classes, the output layer starts randomly.
    /// </summary>
    /// <param name="names">The names of the classes of the training data, or null.</param>
    /// <exception cref="ArgumentException">Only one of the two has names.</exception>
    public void MatchClasses(IReadOnlyList<string>? names)
    {
        if (_model is not { Head: MulticlassHead head } || (names == null && _model.ClassNames == null))
            return;
        if (names == null || _model.ClassNames is not { } known)
            throw new ArgumentException($"{nameof(_options.InitialModel)}: its classes are {(_model.ClassNames == null ? "numbers without names" : NameList.Of(_model.ClassNames))}, those of the training data {(names == null ? "numbers without names" : NameList.Of(names))}. Classes are matched by the values of the label's keys (KeyValues), so both need them, or neither; MapValueToKey adds them.", nameof(_options.InitialModel));
        if (names.Count != head.ClassCount || names.SequenceEqual(known))
            return;
        var places = KeyMap.Places(names, known);
        if (places.Contains(-1))
            _otherClasses = $"{nameof(_options.InitialModel)} was trained for the classes {NameList.Of(known)}; the training data has {NameList.Of(names)}. The output layer starts randomly.";
        _model = new RearrangedClasses(_model, places.Contains(-1) ? null : places);
    }

    /// <summary>Rejects options that do not fit the network before the data is read.</summary>
    /// <param name="architecture">The network's architecture.</param>
    public void Check(NetworkArchitecture architecture)
    {
        if (_model == null && _file == null && _options.FrozenLayers.Count == 0 && _options.LayerRules.Count == 0)
            return;
        using var scope = NewDisposeScope();
        using var network = architecture.CreateModule();
        new LayerSelection(_options.FrozenLayers, _options.LayerRules).Check(network);
        if (_model != null)
            WarmStart.Compare(_model, architecture, network);
        _file?.Compare(network, architecture, _options.InitialWeightsMatch);
    }

    /// <summary>Creates the network with its initial weights.</summary>
    public nn.Module<Tensor, Tensor> CreateNetwork(NetworkArchitecture architecture, int seed, TrainingSession session)
    {
        using var scope = NewDisposeScope();
        var network = architecture.CreateModule();
        _options.InitializeWeights(network, SeedSequence.Derive(seed, SeedSequence.Initialization));
        if (_otherClasses != null)
            session.Warn(_otherClasses);
        if (_model != null)
            Tell(session, nameof(_options.InitialModel), WarmStart.Copy(_model, architecture, network));
        if (_file != null)
        {
            FileReport = _file.CopyTo(network, architecture, _options.InitialWeightsMatch);
            Tell(session, _file.Description, FileReport);
        }
        network.DetachFromDisposeScope();
        return network;
    }

    public void Dispose()
    {
        _file?.Dispose();
        _lease?.Dispose();
        _lease = null; // a second time would take the lease of somebody else
    }

    private void Tell(TrainingSession session, string source, WeightReport report)
    {
        var left = report.Missing.Concat(report.OtherShape).ToList();
        if (_options.Epochs == 0 && left.Count > 0)
            throw new ArgumentException($"{nameof(_options.Epochs)} is 0, but {source} has no matching weights for {NameList.Of(left)}; such a network must be trained for at least 1 epoch.", nameof(_options.Epochs));
        session.Say($"{source}: {report}");
        if (left.Count > 0)
            session.Warn($"{source}: these tensors of the network were initialized randomly: {NameList.Of(left)}");
        if (report.Unexpected.Count > 0)
            session.Warn($"{source}: these tensors do not belong to the network and were ignored: {NameList.Of(report.Unexpected)}");
    }
}

/// <summary>A trained network whose classes have other numbers in the training data.</summary>
/// <param name="model">The network.</param>
/// <param name="places">The place of each class of the training data among those of the network; null if they are other classes.</param>
internal sealed class RearrangedClasses(IInitialWeights model, int[]? places) : IInitialWeights
{
    public NetworkArchitecture Architecture => model.Architecture;

    public PredictionHead? Head => model.Head;

    public bool LacksOutput => places == null || model.LacksOutput;

    public NetworkLease Lease() => model.Lease();

    public IReadOnlyDictionary<string, Tensor> WeightsFor(NetworkArchitecture architecture)
    {
        var weights = new Dictionary<string, Tensor>(model.WeightsFor(architecture));
        using var order = places == null ? null : tensor(Array.ConvertAll(places, place => (long)place), dtype: ScalarType.Int64, device: CPU);
        foreach (var name in weights.Keys.Where(name => LayerNames.IsBelow(name, architecture.OutputLayer)).ToArray())
        {
            if (order is null)
                weights.Remove(name);
            else if (weights[name].dim() > 0 && weights[name].shape[0] == order.shape[0])
                weights[name] = weights[name].index_select(0, order);
        }
        return weights;
    }
}

/// <summary>The file with the initial weights of a training.</summary>
internal sealed class InitialWeightsFile : IDisposable
{
    private readonly WeightFile _file;

    private readonly string _option;

    private InitialWeightsFile(WeightFile file, string option) => (_file, _option) = (file, option);

    /// <summary>The option and the file, for messages.</summary>
    public string Description => $"{_option} {_file.Path}";

    /// <inheritdoc cref="WeightFile.Open"/>
    public static InitialWeightsFile Open(string path, string option) => new(WeightFile.Open(path, option), option);

    /// <summary>Compares the file with a network.</summary>
    /// <param name="network">The network.</param>
    /// <param name="architecture">Its architecture.</param>
    /// <param name="match">How closely they must match.</param>
    /// <exception cref="ArgumentException">They do not match as required; the message lists the tensors.</exception>
    public WeightReport Compare(nn.Module network, NetworkArchitecture architecture, WeightMatch match)
    {
        var comparison = new WeightComparison(_file.Tensors, network.state_dict());
        if (!comparison.Satisfies(match, architecture.OutputLayer))
            throw new ArgumentException($"{_option} '{_file.Path}' does not match the network as InitialWeightsMatch = {match} requires; {comparison.Problems}.", _option);
        return comparison.Report;
    }

    /// <summary>Copies the matching tensors into a network. Call it once.</summary>
    /// <exception cref="ArgumentException">File and network do not match as required.</exception>
    /// <exception cref="ModelFormatException">The file is damaged, or a weight is not finite.</exception>
    public WeightReport CopyTo(nn.Module network, NetworkArchitecture architecture, WeightMatch match)
    {
        var report = Compare(network, architecture, match);
        _file.CopyTo(network, report.Loaded);
        return report;
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>Starts a training from a trained model.</summary>
internal static class WarmStart
{
    /// <summary>Returns the network of a transformer, or of the last transformer with a network in a chain.</summary>
    /// <exception cref="ArgumentException">The model has no network of this library.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public static IInitialWeights? Find(ITransformer? model) => model switch
    {
        null => null,
        INetworkHolder transformer => InUse(transformer.InitialWeights),
        IEnumerable<ITransformer> chain => chain.Select(Last).LastOrDefault(found => found != null) ?? throw NoNetwork(model),
        _ => throw NoNetwork(model),
    };

    /// <summary>
    /// Compares the weights of a model with those of a network. An output layer with another number of outputs may differ.
    /// </summary>
    /// <exception cref="ArgumentException">The architectures differ otherwise.</exception>
    public static WeightReport Compare(IInitialWeights from, NetworkArchitecture architecture, nn.Module to)
    {
        using var scope = NewDisposeScope();
        return Compare(from, from.WeightsFor(architecture), architecture, to);
    }

    /// <summary>Copies the matching tensors.</summary>
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
            throw new ArgumentException($"InitialModel has another architecture than the network of these options: {comparison.Problems}.", nameof(TrainingOptions.InitialModel));
        return from.LacksOutput ? new WeightComparison(sources, whole).Report : comparison.Report;
    }

    private static IInitialWeights InUse(IInitialWeights weights)
    {
        using var lease = weights.Lease();
        return weights;
    }

    private static IInitialWeights? Last(ITransformer transformer) =>
        transformer is INetworkHolder or IEnumerable<ITransformer> ? Find(transformer) : null;

    private static ArgumentException NoNetwork(ITransformer model) =>
        new($"InitialModel is a {model.GetType().Name} that contains no network of this library.", nameof(TrainingOptions.InitialModel));
}

/// <summary>Decides whether weights match a network as closely as an option requires.</summary>
internal static class WeightMatching
{
    public static bool Satisfies(this WeightComparison comparison, WeightMatch match, string outputLayer) => match switch
    {
        WeightMatch.Partial => comparison.Report.Loaded.Count > 0,
        WeightMatch.Strict => comparison.HasSameNames && comparison.OtherShape.Count == 0,
        _ => comparison.HasSameNames && comparison.OtherShape.All(other => other.FirstDimensionOnly && LayerNames.IsBelow(other.Name, outputLayer)),
    };
}
