using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Gan;

/// <summary>
/// How much generated samples differ, of what real ones do, and what is said of it. The generators are linear and have weights that are set, so that
/// it can be computed by hand what they generate.
/// </summary>
[TestClass]
public sealed class SampleSpreadTests
{
    private const int Rows = 100;
    private const string TooFew = "the generator makes too few kinds of samples";
    private const string TooMany = "times as much as real ones";

    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void Spread_RatioOfMeanDistances()
    {
        var (spread, _) = Measure(conditional: false, scale: 1.7, apart: 0);
        // The noise of the measurement has the seed 0.
        var expected = 1.7 * NoiseDistance() / RealDistance(conditional: false);
        Assert.AreEqual(expected, spread, 1e-4 * expected);
    }

    /// <summary>How far apart classes are does not matter, neither of real samples, which are 15 times as far apart, nor of generated ones.</summary>
    [TestMethod]
    public void Spread_OfAConditionalGenerator_IsWithinClasses()
    {
        var (near, _) = Measure(conditional: true, scale: 1, apart: 0);
        var (far, _) = Measure(conditional: true, scale: 1, apart: 5);
        Assert.AreEqual(near, far, 1e-4 * near);
        // Which noise is of which class is drawn: half of the pairs have nearly the mean of all.
        var expected = NoiseDistance() / RealDistance(conditional: true);
        Assert.AreEqual(expected, near, 0.1 * expected);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void CollapsedGenerator_IsSaid_GoodOneIsNot(bool conditional)
    {
        var (one, _) = Measure(conditional, scale: 1, apart: 0);
        foreach (var (spread, percent) in new[] { (0.0, "0 %"), (0.45, "45 %"), (0.55, null), (1, null), (1.9, null) })
        {
            // Classes that are far apart make up for nothing.
            var (measured, warnings) = Measure(conditional, spread / one, apart: 5);
            Assert.AreEqual(spread, measured, 2e-3);
            var said = warnings.Where(warning => warning.Contains(TooFew, StringComparison.Ordinal)).ToArray();
            Assert.HasCount(percent == null ? 0 : 1, said, $"{spread}");
            if (percent != null)
                Assert.StartsWith($"Generated samples differ by {percent} of what real ones differ by", said[0]);
            Assert.IsFalse(warnings.Any(warning => warning.Contains(TooMany, StringComparison.Ordinal)));
        }
    }

    [TestMethod]
    public void ScatteredSamples_AreSaid()
    {
        var (one, _) = Measure(conditional: false, scale: 1, apart: 0);
        var (_, warnings) = Measure(conditional: false, 2.2 / one, apart: 0);
        Assert.ContainsSingle(warnings.Where(warning => warning.Contains($"generated samples differ 2.2 {TooMany}", StringComparison.Ordinal)));
        Assert.IsFalse(warnings.Any(warning => warning.Contains(TooFew, StringComparison.Ordinal)));
    }

    /// <summary>Trains one step at a rate that changes nothing, from a generator that was set: noise times a scale, and the classes so far apart.</summary>
    private static (double Spread, string[] Warnings) Measure(bool conditional, double scale, double apart)
    {
        using var start = Train(conditional, null);
        using (no_grad())
        {
            using var scope = NewDisposeScope();
            var weight = zeros(2, conditional ? 4 : 2);
            (weight[0, 0], weight[1, 1]) = (scale, scale);
            if (conditional)
                weight[0, 3] = apart;
            foreach (var (_, value) in start.Generator.Network.state_dict())
                value.copy_(value.dim() == 2 ? weight : zeros_like(value));
        }
        using var model = Train(conditional, start);
        return (model.History.Epochs.Single().Training["spread"], model.History.Warnings.ToArray());
    }

    private static GanTransformer Train(bool conditional, GanTransformer? start) => Ml.GenerativeModels.Trainers.Gan(new GanEstimator.Options
    {
        Networks = new GanNetworks { LatentSize = 2, Generator = [new DenseLayer()], Discriminator = [new DenseLayer()] },
        LabelColumnName = conditional ? "Class" : null,
        InitialModel = start,
        Epochs = 1,
        BatchSize = Rows,
        LearningRate = 1e-30,
        Optimizer = new SgdOptimizer(),
        Seed = TestSeed.Of(1),
        ThreadCount = 1,
    }).Fit(GanSample.Points(Ml, Rows));

    private static double RealDistance(bool conditional)
    {
        var data = GanSample.Points(Ml, Rows);
        return MeanDistance(data.GetColumn<float[]>("Features").ToArray(), conditional ? data.GetColumn<uint>("Class").ToArray() : null);
    }

    private static double NoiseDistance()
    {
        using var model = Train(conditional: false, null);
        return MeanDistance(model.DrawNoise(Rows, seed: 0), null);
    }

    /// <summary>Of all pairs of different rows, or of those of one class.</summary>
    private static double MeanDistance(float[][] rows, uint[]? classes) => (
        from a in Enumerable.Range(0, rows.Length)
        from b in Enumerable.Range(0, a)
        where classes == null || classes[a] == classes[b]
        select Math.Sqrt(rows[a].Zip(rows[b], (x, y) => Math.Pow((double)x - y, 2)).Sum())).Average();
}
