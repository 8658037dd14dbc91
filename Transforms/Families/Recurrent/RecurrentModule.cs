using MLExtensions.Networks;
using MLExtensions.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Families.Recurrent;

/// <summary>
/// The module of <see cref="RecurrentLayers"/>. Each layer and direction is a separate libtorch layer, named by the number of the layer,
/// because dropout between them uses our generator, and a reversed sequence must start at its own end, not at the padding.
/// </summary>
internal sealed class RecurrentModule : nn.Module
{
    private readonly RecurrentLayers _description;
    private readonly nn.Module[] _forward;
    private readonly nn.Module[] _backward;
    private readonly SeededDropout? _dropout;

    public RecurrentModule(RecurrentLayers description, int inputs)
        : base(nameof(RecurrentModule))
    {
        _description = description;
        _forward = new nn.Module[description.NumberOfLayers];
        _backward = new nn.Module[description.Bidirectional ? description.NumberOfLayers : 0];
        for (var layer = 0; layer < description.NumberOfLayers; layer++)
        {
            _forward[layer] = Add(FormattableString.Invariant($"{layer}"), inputs);
            if (description.Bidirectional)
                _backward[layer] = Add(FormattableString.Invariant($"{layer}_reverse"), inputs);
            inputs = description.OutputCount;
        }
        if (description.Dropout > 0 && description.NumberOfLayers > 1)
        {
            _dropout = new SeededDropout(description.Dropout);
            register_module("dropout", _dropout);
        }
    }

    /// <summary>Processes a part of endless sequences.</summary>
    /// <param name="input"><c>[steps, batch, inputs]</c>.</param>
    /// <param name="state">The state after the previous part, or null for zeros.</param>
    /// <returns>The outputs of the last layer <c>[steps, batch, hidden units]</c>, and the state after the part.</returns>
    public (Tensor Output, Tensor[] State) Run(Tensor input, Tensor[]? state)
    {
        var size = _description.StatesPerLayer;
        var next = new Tensor[size * _forward.Length];
        for (var layer = 0; layer < _forward.Length; layer++)
        {
            if (layer > 0 && _dropout != null)
                input = _dropout.call(input);
            input = Step(_forward[layer], input, state.AsSpan(Math.Min(state?.Length ?? 0, layer * size)), next.AsSpan(layer * size, size));
        }
        return (input, next);
    }

    /// <summary>Processes whole sequences of different lengths. The outputs of a sequence do not depend on the padding after it.</summary>
    /// <param name="input"><c>[steps, batch, inputs]</c>, padded at the end.</param>
    /// <param name="lengths"><c>[batch]</c>, int64.</param>
    /// <returns><c>[steps, batch, outputs]</c>; values after the end of a sequence are undefined.</returns>
    public Tensor Run(Tensor input, Tensor lengths)
    {
        if (!_description.Bidirectional)
            return Run(input, (Tensor[]?)null).Output;
        var mirror = Mirror(input.shape[0], lengths);
        for (var layer = 0; layer < _forward.Length; layer++)
        {
            if (layer > 0 && _dropout != null)
                input = _dropout.call(input);
            var ahead = Step(_forward[layer], input, default, new Tensor[_description.StatesPerLayer]);
            var back = Step(_backward[layer], Reverse(input, mirror), default, new Tensor[_description.StatesPerLayer]);
            input = cat([ahead, Reverse(back, mirror)], 2);
        }
        return input;
    }

    private nn.Module Add(string name, int inputs)
    {
        var layer = Layers.Recurrent(_description.Cell, inputs, _description.HiddenUnits);
        register_module(name, layer);
        return layer;
    }

    private static Tensor Step(nn.Module layer, Tensor input, ReadOnlySpan<Tensor> state, Span<Tensor> next)
    {
        Tensor output;
        switch (layer)
        {
            case LSTM lstm:
                (output, next[0], next[1]) = lstm.call(input, state.IsEmpty ? null : (state[0], state[1]));
                return output;
            case GRU gru:
                (output, next[0]) = gru.call(input, state.IsEmpty ? null! : state[0]);
                return output;
            default:
                (output, next[0]) = ((RNN)layer).call(input, state.IsEmpty ? null : state[0]);
                return output;
        }
    }

    /// <summary>The source of each time step of a reversed sequence; padding is not moved. The map is its own inverse.</summary>
    private static Tensor Mirror(long steps, Tensor lengths)
    {
        var step = arange(Number.Zero, Number.Of(steps), Number.One, dtype: ScalarType.Int64, device: lengths.device).unsqueeze(1);
        var mirrored = lengths.unsqueeze(0).sub(Number.One) - step;
        return where(mirrored.ge(Number.Zero), mirrored, step).unsqueeze(2);
    }

    private static Tensor Reverse(Tensor sequence, Tensor mirror) => sequence.gather(0, mirror.expand(-1, -1, sequence.shape[2]));
}
