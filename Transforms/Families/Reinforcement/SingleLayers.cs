using System.Numerics;
using System.Runtime.InteropServices;

namespace MLExtensions.Families.Reinforcement;

/// <summary>A layer that computes one row, with its activation function.</summary>
internal abstract record SingleLayer(int Inputs, int Outputs)
{
    public Activation Activation { get; init; } = Activation.Identity;

    /// <param name="inputs">At least as many values as there are inputs.</param>
    /// <param name="outputs">Receives the outputs; does not overlap the inputs.</param>
    public void Compute(ReadOnlySpan<float> inputs, Span<float> outputs)
    {
        outputs = outputs[..Outputs];
        ComputeLinear(inputs[..Inputs], outputs);
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

    private protected abstract void ComputeLinear(ReadOnlySpan<float> inputs, Span<float> outputs);
}

/// <summary>A dense layer in host memory, with weights row by row.</summary>
internal sealed unsafe record DenseRow : SingleLayer
{
    private const int Rows = 4;
    private readonly nint _weight;
    private readonly nint _bias;

    public DenseRow(nint weight, nint bias, int inputs, int outputs)
        : base(inputs, outputs) => (_weight, _bias) = (weight, bias);

    public void Multiply(ReadOnlySpan<float> inputs, Span<float> outputs) => ComputeLinear(inputs, outputs);

    private protected override void ComputeLinear(ReadOnlySpan<float> inputs, Span<float> outputs)
    {
        var row = 0;
        for (; row <= Outputs - Rows; row += Rows)
            ComputeRows(inputs, outputs, row);
        for (; row < Outputs; row++)
            outputs[row] = Dot(inputs, row);
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
        outputs[row] = r0 + BiasOf(row);
        outputs[row + 1] = r1 + BiasOf(row + 1);
        outputs[row + 2] = r2 + BiasOf(row + 2);
        outputs[row + 3] = r3 + BiasOf(row + 3);
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

/// <summary>A convolution without padding: at each place of the kernel, a dense layer of what is below it.</summary>
internal sealed record ConvolutionRow : SingleLayer
{
    [ThreadStatic]
    private static float[]? t_patch;

    private readonly DenseRow _filters;
    private readonly LayerShape _input;
    private readonly LayerShape _output;
    private readonly int _kernel;
    private readonly int _stride;

    public ConvolutionRow(nint weight, nint bias, LayerShape input, LayerShape output, ConvolutionLayer layer)
        : base((int)input.Count, (int)output.Count)
    {
        (_input, _output, _kernel, _stride) = (input, output, layer.KernelSize, layer.Stride);
        _filters = new DenseRow(weight, bias, input.Channels * _kernel * _kernel, output.Channels);
    }

    private protected override void ComputeLinear(ReadOnlySpan<float> inputs, Span<float> outputs)
    {
        var size = _filters.Inputs + _filters.Outputs;
        if (t_patch == null || t_patch.Length < size)
            t_patch = new float[size];
        var (plane, place) = (_output.Height * _output.Width, 0);
        var patch = t_patch.AsSpan(0, _filters.Inputs);
        var values = t_patch.AsSpan(_filters.Inputs, _filters.Outputs);
        for (var row = 0; row < _output.Height; row++)
        {
            for (var column = 0; column < _output.Width; column++, place++)
            {
                var to = 0;
                for (var channel = 0; channel < _input.Channels; channel++)
                {
                    for (var line = 0; line < _kernel; line++, to += _kernel)
                        inputs.Slice((((channel * _input.Height) + (row * _stride) + line) * _input.Width) + (column * _stride), _kernel).CopyTo(patch[to..]);
                }
                _filters.Multiply(patch, values);
                for (var filter = 0; filter < values.Length; filter++)
                    outputs[(filter * plane) + place] = values[filter];
            }
        }
    }
}
