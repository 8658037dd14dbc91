using MLExtensions.Families.Rbm;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Rbm;

/// <summary>The estimated gradient against the exact one, by enumeration of all states.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class GradientTests
{
    private const int Visible = 5;
    private const int HiddenCount = 4;
    private const int Rows = 40_000;

    [TestMethod]
    [TestCategory("Floor")]
    public void MoreSteps_ApproachTheExactGradient()
    {
        var errors = new[] { 1, 3, 30 }.Select(steps => Error(steps, chains: null)).ToArray();
        Floor.Below(0.7, errors[1] / errors[0], "3 steps");
        Floor.Below(0.3, errors[2] / errors[0], "30 steps");
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void PersistentChains_ApproachTheExactGradient()
    {
        var first = Error(1, chains: Rows, batches: 1);
        var later = Error(1, chains: Rows, batches: 60);
        Floor.Below(0.15, later / first);
    }

    [TestMethod]
    public void FreeEnergies_GiveTheExactProbabilities()
    {
        torch.set_num_threads(1);
        var machine = new ExactRbm(Visible, HiddenCount, seed: 3, scale: 1.5);
        using var network = machine.ToNetwork();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var energies = TensorMemory.Floats(network.FreeEnergy(ToTensor(machine.States().ToList()))).ToArray();
        var sum = energies.Sum(energy => Math.Exp(-energy));
        foreach (var (energy, probability) in energies.Zip(machine.Probabilities()))
            Assert.AreEqual(probability, Math.Exp(-energy) / sum, 1e-5);
    }

    [TestMethod]
    public void PseudoLogLikelihood_OverAllUnits_IsTheExactOne()
    {
        torch.set_num_threads(1);
        var machine = new ExactRbm(Visible, HiddenCount, seed: 4, scale: 1.5);
        using var network = machine.ToNetwork();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var states = machine.States().ToList();
        var probabilities = machine.Probabilities();
        var rows = ToTensor(states);
        var estimates = Enumerable.Range(0, Visible).Select(unit => TensorMemory.Floats(network.PseudoLogLikelihood(rows, full([states.Count], unit, ScalarType.Int64))).ToArray()).ToArray();
        for (var state = 0; state < states.Count; state++)
        {
            var exact = Enumerable.Range(0, Visible).Sum(unit => Math.Log(probabilities[state] / (probabilities[state] + probabilities[state ^ (1 << unit)])));
            Assert.AreEqual(exact, estimates.Average(unit => unit[state]), 1e-4);
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Draws_HaveTheirProbabilities()
    {
        var draws = new BernoulliDraws((ulong)TestSeed.Of(7));
        var probabilities = Enumerable.Range(0, 11).Select(i => i / 10f).ToArray();
        var counts = new double[11];
        var values = new float[11];
        const int times = 20_000;
        for (var i = 0; i < times; i++)
        {
            draws.Draw(probabilities, values);
            for (var j = 0; j < 11; j++)
                counts[j] += values[j];
        }
        Assert.AreEqual(0, counts[0]);
        Assert.AreEqual(times, counts[10]);
        for (var j = 0; j < 11; j++)
            Floor.Near(probabilities[j], counts[j] / times, 0.02, $"{probabilities[j]:F1}");
    }

    /// <summary>The Euclidean distance of the estimate from the exact gradient.</summary>
    private static double Error(int steps, int? chains, int batches = 1)
    {
        torch.set_num_threads(1);
        var machine = new ExactRbm(Visible, HiddenCount, seed: 1, scale: 1.5);
        var states = DataStates(Rows);
        using var network = machine.ToNetwork();
        using var scope = NewDisposeScope();
        foreach (var parameter in network.parameters())
            parameter.grad = zeros_like(parameter);
        using var noGradient = no_grad();
        using var sampler = new UnitSampler(CPU);
        sampler.Reseed((ulong)TestSeed.Of(5));
        using var divergence = new ContrastiveDivergence(network, sampler, steps, sampleVisible: true, new BatchMeans(null));
        var chain = chains == null ? null : zeros(chains.Value, HiddenCount);
        for (var batch = 0; batch < batches; batch++)
        {
            foreach (var parameter in network.parameters())
                parameter.grad!.zero_();
            divergence.AddGradient(ToTensor(states), chain);
        }
        var estimate = new[] { network.Weight, network.HiddenBias, network.VisibleBias }.SelectMany(parameter => TensorMemory.Floats(parameter.grad!).ToArray()).ToArray();
        return Math.Sqrt(machine.Gradient(states).Zip(estimate, (exact, found) => Math.Pow(exact - found, 2)).Sum());
    }

    /// <summary>Rows of a few states only, unlike what the machine would dream.</summary>
    private static List<int[]> DataStates(int rows)
    {
        int[][] kinds = [[1, 1, 0, 0, 0], [0, 0, 0, 1, 1], [1, 0, 1, 0, 1]];
        return Enumerable.Range(0, rows).Select(row => kinds[row % kinds.Length]).ToList();
    }

    private static Tensor ToTensor(IReadOnlyList<int[]> rows) => tensor(rows.SelectMany(row => row).Select(value => (float)value).ToArray()).view(rows.Count, -1);
}
