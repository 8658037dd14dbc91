using MLExtensions.Engine;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Rbm;

/// <summary>The trained RBMs below the one in training, which map features to its visible units.</summary>
internal sealed class LowerLayers : IDisposable
{
    private readonly List<RbmNetwork> _networks = [];
    private readonly bool _ownsThem;

    public LowerLayers(IReadOnlyList<NetworkModelParameters> layers, Device device)
    {
        _ownsThem = device.type != DeviceType.CPU;
        foreach (var layer in layers)
            _networks.Add(_ownsThem ? CopyTo(device, layer) : (RbmNetwork)layer.Network);
    }

    /// <summary>The hidden means of the topmost RBM; the features themselves if there is none.</summary>
    public Tensor Up(Tensor features)
    {
        foreach (var network in _networks)
            features = network.HiddenMeans(features);
        return features;
    }

    /// <inheritdoc cref="WeightChecksum"/>
    /// <returns>Empty if there are none.</returns>
    public string Checksum() => _networks.Count == 0 ? "" : WeightChecksum.Of(_networks.SelectMany(network => network.state_dict().Values));

    public void Dispose()
    {
        if (_ownsThem)
            _networks.ForEach(network => network.Dispose());
    }

    private static RbmNetwork CopyTo(Device device, NetworkModelParameters layer)
    {
        using var noGradient = no_grad();
        var copy = new RbmNetwork((RbmArchitecture)layer.Architecture);
        foreach (var (name, value) in layer.Network.state_dict())
            copy.state_dict()[name].copy_(value);
        copy.to(device);
        copy.Refresh();
        return copy;
    }
}
