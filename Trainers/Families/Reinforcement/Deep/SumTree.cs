using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Families.Reinforcement;

/// <summary>
/// Draws places with probabilities in proportion to their priorities, in logarithmic time. Each inner node is the sum of the two below, always
/// computed anew, so that the same leaves give the same bits.
/// </summary>
internal sealed class SumTree : IDisposable
{
    private readonly HostTensor<float> _values;
    private readonly double[] _sums;
    private readonly int _capacity;
    private readonly int _width;

    public SumTree(int capacity)
    {
        _capacity = capacity;
        _width = 1;
        while (_width < capacity)
            _width *= 2;
        _values = new HostTensor<float>(capacity);
        _sums = new double[_width];
    }

    /// <summary>The priorities, for checkpoints; <see cref="Rebuild"/> after they were loaded.</summary>
    public Tensor Leaves => _values.Tensor;

    public double Total => _width == 1 ? _values[0] : _sums[1];

    /// <summary>The bytes of a tree.</summary>
    public static double Bytes(double capacity) => capacity * (sizeof(float) + (2.0 * sizeof(double)));

    public float this[int place]
    {
        get => _values[place];
        set
        {
            _values[place] = value;
            for (var node = (_width + place) / 2; node >= 1; node /= 2)
                _sums[node] = Below(2 * node) + Below((2 * node) + 1);
        }
    }

    /// <summary>The place where the sum of all priorities up to it exceeds a number.</summary>
    /// <param name="sum">The number, from 0 to <see cref="Total"/>.</param>
    public int Find(double sum)
    {
        var node = 1;
        while (node < _width)
        {
            node *= 2;
            var left = Below(node);
            // Rounding must not lead to where there is nothing.
            if (sum < left || Below(node + 1) <= 0)
                continue;
            sum -= left;
            node++;
        }
        return Math.Min(node - _width, _capacity - 1);
    }

    public void Rebuild()
    {
        for (var node = _width - 1; node >= 1; node--)
            _sums[node] = Below(2 * node) + Below((2 * node) + 1);
    }

    public void Dispose() => _values.Dispose();

    private double Below(int node) => node < _width ? _sums[node] : node - _width < _capacity ? _values[node - _width] : 0;
}
