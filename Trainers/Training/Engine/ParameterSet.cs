using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Training.Engine;

/// <summary>
/// The parameters of a module as views of one flat tensor, and their gradients as views of another: one optimizer pass, one norm,
/// one average, one checkpoint entry. Regularised weights come first, biases and normalisation after them.
/// </summary>
/// <remarks>
/// In bfloat16 the module computes with rounded copies of the float32 weights here; batch normalisation stays in float32.
/// </remarks>
internal sealed class ParameterSet : IDisposable
{
    private readonly Precision _precision;
    private readonly List<Slot> _slots = [];
    private readonly List<(string Name, Tensor Buffer)> _buffers;

    /// <param name="module">The module, on the training device in float32; from now on its parameters live here.</param>
    /// <param name="precision">The number format of its computation.</param>
    public ParameterSet(nn.Module module, Precision precision)
    {
        _precision = precision;
        var parameters = module.named_parameters().OrderBy(entry => entry.parameter.dim() < 2).ToArray();
        DecayedCount = parameters.Where(entry => entry.parameter.dim() >= 2).Sum(entry => entry.parameter.NumberOfElements);
        var count = parameters.Sum(entry => entry.parameter.NumberOfElements);
        var device = parameters[0].parameter.device;
        Weights = empty(count, device: device).DetachFromDisposeScope();
        Gradients = zeros(count, device: device).DetachFromDisposeScope();
        _buffers = module.named_buffers().Select(entry => (entry.name, entry.buffer)).ToList();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        foreach (var (name, parameter) in parameters)
        {
            var slot = new Slot(name, _slots.Count == 0 ? 0 : _slots[^1].End, parameter.shape);
            slot.Of(Weights).copy_(parameter);
            _slots.Add(slot);
        }
        if (precision == Precision.BFloat16)
            BFloat16Modules.Convert(module);
        Attach(module);
    }

    /// <summary>All weights, float32.</summary>
    public Tensor Weights { get; }

    /// <summary>All gradients, float32.</summary>
    public Tensor Gradients { get; }

    /// <summary>How many elements at the beginning are regularised.</summary>
    public long DecayedCount { get; }

    /// <summary>What the module keeps beside its parameters, such as the running statistics of batch normalisation.</summary>
    public IReadOnlyList<(string Name, Tensor Buffer)> Buffers => _buffers;

    /// <summary>Each parameter's part of a flat tensor, for histograms and for a module that takes the weights over.</summary>
    public IEnumerable<(string Name, Tensor Value)> Split(Tensor flat) => _slots.Select(slot => (slot.Name, slot.Of(flat)));

    /// <summary>Brings the module's gradients into <see cref="Gradients"/>; in float32 they are there already.</summary>
    public void CollectGradients()
    {
        foreach (var slot in _slots)
        {
            if (slot.Computed is not { } computed)
                continue;
            slot.Gradient!.copy_(computed.grad!);
            computed.grad!.zero_();
        }
    }

    /// <summary>Lets the module compute with <see cref="Weights"/>; in float32 it does already.</summary>
    public void PublishWeights()
    {
        using var noGradient = no_grad();
        foreach (var slot in _slots)
            slot.Computed?.detach().copy_(slot.Weight!);
    }

    /// <summary>Puts other weights in the place of <see cref="Weights"/> and gives the old ones back.</summary>
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
        foreach (var slot in _slots)
            slot.Dispose();
    }

    private void Attach(nn.Module module)
    {
        var parameters = module.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter);
        foreach (var slot in _slots)
        {
            var parameter = parameters[slot.Name];
            if (parameter.dtype == ScalarType.Float32)
            {
                parameter.set_(slot.Of(Weights));
                parameter.grad = slot.Of(Gradients);
                continue;
            }
            parameter.grad = zeros_like(parameter);
            slot.Computed = parameter;
            slot.Weight = slot.Of(Weights).DetachFromDisposeScope();
            slot.Gradient = slot.Of(Gradients).DetachFromDisposeScope();
        }
    }

    /// <summary>One parameter's place.</summary>
    private sealed class Slot(string name, long offset, long[] shape) : IDisposable
    {
        public string Name => name;

        public long End => offset + shape.Aggregate(1L, (product, size) => product * size);

        /// <summary>The module's own copy in another number format, or null where it uses the flat tensors themselves.</summary>
        public Tensor? Computed { get; set; }

        public Tensor? Weight { get; set; }

        public Tensor? Gradient { get; set; }

        public Tensor Of(Tensor flat) => flat.narrow(0, offset, End - offset).view(shape);

        public void Dispose()
        {
            Weight?.Dispose();
            Gradient?.Dispose();
        }
    }
}
