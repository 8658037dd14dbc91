using MLExtensions.Families.HiddenMarkov;

namespace MLExtensions.Tests.HiddenMarkov;

/// <summary>Likelihoods, posteriors and paths against published values and against all paths.</summary>
[TestClass]
public sealed class RecursionTests
{
    // Blocks of one, two and three observations, and one for all.
    private static readonly int[] Blocks = [1, 4, 7, 1 << 16];

    private static IEnumerable<(HiddenMarkovParameters Model, int[] Symbols, double LogLikelihood, string Path, double LogPath)> Published =>
    [
        (MarkovSample.Umbrella, [0, 0, 1, 0, 0], -3.3725, "00100", -4.4590),
        (MarkovSample.Weather, [0, 1, 2], Math.Log(0.033612), "100", Math.Log(0.01344)),
        (MarkovSample.Dice(loaded: false), MarkovSample.Throws.Select(side => side - 1).ToArray(), -20.440622309557284, "0101020100", -26.758609002764445),
        (MarkovSample.Dice(loaded: true), MarkovSample.Throws.Select(side => side - 1).ToArray(), -20.84856307002556, "1111121111", -23.442610044667376),
    ];

    [TestMethod]
    public void LikelihoodAndPath_ArePublishedOnes()
    {
        foreach (var (model, symbols, logLikelihood, path, logPath) in Published)
        {
            // The umbrella's were printed with four digits.
            var tolerance = model == MarkovSample.Umbrella ? 5e-5 : 1e-12;
            foreach (var logs in new[] { false, true })
                Assert.AreEqual(logLikelihood, new ForwardBackward(model, logs).Run(MarkovSample.Sequence(symbols)), tolerance);
            var found = new int[symbols.Length];
            Assert.AreEqual(logPath, new ViterbiDecoder(model).Decode(MarkovSample.Sequence(symbols), found), tolerance);
            Assert.AreEqual(path, string.Concat(found));
        }
    }

    [TestMethod]
    public void Posteriors_ArePublishedOnes()
    {
        foreach (var (model, symbols, expected, tolerance) in new (HiddenMarkovParameters, int[], double[], double)[]
        {
            (MarkovSample.Umbrella, [0, 0, 1, 0, 0], [0.8673, 0.8204, 0.3075, 0.8204, 0.8673], 5e-5),
            // Exact fractions of 0.033612: printed elsewhere as .23170303 .62406281 .86397706.
            (MarkovSample.Weather, [0, 1, 2], [0.231702963, 0.624062835, 0.863977151], 5e-10),
        })
        {
            var found = new double[symbols.Length];
            new ForwardBackward(model, inLogSpace: false).Run(MarkovSample.Sequence(symbols), smoothed: (position, probabilities, _) => found[position] = probabilities[0]);
            for (var i = 0; i < found.Length; i++)
                Assert.AreEqual(expected[i], found[i], tolerance);
        }
    }

    [TestMethod]
    public void Everything_IsTheSumOverAllPaths()
    {
        foreach (var (model, published, _, _, _) in Published)
        {
            // With a missing observation, too. Seven have 2,187 paths of three states.
            var given = published.Take(7).ToArray();
            foreach (var symbols in new[] { given, given.Select((symbol, i) => i == 1 ? -1 : symbol).ToArray() })
            {
                var (states, densities) = (model.NumberOfStates, MarkovSample.Densities(model, symbols));
                var paths = MarkovSample.Paths(model, densities).ToArray();
                var sum = paths.Sum(path => path.Probability);
                var beginnings = Enumerable.Range(1, symbols.Length).Select(length => MarkovSample.Paths(model, densities[..length]).ToArray()).ToArray();
                var transitions = new double[states * states];
                foreach (var (path, probability) in paths)
                {
                    for (var i = 1; i < path.Length; i++)
                        transitions[(path[i - 1] * states) + path[i]] += probability / sum;
                }
                foreach (var (logs, block) in Blocks.SelectMany(block => new[] { (false, block), (true, block) }))
                {
                    var recursion = new ForwardBackward(model, logs, blockValues: block);
                    var (counts, visited, filtered) = (new double[states * states], 0, new double[symbols.Length]);
                    var logLikelihood = recursion.Run(
                        MarkovSample.Sequence(symbols),
                        (position, probabilities, increment) =>
                        {
                            var before = beginnings[position];
                            var soFar = before.Sum(path => path.Probability);
                            for (var state = 0; state < states; state++)
                                Assert.AreEqual(before.Where(path => path.Path[position] == state).Sum(path => path.Probability) / soFar, probabilities[state], 1e-12);
                            filtered[position] = increment;
                            Assert.AreEqual(Math.Log(soFar), filtered.Take(position + 1).Sum(), 1e-12);
                        },
                        (position, probabilities, _) =>
                        {
                            visited++;
                            for (var state = 0; state < states; state++)
                                Assert.AreEqual(paths.Where(path => path.Path[position] == state).Sum(path => path.Probability) / sum, probabilities[state], 1e-12);
                        },
                        counts);
                    Assert.AreEqual(Math.Log(sum), logLikelihood, 1e-12);
                    Assert.AreEqual(symbols.Length, visited);
                    for (var i = 0; i < counts.Length; i++)
                        Assert.AreEqual(transitions[i], counts[i], 1e-12);
                }
                var best = new int[symbols.Length];
                var logPath = new ViterbiDecoder(model).Decode(MarkovSample.Sequence(symbols), best);
                Assert.AreEqual(Math.Log(paths.Max(path => path.Probability)), logPath, 1e-12);
            }
        }
    }

    [TestMethod]
    public void EqualTransitionRows_GiveResponsibilitiesOfAMixture()
    {
        double[] weights = [0.2, 0.5, 0.3];
        var emissions = new GaussianEmissions(new[,] { { 0.0, 0 }, { 3, -1 }, { 6, 1 } }, [new[,] { { 1, 0.5 }, { 0.5, 2 } }, new[,] { { 2.0, 0 }, { 0, 1 } }, new[,] { { 1, -0.3 }, { -0.3, 1 } }], CovarianceKind.Full);
        var model = new HiddenMarkovParameters(weights, new[,] { { 0.2, 0.5, 0.3 }, { 0.2, 0.5, 0.3 }, { 0.2, 0.5, 0.3 } }, emissions);
        var sequence = new ObservedSequence(2);
        for (var t = 0; t < 20; t++)
            sequence.Add(MarkovSample.Vector(t).Observation);
        new ForwardBackward(model, inLogSpace: false).Run(sequence, smoothed: (position, probabilities, _) =>
        {
            var densities = Enumerable.Range(0, 3).Select(state => weights[state] * Density(sequence.Vector(position), emissions.Mean(state), emissions.Covariance(state))).ToArray();
            for (var state = 0; state < 3; state++)
                Assert.AreEqual(densities[state] / densities.Sum(), probabilities[state], 1e-12);
        });
    }

    /// <summary>Observations so far apart that each is impossible in doubles where another comes before it: logarithms find what is left.</summary>
    [TestMethod]
    public void UnderflowingSequence_IsComputedInLogarithms()
    {
        var model = new HiddenMarkovParameters([1, 0], new[,] { { 1.0, 0 }, { 0, 1 } }, new GaussianEmissions(new[,] { { 0.0 }, { 100 } }, [new[,] { { 1.0 } }, new[,] { { 1.0 } }], CovarianceKind.Full));
        var sequence = new ObservedSequence(1);
        foreach (var value in new[] { 0f, 100 })
            sequence.Add([value]);
        var expected = -Math.Log(2 * Math.PI) - 5000;
        Assert.AreEqual(expected, new ForwardBackward(model, inLogSpace: false).Run(sequence), 1e-9);
        Assert.AreEqual(expected, new ForwardBackward(model, inLogSpace: true).Run(sequence), 1e-9);
    }

    [TestMethod]
    public void ImpossibleObservation_ThrowsOrIsMissing()
    {
        var model = new HiddenMarkovParameters([1, 0], new[,] { { 0.5, 0.5 }, { 0.5, 0.5 } }, new DiscreteEmissions(new[,] { { 1.0, 0, 0 }, { 0.5, 0.5, 0 } }));
        var error = Assert.ThrowsExactly<FormatException>(() => new ForwardBackward(model, inLogSpace: false).Run(MarkovSample.Sequence(0, 1, 2, 1)));
        Assert.Contains("Row 2", error.Message);
        foreach (var block in Blocks)
        {
            var (recursion, increments) = (new ForwardBackward(model, inLogSpace: false, forgives: true, blockValues: block), new double[4]);
            Assert.AreEqual(double.NegativeInfinity, recursion.Run(MarkovSample.Sequence(0, 1, 2, 1), (position, _, logLikelihood) => increments[position] = logLikelihood, (_, _, _) => { }));
            CollectionAssert.AreEqual(new[] { 2 }, recursion.Impossible.ToArray());
            Assert.AreEqual(double.NegativeInfinity, increments[2]);
            Assert.AreEqual(Math.Log(0.25), increments[3], 1e-12);
        }
    }

    [TestMethod]
    public void StationaryProbabilities_AreThoseOfALongSequence()
    {
        var stationary = MarkovSample.Casino.GetStationaryProbabilities();
        Assert.AreEqual(2 / 3.0, stationary[0], 1e-12);
        Assert.AreEqual(1 / 3.0, stationary[1], 1e-12);
        var alternating = new HiddenMarkovParameters([1, 0], new[,] { { 0.0, 1 }, { 1, 0 } }, new DiscreteEmissions(new[,] { { 1.0 }, { 1.0 } }));
        Assert.AreEqual(0.5, alternating.GetStationaryProbabilities()[0], 1e-12);
    }

    private static double Density(ReadOnlySpan<float> x, double[] mean, double[,] c)
    {
        var (a, b, determinant) = (x[0] - mean[0], x[1] - mean[1], (c[0, 0] * c[1, 1]) - (c[0, 1] * c[1, 0]));
        return Math.Exp(-0.5 * ((a * a * c[1, 1]) - (2 * a * b * c[0, 1]) + (b * b * c[0, 0])) / determinant) / (2 * Math.PI * Math.Sqrt(determinant));
    }
}
