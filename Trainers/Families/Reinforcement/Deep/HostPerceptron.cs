using System.Numerics;
using System.Runtime.InteropServices;
using MLExtensions.Engine;
using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace MLExtensions.Families.Reinforcement;

/// <summary>
/// A small perceptron in training, computed in managed code on the weights and gradients of the network itself: a training step takes about
/// a third of the time that libtorch needs for its many small operations. Values lie feature by feature, <c>[features, rows]</c>, so that a
/// register holds the rows of a batch.
/// </summary>
internal sealed unsafe class HostPerceptron : ActionValues
{
    // Where products take longer, libtorch shares them among threads.
    private const int MostUnits = 512;
    private const int MostRows = 128;

    private readonly ActionValueArchitecture _architecture;
    private readonly int _rows;
    private readonly Layer[] _layers;
    private readonly Values _input;

    private HostPerceptron(TrainedNetwork network, ActionValueArchitecture architecture, List<(PlacedLayer Dense, Activation Activation)> layers, int rows)
    {
        (_architecture, _rows) = (architecture, rows);
        using var scope = NewDisposeScope();
        var weights = network.Parameters.Split(network.Parameters.Weights).ToDictionary();
        var gradients = network.Parameters.Split(network.Parameters.Gradients).ToDictionary();
        _layers = new Layer[layers.Count];
        var values = _input = new Values(architecture.StateCount ?? architecture.InputCount, rows);
        for (var i = 0; i < _layers.Length; i++)
        {
            var (dense, activation) = layers[i];
            _layers[i] = new Layer(Matrix(weights, dense), Bias(weights, dense), Matrix(gradients, dense), Bias(gradients, dense), activation, values, rows);
            values = _layers[i].Outputs;
        }

        static StridedMatrix Matrix(Dictionary<string, Tensor> of, in PlacedLayer dense) =>
            new(TensorMemory.Pointer<float>(of[dense.Site.Path + ".weight"]), (int)dense.Output.Count, (int)dense.Input.Count, dense.Input.Count);

        static nint Bias(Dictionary<string, Tensor> of, in PlacedLayer dense) =>
            of.TryGetValue(dense.Site.Path + ".bias", out var bias) ? (nint)TensorMemory.Pointer<float>(bias) : 0;
    }

    /// <summary>Returns the perceptron of a network; null if it is another kind of network, or so large that libtorch may be faster.</summary>
    /// <param name="network">The network, which must live as long as this object is used.</param>
    /// <param name="rows">The rows of each batch.</param>
    /// <param name="precision">The precision that it is trained in.</param>
    public static HostPerceptron? Find(TrainedNetwork network, int rows, Precision precision)
    {
        var architecture = (ActionValueArchitecture)network.Architecture;
        var fits = network.Device.type == DeviceType.CPU && precision != Precision.BFloat16 && rows <= MostRows
            && !architecture.IsDueling && network.Parameters.Frozen.Weights.Count == 0;
        return fits && DenseLayers(architecture.PlacedLayers) is { Count: > 0 } layers ? new HostPerceptron(network, architecture, layers, rows) : null;
    }

    public override void Compute(HostTensor<float> states, Span<float> values)
    {
        Enter(states);
        foreach (var layer in _layers)
            layer.Forward();
        _layers[^1].Outputs.CopyRows(values);
    }

    public override void Backward(HostTensor<float> gradients)
    {
        _layers[^1].Outputs.SetGradients(gradients.Values);
        for (var layer = _layers.Length - 1; layer >= 0; layer--)
            _layers[layer].Backward(isFirst: layer == 0);
    }

    public override void Dispose()
    {
        _input.Dispose();
        foreach (var layer in _layers)
            layer.Outputs.Dispose();
    }

    /// <summary>The dense layers with what follows each; null if there are other layers, or too large ones.</summary>
    private static List<(PlacedLayer Dense, Activation Activation)>? DenseLayers(IReadOnlyList<PlacedLayer> placed)
    {
        var found = new List<(PlacedLayer Dense, Activation Activation)>();
        foreach (var layer in placed)
        {
            switch (layer.Layer)
            {
                case DenseLayer when layer.Input.Count <= MostUnits && layer.Output.Count <= MostUnits:
                    found.Add((layer, Activation.Identity));
                    break;
                case ActivationLayer { Activation: Activation.ReLU or Activation.Tanh or Activation.Sigmoid } activation when found is [.., (_, Activation.Identity)]:
                    found[^1] = (found[^1].Dense, activation.Activation);
                    break;
                case FlattenLayer or ActivationLayer { Activation: Activation.Identity }:
                    break;
                default:
                    return null;
            }
        }
        return found;
    }

    /// <summary>The input of the first layer, as the module makes it of states.</summary>
    private void Enter(HostTensor<float> states)
    {
        var width = _architecture.InputCount;
        var divisor = (float)_architecture.InputDivisor;
        for (var row = 0; row < _rows; row++)
        {
            var state = states.Slice((long)row * width, width);
            var input = _input.Rows.Row(row);
            if (_architecture.StateCount != null)
            {
                input.Clear();
                input[(int)state[0] - _architecture.FirstState] = 1;
            }
            else
                state.CopyTo(input);
            if (divisor != 1)
                TensorPrimitives.Divide(input, divisor, input);
        }
        _input.TurnRows();
    }

    /// <summary>What is between two layers: values and their gradients, feature by feature, and values row by row.</summary>
    private sealed class Values : IDisposable
    {
        private readonly int _rows;
        private readonly HostTensor<float> _features;
        private readonly HostTensor<float> _gradients;
        private readonly HostTensor<float> _byRow;

        public Values(int count, int rows)
        {
            // An odd number of cache lines from row to row: otherwise all rows would meet in a few places of the cache.
            var (width, height) = (Padded(rows), Padded(count));
            (_features, _gradients, _byRow) = (new HostTensor<float>(count, width), new HostTensor<float>(count, width), new HostTensor<float>(rows, height));
            _rows = rows;
            Features = new StridedMatrix(_features.Address, count, rows, width);
            Gradients = new StridedMatrix(_gradients.Address, count, rows, width);
            Rows = new StridedMatrix(_byRow.Address, rows, count, height);
        }

        public StridedMatrix Features { get; }

        public StridedMatrix Gradients { get; }

        public StridedMatrix Rows { get; }

        /// <summary>Writes <see cref="Rows"/> to <see cref="Features"/>.</summary>
        public void TurnRows() => Turn(Rows, Features);

        /// <summary>Writes <see cref="Features"/> to <see cref="Rows"/>.</summary>
        public void TurnFeatures() => Turn(Features, Rows);

        public void CopyRows(Span<float> destination)
        {
            fixed (float* to = destination)
                Turn(Features, new StridedMatrix(to, _rows, Features.Rows, Features.Rows));
        }

        public void SetGradients(ReadOnlySpan<float> gradients)
        {
            fixed (float* from = gradients)
                Turn(new StridedMatrix(from, _rows, Features.Rows, Features.Rows), Gradients);
        }

        public void Dispose()
        {
            _features.Dispose();
            _gradients.Dispose();
            _byRow.Dispose();
        }

        private static long Padded(int count)
        {
            const int Line = 16;
            var groups = (count + MatrixProduct.Group - 1) / MatrixProduct.Group * MatrixProduct.Group;
            return groups + (groups / Line % 2 == 0 ? Line : 0);
        }

        private static void Turn(in StridedMatrix from, in StridedMatrix to)
        {
            for (var row = 0; row < to.Rows; row++)
            {
                float* source = from.At(0, row), target = to.At(row, 0);
                for (var column = 0; column < to.Columns; column++, source += from.RowStride)
                    target[column] = *source;
            }
        }
    }

    /// <summary>A dense layer with its activation function.</summary>
    private sealed class Layer(StridedMatrix weights, nint biases, StridedMatrix weightGradients, nint biasGradients, Activation activation, Values inputs, int rows)
    {
        public Values Outputs { get; } = new(weights.Rows, rows);

        public void Forward()
        {
            MatrixProduct.Compute(weights, inputs.Features, Outputs.Features, (float*)biases);
            for (var unit = 0; unit < weights.Rows; unit++)
            {
                var values = Outputs.Features.Row(unit);
                switch (activation)
                {
                    case Activation.ReLU:
                        TensorPrimitives.Max(values, 0, values);
                        break;
                    case Activation.Tanh:
                        TensorPrimitives.Tanh(values, values);
                        break;
                    case Activation.Sigmoid:
                        TensorPrimitives.Sigmoid(values, values);
                        break;
                }
            }
        }

        /// <summary>Gradients of the outputs become those of weights, biases and inputs.</summary>
        public void Backward(bool isFirst)
        {
            for (var unit = 0; unit < weights.Rows; unit++)
            {
                var gradients = Outputs.Gradients.Row(unit);
                PassActivation(Outputs.Features.Row(unit), gradients);
                if (biases != 0)
                    ((float*)biasGradients)[unit] = TensorPrimitives.Sum<float>(gradients);
            }
            if (!isFirst)
            {
                inputs.TurnFeatures();
                MatrixProduct.Compute(weights.Transposed, Outputs.Gradients, inputs.Gradients);
            }
            MatrixProduct.Compute(Outputs.Gradients, inputs.Rows, weightGradients);
        }

        private void PassActivation(ReadOnlySpan<float> outputs, Span<float> gradients)
        {
            switch (activation)
            {
                case Activation.ReLU:
                    KeepWherePositive(outputs, gradients);
                    break;
                case Activation.Tanh:
                    for (var i = 0; i < gradients.Length; i++)
                        gradients[i] *= 1 - (outputs[i] * outputs[i]);
                    break;
                case Activation.Sigmoid:
                    for (var i = 0; i < gradients.Length; i++)
                        gradients[i] *= outputs[i] * (1 - outputs[i]);
                    break;
            }
        }

        private static void KeepWherePositive(ReadOnlySpan<float> outputs, Span<float> gradients)
        {
            var values = MemoryMarshal.Cast<float, Vector<float>>(outputs);
            var kept = MemoryMarshal.Cast<float, Vector<float>>(gradients);
            for (var i = 0; i < kept.Length; i++)
                kept[i] = Vector.ConditionalSelect(Vector.GreaterThan(values[i], Vector<float>.Zero), kept[i], Vector<float>.Zero);
            for (var i = kept.Length * Vector<float>.Count; i < gradients.Length; i++)
                gradients[i] = outputs[i] > 0 ? gradients[i] : 0;
        }
    }
}
