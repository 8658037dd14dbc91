using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Reinforcement;

/// <summary>
/// Computes the action values of single states. An agent acts once per step, and torch takes several times as long to begin as a small network
/// to compute, so dense layers and convolutions are computed here, on the network's own weights. Networks with other layers, or elsewhere than
/// in host memory, are left to torch. Thread-safe.
/// </summary>
internal sealed unsafe class ActionValueScorer
{
    [ThreadStatic]
    private static float[]? t_buffer;

    private readonly ActionValueArchitecture _architecture;
    private readonly nn.Module<Tensor, Tensor> _module;
    private readonly Device _device;
    private readonly SingleLayer[]? _layers;
    private readonly SingleLayer[]? _value;
    private readonly SingleLayer[]? _advantage;
    private readonly int _widest;

    /// <param name="architecture">The architecture.</param>
    /// <param name="module">Its module, which must live as long as this object is used. Its weights may change in place.</param>
    /// <param name="device">Where it is.</param>
    public ActionValueScorer(ActionValueArchitecture architecture, nn.Module<Tensor, Tensor> module, Device device)
    {
        (_architecture, _module, _device) = (architecture, module, device);
        if (device.type != DeviceType.CPU)
            return;
        var weights = module.state_dict();
        _layers = Find(architecture.PlacedLayers, weights);
        _value = Find(architecture.PlacedValue, weights);
        _advantage = Find(architecture.PlacedAdvantage, weights);
        if (_layers == null || _value == null || _advantage == null)
            _layers = null;
        else
            _widest = ((IEnumerable<SingleLayer>)[.. _layers, .. _value, .. _advantage]).Max(layer => Math.Max(layer.Inputs, layer.Outputs));
    }

    /// <summary>Whether layers are computed here.</summary>
    public bool IsManaged => _layers != null;

    /// <summary>Computes the values of a state.</summary>
    /// <param name="state">As many values as the network has inputs, all of them valid.</param>
    /// <param name="values">Receives a value for each action.</param>
    public void Score(ReadOnlySpan<float> state, Span<float> values)
    {
        if (_layers == null)
        {
            ScoreByTorch(state, values);
            return;
        }
        if (t_buffer == null || t_buffer.Length < 3 * _widest)
            t_buffer = new float[3 * _widest];
        var first = t_buffer.AsSpan(0, _widest);
        var second = t_buffer.AsSpan(_widest, _widest);
        var third = t_buffer.AsSpan(2 * _widest, _widest);
        var shared = Run(_layers, Enter(state, first), second, first);
        if (_advantage!.Length == 0)
        {
            shared[..values.Length].CopyTo(values);
            return;
        }
        // What the layers have left must stay for the other stream.
        var free = shared.Overlaps(first) ? second : first;
        var advantage = Run(_advantage, shared, third, free);
        advantage[..values.Length].CopyTo(values);
        var value = Run(_value!, shared, third, free)[0];
        var mean = 0f;
        foreach (var each in values)
            mean += each;
        mean /= values.Length;
        foreach (ref var each in values)
            each += value - mean;
    }

    /// <summary>The input of the first layer.</summary>
    private Span<float> Enter(ReadOnlySpan<float> state, Span<float> destination)
    {
        if (_architecture.StateCount is { } states)
        {
            destination[..states].Clear();
            destination[(int)state[0] - _architecture.FirstState] = 1;
            return destination;
        }
        state.CopyTo(destination);
        if (_architecture.InputDivisor == 1)
            return destination;
        var divisor = (float)_architecture.InputDivisor;
        foreach (ref var value in destination[..state.Length])
            value /= divisor;
        return destination;
    }

    /// <summary>Runs layers, whose results go to and fro between two buffers.</summary>
    private static Span<float> Run(SingleLayer[] layers, Span<float> input, Span<float> next, Span<float> other)
    {
        foreach (var layer in layers)
        {
            layer.Compute(input, next);
            input = next;
            next = other;
            other = input;
        }
        return input;
    }

    private void ScoreByTorch(ReadOnlySpan<float> state, Span<float> values)
    {
        using var mode = TorchState.Infer();
        using var scope = NewDisposeScope();
        using var threads = TorchThreads.Use(TorchThreads.CountFor(_architecture.MultiplyAdds));
        var row = zeros([1, state.Length], ScalarType.Float32, CPU);
        state.CopyTo(TensorMemory.Floats(row));
        var isTraining = _module.training;
        if (isTraining)
            _module.eval();
        var type = _module.parameters().First().dtype;
        TensorMemory.Floats(_module.call(row.to(_device).to(type)).to(ScalarType.Float32).cpu().contiguous()).CopyTo(values);
        if (isTraining)
            _module.train();
    }

    /// <summary>The layers with their activation functions; null if there are others.</summary>
    private static SingleLayer[]? Find(IReadOnlyList<PlacedLayer> placed, Dictionary<string, Tensor> weights)
    {
        var found = new List<SingleLayer>();
        foreach (var (layer, input, output, site) in placed)
        {
            switch (layer)
            {
                case DenseLayer when weights[site.Path + ".weight"] is { dtype: ScalarType.Float32 } weight && weight.is_contiguous():
                    found.Add(new DenseRow(PointerTo(weight), BiasOf(site), (int)input.Count, (int)weight.shape[0]));
                    break;
                case ConvolutionLayer { Padding: 0, Dilation: 1, Groups: 1 } convolution when weights[site.Path + ".weight"] is { dtype: ScalarType.Float32 } weight && weight.is_contiguous():
                    found.Add(new ConvolutionRow(PointerTo(weight), BiasOf(site), input, output, convolution));
                    break;
                case ActivationLayer { Slope: null, Activation: Activation.ReLU or Activation.Tanh or Activation.Sigmoid } activation when found is [.., { Activation: Activation.Identity }]:
                    found[^1] = found[^1] with { Activation = activation.Activation };
                    break;
                case FlattenLayer or DropoutLayer or ActivationLayer { Activation: Activation.Identity }:
                    break;
                default:
                    return null;
            }
        }
        return [.. found];

        static nint PointerTo(Tensor tensor) => (nint)TensorMemory.Pointer<float>(tensor);

        nint BiasOf(LayerSite site) => weights.TryGetValue(site.Path + ".bias", out var bias) ? PointerTo(bias) : 0;
    }
}
