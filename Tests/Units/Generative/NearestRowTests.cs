using Microsoft.ML;

namespace MLExtensions.Tests.Generative;

/// <summary>The nearest training row of generated rows: does a generator copy?</summary>
[TestClass]
public sealed class NearestRowTests
{
    private readonly MLContext _ml = new(1);

    /// <summary>More rows than a block has, against every distance computed one by one.</summary>
    [TestMethod]
    public void Distances_AreThoseOfTheNearestRow()
    {
        var random = new Random(1);
        float[][] Rows(int count) => Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, 5).Select(_ => 100 + random.NextSingle()).ToArray()).ToArray();
        var (training, generated) = (Rows(2500), Rows(1100));
        var metrics = Evaluate(training, generated, training[..10]);
        Assert.AreEqual(2500, metrics.NumberOfTrainingRows);
        for (var i = 0; i < generated.Length; i++)
        {
            var distances = training.Select(row => row.Zip(generated[i], (a, b) => ((double)a - b) * ((double)a - b)).Sum()).ToArray();
            var nearest = Array.IndexOf(distances, distances.Min());
            Assert.AreEqual(nearest, metrics.Generated.NearestRows[i]);
            Assert.AreEqual(Math.Sqrt(distances[nearest]), metrics.Generated.Distances[i], 1e-12);
        }
        Assert.AreEqual(metrics.Generated.Distances.Average(), metrics.Generated.Mean, 1e-12);
        Assert.AreEqual(metrics.Generated.Distances.Min(), metrics.Generated.Minimum);
        Assert.AreEqual((0, 0.0), (metrics.Generated.NumberOfCopies, metrics.Generated.CopyShare));
        Assert.AreEqual((10, 1.0), (metrics.HeldOut!.NumberOfCopies, metrics.HeldOut.CopyShare));
    }

    /// <summary>A copy is one even where all numbers are large, and a row that differs in the last bit is none.</summary>
    [TestMethod]
    public void Copies_AreExact()
    {
        var digits = GenerativeSample.Digits().Select(digit => digit.Pixels.Select(pixel => pixel + 10_000).ToArray()).ToArray();
        var almost = digits[7].ToArray();
        almost[20] = MathF.BitIncrement(almost[20]);
        var metrics = Evaluate(digits[..1000], [digits[999], almost, digits[1200], digits[0]], digits[1000..1100]);
        Assert.AreEqual((2, 0.5), (metrics.Generated.NumberOfCopies, metrics.Generated.CopyShare));
        CollectionAssert.AreEqual(new long[] { 999, 7, 0 }, new[] { metrics.Generated.NearestRows[0], metrics.Generated.NearestRows[1], metrics.Generated.NearestRows[3] });
        Assert.AreEqual((double)MathF.BitIncrement(almost[20]) - almost[20], metrics.Generated.Distances[1], 1e-9);
        Assert.IsGreaterThan(1, metrics.Generated.Distances[2]);
        Assert.AreEqual(0, metrics.HeldOut!.NumberOfCopies);
    }

    [TestMethod]
    public void HeldOut_IsOptional()
    {
        var metrics = Evaluate([[0, 0], [3, 4]], [[3, 0], [3, 5]], null);
        Assert.IsNull(metrics.HeldOut);
        CollectionAssert.AreEqual(new[] { 3.0, 1.0 }, metrics.Generated.Distances.ToArray());
        Assert.AreEqual((2.0, 1.0), (metrics.Generated.Mean, metrics.Generated.Minimum));
    }

    private NearestRowMetrics Evaluate(float[][] training, float[][] generated, float[][]? heldOut) =>
        _ml.GenerativeModels.EvaluateNearest(GenerativeSample.View(_ml, training), GenerativeSample.View(_ml, generated), heldOut == null ? null : GenerativeSample.View(_ml, heldOut));
}
