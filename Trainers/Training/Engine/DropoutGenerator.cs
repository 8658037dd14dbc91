using MLExtensions.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>The random numbers of a network's dropout: each epoch's come from the seed, whatever was drawn before.</summary>
internal sealed class DropoutGenerator : IDisposable
{
    private readonly int _seed;
    private readonly Generator? _generator;

    public DropoutGenerator(nn.Module network, int seed, Device device)
    {
        _seed = seed;
        // libtorch has no generators for CUDA that could be handed over: there, the process's is seeded.
        if (device.type == DeviceType.CPU)
            _generator = new Generator((ulong)seed);
        foreach (var layer in network.modules().OfType<SeededDropout>())
            layer.Generator = _generator;
    }

    public void BeginEpoch(int epoch)
    {
        var seed = (long)(SeedSequence.Derive(_seed, SeedSequence.Dropout, epoch) >> 1);
        if (_generator != null)
            _generator.manual_seed(seed);
        else
            cuda.manual_seed(seed);
    }

    public void Dispose() => _generator?.Dispose();
}
