using MLExtensions.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>
/// The parameters of a module as views of one flat tensor, and their gradients as views of another, so that there is one optimizer pass,
/// one norm, one average and one checkpoint entry. Regularized weights come first, then biases and normalization; both are divided into
/// ranges by the layer rules. Frozen parameters are not included.
/// </summary>
/// <remarks>In bfloat16 the module computes with rounded copies of these float32 weights; batch normalization stays in float32.</remarks>
internal sealed class ParameterSet : IDisposable
{
    // In elements: 64 bytes, a cache line and the widest vector register. The gaps between parameters are always zero.
    private const long Alignment = 16;

    private readonly List<Slot> _slots = [];
    private readonly List<Copy> _copies = [];
    private readonly List<(string Name, Tensor Value)> _buffers;
    private readonly List<FlatSegment> _segments = [];
    private readonly nn.Module _module;

    /// <param name="module">The module, on the training device in float32. Its trained parameters become views of this set.</param>
    /// <param name="settings">How they are trained.</param>
    /// <exception cref="ArgumentException">The layers in the settings do not match the module; the message names the option.</exception>
    public ParameterSet(nn.Module module, OptimizationSettings settings)
    {
        var layers = settings.Layers;
        layers.Check(module);
        _module = module;
        Frozen = new FrozenWeights(module, layers, settings.Precision != Precision.BFloat16);
        var parameters = module.named_parameters()
            .Where(entry => !layers.IsFrozen(entry.name))
            .OrderBy(entry => entry.parameter.dim() < 2)
            .ThenBy(entry => layers.RuleOf(entry.name)?.Layer, StringComparer.Ordinal)
            .ToArray();
        foreach (var (name, parameter) in parameters)
            AddSlot(new Slot(name, Aligned(_slots.Count == 0 ? 0 : _slots[^1].End), parameter.shape), layers.RuleOf(name), settings);
        var count = Aligned(_slots[^1].End);
        _segments[^1] = _segments[^1] with { End = count };
        var device = parameters[0].parameter.device;
        Weights = zeros(count, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        Gradients = zeros(count, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        _buffers = module.named_buffers().Select(entry => (entry.name, entry.buffer)).ToList();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        foreach (var (slot, (_, parameter)) in _slots.Zip(parameters))
            slot.Of(Weights).copy_(parameter);
        if (settings.Precision == Precision.BFloat16)
            BFloat16Modules.Convert(module);
        Attach(module);
    }

    /// <summary>All weights, float32.</summary>
    public Tensor Weights { get; }

    /// <summary>All gradients, float32.</summary>
    public Tensor Gradients { get; }

    /// <summary>The parts that are trained in different ways, in order and without gaps.</summary>
    public IReadOnlyList<FlatSegment> Segments => _segments;

    /// <summary>The part of the module that is not trained.</summary>
    public FrozenWeights Frozen { get; }

    /// <summary>The buffers of the module, such as the running statistics of batch normalization.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Buffers => _buffers;

    /// <summary>
    /// Returns the part of a flat tensor that belongs to each parameter, for histograms and for a module that takes over the weights.
    /// </summary>
    public IEnumerable<(string Name, Tensor Value)> Split(Tensor flat) => _slots.Select(slot => (slot.Name, slot.Of(flat)));

    /// <summary>Puts the module into training mode, except for frozen normalization.</summary>
    public void BeginTraining()
    {
        _module.train();
        Frozen.HoldStatistics();
    }

    /// <summary>Copies the gradients of the module into <see cref="Gradients"/>; in float32 they are already there.</summary>
    public void CollectGradients()
    {
        using var scope = NewDisposeScope();
        foreach (var copy in _copies)
        {
            copy.Gradient.copy_(copy.ComputedGradient);
            copy.ComputedGradient.zero_();
        }
    }

    /// <summary>Sets all gradients to zero.</summary>
    public void DiscardGradients()
    {
        using var noGradient = no_grad();
        Gradients.zero_();
        foreach (var copy in _copies)
            copy.ComputedGradient.zero_();
    }

    /// <summary>Copies <see cref="Weights"/> to the module; in float32 it already uses them.</summary>
    public void PublishWeights()
    {
        using var scope = NewDisposeScope();
        foreach (var copy in _copies)
            copy.Computed.copy_(copy.Weight);
    }

    /// <summary>Replaces <see cref="Weights"/> and returns the old ones.</summary>
    public Tensor Exchange(Tensor weights)
    {
        using var noGradient = no_grad();
        var old = Weights.clone().DetachFromDisposeScope();
        Weights.copy_(weights);
        PublishWeights();
        return old;
    }

    public void Dispose()
    {
        Weights.Dispose();
        Gradients.Dispose();
        foreach (var copy in _copies)
            copy.Dispose();
        Frozen.Dispose();
    }

    private void AddSlot(Slot slot, LayerRule? rule, OptimizationSettings settings)
    {
        // Biases and normalization are not regularized.
        var regularization = slot.Shape.Length >= 2 ? settings.RegularizationOf(rule) : default;
        if (_segments.Count > 0)
            _segments[^1] = _segments[^1] with { End = slot.Offset };
        _segments.Add(new FlatSegment(slot.Offset, slot.End, regularization, rule?.LearningRateFactor ?? 1));
        _slots.Add(slot);
    }

    private static long Aligned(long offset) => (offset + Alignment - 1) / Alignment * Alignment;

    /// <summary>Runs in the constructor's dispose scope, which frees the handles that the module does not need.</summary>
    private void Attach(nn.Module module)
    {
        var parameters = module.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter);
        foreach (var (name, _) in Frozen.Weights)
            parameters[name].requires_grad_(false);
        foreach (var slot in _slots)
        {
            var parameter = parameters[slot.Name];
            var isCopy = parameter.dtype != ScalarType.Float32;
            if (!isCopy)
                parameter.set_(slot.Of(Weights));
            parameter.grad = isCopy ? zeros_like(parameter) : slot.Of(Gradients);
            if (isCopy)
                _copies.Add(new Copy(parameter.detach(), parameter.grad!, slot.Of(Weights), slot.Of(Gradients)));
        }
    }

    /// <summary>The place of one parameter.</summary>
    private sealed record Slot(string Name, long Offset, long[] Shape)
    {
        public long End { get; } = Offset + Shape.Aggregate(1L, (product, size) => product * size);

        public Tensor Of(Tensor flat) => flat.narrow(0, Offset, End - Offset).view(Shape);
    }

    /// <summary>A parameter that the module holds in another number format, with its float32 place.</summary>
    private sealed class Copy(Tensor computed, Tensor computedGradient, Tensor weight, Tensor gradient) : IDisposable
    {
        public Tensor Computed { get; } = computed.DetachFromDisposeScope();

        public Tensor ComputedGradient { get; } = computedGradient.DetachFromDisposeScope();

        public Tensor Weight { get; } = weight.DetachFromDisposeScope();

        public Tensor Gradient { get; } = gradient.DetachFromDisposeScope();

        public void Dispose()
        {
            Computed.Dispose();
            ComputedGradient.Dispose();
            Weight.Dispose();
            Gradient.Dispose();
        }
    }
}

/// <summary>
/// The part of a module that is not trained: its original float32 weights, and its normalization, which keeps its statistics.
/// </summary>
internal sealed class FrozenWeights : IDisposable
{
    private readonly List<(string Name, Tensor Value)> _weights = [];
    private readonly List<nn.Module> _normalizations;

    /// <param name="module">The module, still in float32.</param>
    /// <param name="selection">The frozen layers.</param>
    /// <param name="keepsPrecision">Whether the module stays in float32. Otherwise the weights are copied.</param>
    public FrozenWeights(nn.Module module, LayerSelection selection, bool keepsPrecision)
    {
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in module.named_parameters().Where(entry => selection.IsFrozen(entry.name)))
        {
            var value = parameter.detach();
            _weights.Add((name, (keepsPrecision ? value : value.clone()).DetachFromDisposeScope()));
        }
        _normalizations = module.named_modules()
            .Where(entry => entry.module is BatchNormalization && selection.IsFrozen(entry.name))
            .Select(entry => entry.module)
            .ToList();
    }

    /// <summary>The weights, float32.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Weights => _weights;

    /// <summary>Takes frozen normalization out of training mode, so that it uses its running statistics without updating them.</summary>
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

/// <summary>Turns a module into one that computes in bfloat16.</summary>
internal static class BFloat16Modules
{
    /// <summary>
    /// Converts the leaf modules, or the module itself if it is one, except for normalization, whose statistics need float32. libtorch
    /// accepts the mixture.
    /// </summary>
    public static void Convert(nn.Module module)
    {
        foreach (var leaf in module.modules().Append(module).Distinct().Where(m => !m.children().Any() && m is not BatchNormalization))
            leaf.to(ScalarType.BFloat16);
    }
}
