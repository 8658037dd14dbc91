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

    /// <summary>Processes whole sequences of different lengths, and returns their states, too. Padding is not computed.</summary>
    /// <param name="input"><c>[steps, batch, inputs]</c>, padded at the end.</param>
    /// <param name="lengths">The lengths, at least 1, in descending order; the first one is the number of steps.</param>
    /// <returns>
    /// The outputs <c>[steps, batch, outputs]</c>, with zeros after the end of a sequence, and the states at the ends, each <c>[1, batch, hidden
    /// units]</c>: layer after layer, and in each of them direction after direction.
    /// </returns>
    public (Tensor Output, Tensor[] State) Run(Tensor input, ReadOnlySpan<int> lengths)
    {
        var size = _description.StatesPerLayer;
        var states = new Tensor[_forward.Length * _description.Directions * size];
        using var mirror = _description.Bidirectional ? Mirror(lengths[0], tensor(Array.ConvertAll(lengths.ToArray(), length => (long)length), ScalarType.Int64, input.device)) : null;
        for (var layer = 0; layer < _forward.Length; layer++)
        {
            if (layer > 0 && _dropout != null)
                input = _dropout.call(input);
            var first = layer * _description.Directions * size;
            var ahead = RunToEnds(_forward[layer], input, lengths, states.AsSpan(first, size));
            if (mirror is null)
                input = ahead;
            else
                input = cat([ahead, Reverse(RunToEnds(_backward[layer], Reverse(input, mirror), lengths, states.AsSpan(first + size, size)), mirror)], 2);
        }
        return (input, states);
    }

    /// <summary>Processes one layer and direction in pieces, each of them without the sequences that have ended before.</summary>
    private static Tensor RunToEnds(nn.Module layer, Tensor input, ReadOnlySpan<int> lengths, Span<Tensor> ends)
    {
        var outputs = new List<Tensor>();
        var ended = new List<Tensor[]>();
        var (batch, going, at) = (lengths.Length, lengths.Length, 0);
        var state = Array.Empty<Tensor>();
        while (going > 0)
        {
            var steps = lengths[going - 1] - at;
            var piece = input.narrow(0, at, steps);
            var next = new Tensor[ends.Length];
            var output = Step(layer, going == batch ? piece : piece.narrow(1, 0, going).contiguous(), state, next);
            at += steps;
            outputs.Add(going == batch ? output : cat([output, zeros([steps, batch - going, output.shape[2]], output.dtype, output.device)], 1));
            var left = going;
            while (left > 0 && lengths[left - 1] == at)
                left--;
            ended.Add(Array.ConvertAll(next, part => part.narrow(1, left, going - left)));
            state = Array.ConvertAll(next, part => part.narrow(1, 0, left).contiguous());
            going = left;
        }
        ended.Reverse(); // the longest ended last
        for (var part = 0; part < ends.Length; part++)
            ends[part] = ended.Count == 1 ? ended[0][part] : cat(ended.Select(states => states[part]).ToArray(), 1);
        return outputs.Count == 1 ? outputs[0] : cat(outputs.ToArray());
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
