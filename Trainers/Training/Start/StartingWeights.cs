using Microsoft.ML.Runtime;
using MLExtensions.Heads;
using MLExtensions.Messages;
using MLExtensions.Models;
using MLExtensions.Tensors;
using MLExtensions.Training;
using MLExtensions.Training.Engine;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Start;

/// <summary>Where a network's first weights come from: random numbers, a trained model, or a file.</summary>
internal sealed class StartingWeights : IDisposable
{
    private readonly TrainingOptions _options;
    private readonly IInitialWeights? _model;
    private readonly InitialWeightsFile? _file;

    private StartingWeights(TrainingOptions options, IInitialWeights? model, InitialWeightsFile? file)
    {
        _options = options;
        _model = model;
        _file = file;
    }

    /// <summary>The head of the model that training starts from, or null.</summary>
    public PredictionHead? Head => _model?.Head;

    /// <summary>The architecture of the model that training starts from, or null.</summary>
    public NetworkArchitecture? Architecture => _model?.Architecture;

    /// <summary>What came from the file; null without one.</summary>
    public WeightReport? FileReport { get; private set; }

    /// <summary>Finds the model or the file.</summary>
    public static StartingWeights Open(TrainingOptions options) => Open(options, WarmStart.Find(options.InitialModel));

    /// <summary>Finds the file; the model is known.</summary>
    public static StartingWeights Open(TrainingOptions options, IInitialWeights? model) =>
        new(options, model, options.InitialWeights == null ? null : InitialWeightsFile.Open(options.InitialWeights));

    /// <summary>Refuses options that do not fit the network, before the data is read.</summary>
    /// <param name="draft">The network's architecture as far as it is known, its output perhaps of another size.</param>
    public void Check(NetworkArchitecture draft)
    {
        if (_model == null && _file == null && _options.FrozenLayers.Count == 0 && _options.LayerRules.Count == 0)
            return;
        using var scope = NewDisposeScope();
        using var network = draft.CreateModule();
        new LayerSelection(_options.FrozenLayers, _options.LayerRules).Check(network);
        if (_model != null)
            WarmStart.Compare(_model, draft, network);
        _file?.Compare(network, draft, _options.InitialWeightsMatch, isDraft: true);
    }

    /// <summary>Builds the network with its first weights.</summary>
    public nn.Module<Tensor, Tensor> CreateNetwork(NetworkArchitecture architecture, int seed, IChannel channel)
    {
        using var scope = NewDisposeScope();
        var network = architecture.CreateModule();
        _options.InitializeWeights(network, SeedSequence.Derive(seed, SeedSequence.Initialization));
        if (_model != null)
            Tell(channel, nameof(_options.InitialModel), WarmStart.Copy(_model, architecture, network));
        if (_file != null)
        {
            FileReport = _file.CopyTo(network, architecture, _options.InitialWeightsMatch);
            Tell(channel, $"{nameof(_options.InitialWeights)} {_options.InitialWeights}", FileReport);
        }
        network.DetachFromDisposeScope();
        return network;
    }

    public void Dispose() => _file?.Dispose();

    private void Tell(IChannel channel, string source, WeightReport report)
    {
        var left = report.Missing.Concat(report.OtherShape).ToList();
        if (_options.Epochs == 0 && left.Count > 0)
            throw new ArgumentException($"{nameof(_options.Epochs)} is 0, and {source} has no weights that fit {NameList.Of(left)}; such a network must be trained for at least 1 epoch.", nameof(_options.Epochs));
        channel.Info("{0}: {1}", source, report);
        if (left.Count > 0)
            channel.Warning("{0}: these tensors of the network start anew: {1}", source, NameList.Of(left));
        if (report.Unexpected.Count > 0)
            channel.Warning("{0}: these tensors have no place in the network: {1}", source, NameList.Of(report.Unexpected));
    }
}
