using MLExtensions.Families.Rbm;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Rbm;

/// <summary>A tiny machine of Bernoulli units whose every state is counted: the exact gradient, in double precision and without any code of ours.</summary>
internal sealed class ExactRbm
{
    private readonly double[,] _weight;
    private readonly double[] _hiddenBias;
    private readonly double[] _visibleBias;

    public ExactRbm(int visible, int hidden, int seed, double scale)
    {
        var random = new Random(seed);
        double Draw() => scale * ((2 * random.NextDouble()) - 1);
        _weight = new double[hidden, visible];
        _hiddenBias = new double[hidden];
        _visibleBias = new double[visible];
        for (var h = 0; h < hidden; h++)
        {
            _hiddenBias[h] = Draw();
            for (var v = 0; v < visible; v++)
                _weight[h, v] = Draw();
        }
        for (var v = 0; v < visible; v++)
            _visibleBias[v] = Draw();
    }

    public int Visible => _visibleBias.Length;

    public int Hidden => _hiddenBias.Length;

    /// <summary>The same machine as a network.</summary>
    public RbmNetwork ToNetwork()
    {
        var network = new RbmNetwork(new RbmArchitecture { InputCount = Visible, OutputCount = Hidden, VisibleUnits = VisibleUnitType.Bernoulli, HiddenUnits = HiddenUnitType.Bernoulli });
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        network.Weight.copy_(tensor(_weight.Cast<double>().Select(value => (float)value).ToArray()).view(Hidden, Visible));
        network.HiddenBias.copy_(tensor(_hiddenBias.Select(value => (float)value).ToArray()));
        network.VisibleBias.copy_(tensor(_visibleBias.Select(value => (float)value).ToArray()));
        return network;
    }

    /// <summary>The probability of a visible state, by the sum over all states of both layers.</summary>
    public double[] Probabilities()
    {
        var energies = States().Select(visible => UnnormalizedLogProbability(visible)).ToArray();
        var greatest = energies.Max();
        var sum = energies.Sum(energy => Math.Exp(energy - greatest));
        return energies.Select(energy => Math.Exp(energy - greatest) / sum).ToArray();
    }

    /// <summary>The gradient of the mean negative log-likelihood of rows: weights row by row, hidden biases, visible biases.</summary>
    public double[] Gradient(IReadOnlyList<int[]> rows)
    {
        var gradient = new double[(Hidden * Visible) + Hidden + Visible];
        foreach (var row in rows)
            Add(gradient, row, -1.0 / rows.Count);
        foreach (var (state, probability) in States().Zip(Probabilities()))
            Add(gradient, state, probability);
        return gradient;
    }

    public IEnumerable<int[]> States() =>
        Enumerable.Range(0, 1 << Visible).Select(bits => Enumerable.Range(0, Visible).Select(v => (bits >> v) & 1).ToArray());

    private double Input(int hidden, int[] visible) => _hiddenBias[hidden] + Enumerable.Range(0, Visible).Sum(v => _weight[hidden, v] * visible[v]);

    private double UnnormalizedLogProbability(int[] visible) =>
        Enumerable.Range(0, Visible).Sum(v => _visibleBias[v] * visible[v]) + Enumerable.Range(0, Hidden).Sum(h => Math.Log(1 + Math.Exp(Input(h, visible))));

    private void Add(double[] gradient, int[] visible, double factor)
    {
        for (var h = 0; h < Hidden; h++)
        {
            var on = 1 / (1 + Math.Exp(-Input(h, visible)));
            gradient[(Hidden * Visible) + h] += factor * on;
            for (var v = 0; v < Visible; v++)
                gradient[(h * Visible) + v] += factor * on * visible[v];
        }
        for (var v = 0; v < Visible; v++)
            gradient[(Hidden * Visible) + Hidden + v] += factor * visible[v];
    }
}
