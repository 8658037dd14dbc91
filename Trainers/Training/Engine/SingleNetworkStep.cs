using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>What steps that train one network share: its parameters, their updates, its dropout.</summary>
internal abstract class SingleNetworkStep : TrainingStep
{
    private readonly nn.Module<Tensor, Tensor> _network;
    private readonly ParameterSet _parameters;
    private readonly DropoutGenerator _dropout;
    private readonly bool _isBFloat16;

    /// <param name="network">The network with its first weights, float32 on the CPU; taken over.</param>
    /// <param name="options">The options.</param>
    /// <param name="seed">The seed of dropout.</param>
    /// <param name="device">Where to train.</param>
    protected SingleNetworkStep(nn.Module<Tensor, Tensor> network, TrainingOptions options, int seed, Device device)
    {
        _network = network;
        _isBFloat16 = options.Precision == Precision.BFloat16;
        Device = device;
        if (device.type != DeviceType.CPU)
            network.to(device);
        _parameters = new ParameterSet(network, options.Precision, new LayerSelection(options.FrozenLayers, options.LayerRules));
        Updater = new ParameterUpdater(_parameters, options, get_num_threads());
        _dropout = new DropoutGenerator(network, seed, device);
    }

    public sealed override IReadOnlyList<(string Name, ParameterUpdater Updater)> Updaters => [("network", Updater)];

    public sealed override Device Device { get; }

    protected ParameterUpdater Updater { get; }

    public override void BeginEpoch(int epoch)
    {
        _parameters.BeginTraining();
        _dropout.BeginEpoch(epoch);
    }

    public override void BeginValidation() => _network.eval();

    /// <inheritdoc cref="ParameterUpdater.Export"/>
    public nn.Module<Tensor, Tensor> Export(NetworkArchitecture architecture) => Updater.Export(architecture);

    public override void Dispose()
    {
        Updater.Dispose();
        _parameters.Dispose();
        _network.Dispose();
        _dropout.Dispose();
    }

    /// <summary>One step down the gradient of a loss; none where the loss is no finite number, which ends the training.</summary>
    /// <returns>The loss.</returns>
    protected double Descend(Tensor loss, double learningRate)
    {
        var value = loss.item<float>();
        if (!float.IsFinite(value))
            return value;
        loss.backward();
        Updater.Apply(learningRate);
        return value;
    }

    /// <summary>The network's outputs, float32.</summary>
    protected Tensor Forward(Tensor features)
    {
        if (_isBFloat16 && _network is not Networks.IFullPrecisionInput)
            features = features.to(ScalarType.BFloat16);
        return _network.call(features).to(ScalarType.Float32);
    }
}
