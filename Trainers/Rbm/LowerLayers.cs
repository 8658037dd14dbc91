using System.Security.Cryptography;
using MLExtensions.Networks.Rbm;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Rbm;

/// <summary>The trained machines below the one in training: they turn features into its visible units.</summary>
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

    /// <summary>Means, up through the machines; the features themselves where there are none.</summary>
    public Tensor Up(Tensor features)
    {
        foreach (var network in _networks)
            features = network.HiddenMeans(features);
        return features;
    }

    /// <summary>The SHA-256 of their weights; empty where there are none.</summary>
    public string Checksum()
    {
        if (_networks.Count == 0)
            return "";
        using var scope = NewDisposeScope();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (_, value) in _networks.SelectMany(network => network.state_dict()))
            TensorMemory.ForEachPiece(value.detach().cpu().contiguous(), piece => hash.AppendData(piece));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

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
