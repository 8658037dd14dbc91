using System.Numerics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MLExtensions.Families.LanguageModels;

/// <summary>One time step of one recurrent layer in managed code, with the formulas and gate order of libtorch.</summary>
/// <remarks>Vectors are padded with zeros, and the padding stays zero. Immutable.</remarks>
internal abstract class ManagedCell
{
    private readonly PaddedMatrix _input;
    private readonly PaddedMatrix _hidden;
    private readonly float[] _inputBias;
    private readonly float[] _hiddenBias;

    private ManagedCell(IReadOnlyDictionary<string, Tensor> weights, string prefix, int gates)
    {
        _input = PaddedMatrix.Of(weights[prefix + "weight_ih_l0"], gates);
        _hidden = PaddedMatrix.Of(weights[prefix + "weight_hh_l0"], gates);
        _inputBias = PaddedMatrix.PadVector(weights[prefix + "bias_ih_l0"], gates);
        _hiddenBias = PaddedMatrix.PadVector(weights[prefix + "bias_hh_l0"], gates);
    }

    /// <summary>The number of hidden units including padding.</summary>
    public int Width => _hidden.Columns;

    /// <summary>The number of values of the state; the first <see cref="Width"/> of them are the outputs.</summary>
    public abstract int StateSize { get; }

    /// <summary>The number of temporary values that a step of one sequence needs.</summary>
    public int ScratchSize => 2 * _hidden.Rows;

    public static ManagedCell Create(RecurrentCell cell, IReadOnlyDictionary<string, Tensor> weights, string prefix) => cell switch
    {
        RecurrentCell.Lstm => new Lstm(weights, prefix),
        RecurrentCell.Gru => new Gru(weights, prefix),
        _ => new Rnn(weights, prefix),
    };

    /// <summary>Computes a time step of several sequences; each as if it were alone.</summary>
    /// <param name="inputs">The inputs of the layer, one after the other.</param>
    /// <param name="stride">The distance from one of them to the next.</param>
    /// <param name="states">The states before the step, one after the other; afterwards the states after it.</param>
    /// <param name="scratch">At least <see cref="ScratchSize"/> values per sequence.</param>
    /// <param name="count">The number of sequences.</param>
    public void Step(ReadOnlySpan<float> inputs, int stride, Span<float> states, Span<float> scratch, int count = 1)
    {
        var rows = _hidden.Rows;
        var ofInput = scratch[..(count * rows)];
        var ofHidden = scratch.Slice(count * rows, count * rows);
        for (var i = 0; i < count; i++)
        {
            _inputBias.CopyTo(ofInput[(i * rows)..]);
            _hiddenBias.CopyTo(ofHidden[(i * rows)..]);
        }
        _input.AddProducts(inputs, stride, ofInput, count);
        _hidden.AddProducts(states, StateSize, ofHidden, count);
        for (var i = 0; i < count; i++)
            Combine(MemoryMarshal.Cast<float, Vector<float>>(ofInput.Slice(i * rows, rows)), MemoryMarshal.Cast<float, Vector<float>>(ofHidden.Slice(i * rows, rows)), MemoryMarshal.Cast<float, Vector<float>>(states.Slice(i * StateSize, StateSize)));
    }

    /// <summary>Computes the next state from what the input and the hidden values add to each gate.</summary>
    private protected abstract void Combine(ReadOnlySpan<Vector<float>> ofInput, ReadOnlySpan<Vector<float>> ofHidden, Span<Vector<float>> state);

    private static Vector<float> Sigmoid(Vector<float> x) => Vector<float>.One / (Vector<float>.One + Vector.Exp(-x));

    private static Vector<float> Tanh(Vector<float> x) => (2 * Sigmoid(2 * x)) - Vector<float>.One;

    private sealed class Lstm(IReadOnlyDictionary<string, Tensor> weights, string prefix) : ManagedCell(weights, prefix, RecurrentLayers.GatesOf(RecurrentCell.Lstm))
    {
        public override int StateSize => 2 * Width;

        private protected override void Combine(ReadOnlySpan<Vector<float>> ofInput, ReadOnlySpan<Vector<float>> ofHidden, Span<Vector<float>> state)
        {
            var size = state.Length / 2;
            for (var i = 0; i < size; i++)
            {
                var input = Sigmoid(ofInput[i] + ofHidden[i]);
                var forget = Sigmoid(ofInput[size + i] + ofHidden[size + i]);
                var candidate = Tanh(ofInput[(2 * size) + i] + ofHidden[(2 * size) + i]);
                var output = Sigmoid(ofInput[(3 * size) + i] + ofHidden[(3 * size) + i]);
                var cell = (forget * state[size + i]) + (input * candidate);
                state[i] = output * Tanh(cell);
                state[size + i] = cell;
            }
        }
    }

    private sealed class Gru(IReadOnlyDictionary<string, Tensor> weights, string prefix) : ManagedCell(weights, prefix, RecurrentLayers.GatesOf(RecurrentCell.Gru))
    {
        public override int StateSize => Width;

        private protected override void Combine(ReadOnlySpan<Vector<float>> ofInput, ReadOnlySpan<Vector<float>> ofHidden, Span<Vector<float>> state)
        {
            var size = state.Length;
            for (var i = 0; i < size; i++)
            {
                var reset = Sigmoid(ofInput[i] + ofHidden[i]);
                var update = Sigmoid(ofInput[size + i] + ofHidden[size + i]);
                var candidate = Tanh(ofInput[(2 * size) + i] + (reset * ofHidden[(2 * size) + i]));
                state[i] = candidate + (update * (state[i] - candidate));
            }
        }
    }

    private sealed class Rnn(IReadOnlyDictionary<string, Tensor> weights, string prefix) : ManagedCell(weights, prefix, RecurrentLayers.GatesOf(RecurrentCell.Rnn))
    {
        public override int StateSize => Width;

        private protected override void Combine(ReadOnlySpan<Vector<float>> ofInput, ReadOnlySpan<Vector<float>> ofHidden, Span<Vector<float>> state)
        {
            for (var i = 0; i < state.Length; i++)
                state[i] = Tanh(ofInput[i] + ofHidden[i]);
        }
    }
}
