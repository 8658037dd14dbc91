using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>The part of a module that is not trained: its weights as they were in float32, and its normalisation, which keeps its statistics.</summary>
internal sealed class FrozenWeights : IDisposable
{
    private readonly List<(string Name, Tensor Value)> _weights = [];
    private readonly List<nn.Module> _normalizations;

    /// <param name="module">The module, still in float32.</param>
    /// <param name="selection">What is frozen.</param>
    /// <param name="keepsPrecision">Whether the module stays in float32; otherwise the weights are copied.</param>
    public FrozenWeights(nn.Module module, LayerSelection selection, bool keepsPrecision)
    {
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in module.named_parameters().Where(entry => selection.IsFrozen(entry.name)))
        {
            var value = parameter.detach();
            _weights.Add((name, (keepsPrecision ? value : value.clone()).DetachFromDisposeScope()));
        }
        _normalizations = module.named_modules()
            .Where(entry => entry.module is TorchSharp.Modules.NormBase && selection.IsFrozen(entry.name))
            .Select(entry => entry.module)
            .ToList();
    }

    /// <summary>The weights, float32.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Weights => _weights;

    /// <summary>Takes normalisation out of training mode, so that it uses its running statistics and leaves them alone.</summary>
    public void HoldStatistics()
    {
        foreach (var normalization in _normalizations)
            normalization.eval();
    }

    /// <inheritdoc cref="WeightChecksum"/>
    public string Checksum() => WeightChecksum.Of(_weights.Select(entry => entry.Value));

    public void Dispose()
    {
        foreach (var (_, value) in _weights)
            value.Dispose();
    }
}
