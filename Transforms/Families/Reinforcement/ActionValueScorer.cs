using System.Numerics;
using System.Runtime.InteropServices;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Reinforcement;

/// <summary>
/// Computes the action values of single states. An agent acts once per step, and torch takes several times as long to begin as a small network
/// to compute, so dense layers are computed here, on the network's own weights. Networks with other layers, or elsewhere than in host memory,
/// are left to torch. Thread-safe.
/// </summary>
internal sealed unsafe class ActionValueScorer
{
    [ThreadStatic]
    private static float[]? t_buffer;

    private readonly ActionValueArchitecture _architecture;
    private readonly nn.Module<Tensor, Tensor> _module;
    private readonly Device _device;
    private readonly Dense[]? _layers;
    private readonly Dense[]? _value;
    private readonly Dense[]? _advantage;
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
            _widest = ((IEnumerable<Dense>)[.. _layers, .. _value, .. _advantage]).Max(layer => Math.Max(layer.Inputs, layer.Outputs));
    }

    /// <summary>Whether dense layers are computed here.</summary>
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
    private static Span<float> Run(Dense[] layers, Span<float> input, Span<float> next, Span<float> other)
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
        using var mode = inference_mode();
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

    /// <summary>The dense layers with their activation functions; null if there are others.</summary>
    private static Dense[]? Find(IReadOnlyList<PlacedLayer> placed, Dictionary<string, Tensor> weights)
    {
        var found = new List<Dense>();
        foreach (var (layer, input, _, site) in placed)
        {
            switch (layer)
            {
                case DenseLayer when weights[site.Path + ".weight"] is { dtype: ScalarType.Float32 } weight && weight.is_contiguous():
                    var bias = weights.GetValueOrDefault(site.Path + ".bias");
                    found.Add(new Dense(TensorMemory.Pointer<float>(weight), bias is null ? null : TensorMemory.Pointer<float>(bias), (int)input.Count, (int)weight.shape[0]));
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
    }

    /// <summary>A dense layer in host memory, with weights row by row.</summary>
    private sealed record Dense
    {
        private const int Rows = 4;
        private readonly nint _weight;
        private readonly nint _bias;

        public Dense(float* weight, float* bias, int inputs, int outputs) =>
            (_weight, _bias, Inputs, Outputs) = ((nint)weight, (nint)bias, inputs, outputs);

        public int Inputs { get; }

        public int Outputs { get; }

        public Activation Activation { get; init; } = Activation.Identity;

        public void Compute(ReadOnlySpan<float> inputs, Span<float> outputs)
        {
            inputs = inputs[..Inputs];
            outputs = outputs[..Outputs];
            var row = 0;
            for (; row <= Outputs - Rows; row += Rows)
                ComputeRows(inputs, outputs, row);
            for (; row < Outputs; row++)
                outputs[row] = Dot(inputs, row);
            switch (Activation)
            {
                case Activation.ReLU:
                    foreach (ref var value in outputs)
                        value = Math.Max(value, 0);
                    break;
                case Activation.Tanh:
                    foreach (ref var value in outputs)
                        value = MathF.Tanh(value);
                    break;
                case Activation.Sigmoid:
                    foreach (ref var value in outputs)
                        value = 1 / (1 + MathF.Exp(-value));
                    break;
            }
        }

        /// <summary>Several rows at once use each input that was read several times.</summary>
        private void ComputeRows(ReadOnlySpan<float> inputs, Span<float> outputs, int row)
        {
            float* w0 = RowOf(row), w1 = RowOf(row + 1), w2 = RowOf(row + 2), w3 = RowOf(row + 3);
            var vectors = MemoryMarshal.Cast<float, Vector<float>>(inputs);
            Vector<float> s0 = default, s1 = default, s2 = default, s3 = default;
            for (var i = 0; i < vectors.Length; i++)
            {
                var (x, at) = (vectors[i], i * Vector<float>.Count);
                s0 += x * Vector.Load(w0 + at);
                s1 += x * Vector.Load(w1 + at);
                s2 += x * Vector.Load(w2 + at);
                s3 += x * Vector.Load(w3 + at);
            }
            var (r0, r1, r2, r3) = (Vector.Sum(s0), Vector.Sum(s1), Vector.Sum(s2), Vector.Sum(s3));
            for (var i = vectors.Length * Vector<float>.Count; i < inputs.Length; i++)
            {
                r0 += inputs[i] * w0[i];
                r1 += inputs[i] * w1[i];
                r2 += inputs[i] * w2[i];
                r3 += inputs[i] * w3[i];
            }
            (outputs[row], outputs[row + 1]) = (r0 + BiasOf(row), r1 + BiasOf(row + 1));
            (outputs[row + 2], outputs[row + 3]) = (r2 + BiasOf(row + 2), r3 + BiasOf(row + 3));
        }

        private float Dot(ReadOnlySpan<float> inputs, int row)
        {
            var weights = RowOf(row);
            var sum = BiasOf(row);
            for (var i = 0; i < inputs.Length; i++)
                sum += inputs[i] * weights[i];
            return sum;
        }

        private float* RowOf(int row) => (float*)_weight + ((long)row * Inputs);

        private float BiasOf(int row) => _bias == 0 ? 0 : ((float*)_bias)[row];
    }
}
