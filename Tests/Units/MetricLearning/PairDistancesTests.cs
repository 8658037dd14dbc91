using MLExtensions.Families.MetricLearning;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Verification by pairs: facenet's folds and the curves of all pairs, against plain computations.</summary>
[TestClass]
public sealed class PairDistancesTests
{
    private const int Folds = 10;

    [TestMethod]
    public void Folds_AreFacenets()
    {
        var (distances, same) = Draw(503);
        var metrics = new PairDistances(distances, same).Measure(Folds);
        var accuracies = new List<(double Accuracy, double Threshold)>();
        var rates = new List<(double Rate, double Accepted)>();
        for (var fold = 0; fold < Folds; fold++)
        {
            var first = Enumerable.Range(0, fold).Sum(Size);
            var inside = Enumerable.Range(first, Size(fold)).ToArray();
            var outside = Enumerable.Range(0, distances.Length).Except(inside).ToArray();
            var threshold = Enumerable.Range(0, 400).Select(step => step / 100.0).MaxBy(limit => Accuracy(outside, limit)); // the first of the best
            accuracies.Add((Accuracy(inside, threshold), threshold));
            var limits = Enumerable.Range(0, 4000).Select(step => step / 1000.0).ToArray();
            var accepts = Array.ConvertAll(limits, limit => Share(outside, isSame: false, limit));
            var above = Array.FindIndex(accepts, rate => rate >= 0.1);
            var interpolated = limits[above - 1] + ((0.1 - accepts[above - 1]) / (accepts[above] - accepts[above - 1]) * 0.001);
            rates.Add((Share(inside, isSame: true, interpolated), Share(inside, isSame: false, interpolated)));
        }
        Assert.AreEqual(accuracies.Average(found => found.Accuracy), metrics.Accuracy, 1e-9);
        Assert.AreEqual(accuracies.Average(found => found.Threshold), metrics.Threshold, 1e-9);
        var mean = accuracies.Average(found => found.Accuracy);
        Assert.AreEqual(Math.Sqrt(accuracies.Average(found => Math.Pow(found.Accuracy - mean, 2))), metrics.AccuracyStandardDeviation, 1e-9);
        var rate = metrics.ValidationRates[0];
        Assert.AreEqual(rates.Average(found => found.Rate), rate.FoldRate, 1e-9);
        Assert.AreEqual(rates.Average(found => found.Accepted), rate.FoldFalseAcceptRate, 1e-9);

        int Size(int fold) => (distances.Length / Folds) + (fold < distances.Length % Folds ? 1 : 0);
        double Accuracy(int[] rows, double limit) => rows.Average(row => (distances[row] < limit) == same[row] ? 1.0 : 0);
        double Share(int[] rows, bool isSame, double limit) => rows.Where(row => same[row] == isSame).Average(row => distances[row] < limit ? 1.0 : 0);
    }

    [TestMethod]
    public void Curves_AreThoseOfAllPairs()
    {
        var (distances, same) = Draw(2000);
        var metrics = new PairDistances(distances, same).Measure(Folds);
        var (near, far) = (Of(true), Of(false));
        Assert.AreEqual(near.Average(a => far.Average(b => b > a ? 1.0 : 0)), metrics.AreaUnderRocCurve, 1e-9);
        Assert.AreEqual(near.Length, metrics.NumberOfSamePairs);
        // Errors meet: as many refused as accepted, up to one pair.
        var limit = distances.Order().First(distance => far.Count(b => b <= distance) / (double)far.Length >= near.Count(a => a > distance) / (double)near.Length);
        Assert.AreEqual(near.Count(a => a > limit) / (double)near.Length, metrics.EqualErrorRate, 1.0 / near.Length);
        foreach (var rate in metrics.ValidationRates)
        {
            var accepted = (int)Math.Round(rate.FalseAcceptRate * far.Length, 6);
            Assert.AreEqual(accepted, rate.FalseAccepts);
            Assert.AreEqual(far.Order().ElementAt(accepted), rate.Threshold);
            Assert.AreEqual(near.Average(a => a < rate.Threshold ? 1.0 : 0), rate.Rate, 1e-9);
            Assert.IsTrue(rate.LowerBound <= rate.Rate && rate.Rate <= rate.UpperBound && rate.UpperBound - rate.LowerBound < 0.1);
        }

        double[] Of(bool isSame) => distances.Where((_, row) => same[row] == isSame).ToArray();
    }

    /// <summary>Wilson's interval of 45 of 50, from the literature of the formula: 0.786 to 0.957.</summary>
    [TestMethod]
    public void Interval_IsWilsons()
    {
        var distances = Enumerable.Range(0, 50).Select(row => row < 45 ? 0.1 : 3).Concat(Enumerable.Repeat(2.0, 50)).ToArray();
        var order = Enumerable.Range(0, 100).OrderBy(row => row % 50).ToArray();
        var metrics = new PairDistances(order.Select(row => distances[row]).ToArray(), order.Select(row => row < 50).ToArray()).Measure(2);
        Assert.AreEqual(0.9, metrics.ValidationRates[0].Rate);
        Assert.AreEqual(0.786, metrics.ValidationRates[0].LowerBound, 5e-4);
        Assert.AreEqual(0.957, metrics.ValidationRates[0].UpperBound, 5e-4);
    }

    [TestMethod]
    public void Separable_IsPerfect()
    {
        var metrics = new PairDistances(Enumerable.Range(0, 40).Select(row => row % 2 == 0 ? 0.5 : 1.5).ToArray(), Enumerable.Range(0, 40).Select(row => row % 2 == 0).ToArray()).Measure(Folds);
        Assert.AreEqual(1, metrics.Accuracy);
        Assert.AreEqual(1, metrics.AreaUnderRocCurve);
        Assert.AreEqual(0, metrics.EqualErrorRate);
        Assert.IsTrue(metrics.ValidationRates.All(rate => rate is { Rate: 1, FoldRate: 1, FalseAccepts: 0 or 2 }));
    }

    [TestMethod]
    public void UnmixedRows_AreRefusedWithTheFold()
    {
        var pairs = new PairDistances(new double[40], Enumerable.Range(0, 40).Select(row => row < 20).ToArray());
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => pairs.Measure(4)).Message, "Fold 1 of 4, rows 0 to 9, has only pairs of the same");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => pairs.Measure(50)).Message, "40 pairs; 50 folds");
    }

    private static (double[] Distances, bool[] Same) Draw(int count)
    {
        var random = new Random(TestSeed.Of(9));
        var same = Enumerable.Range(0, count).Select(_ => random.Next(3) == 0).ToArray();
        return (Array.ConvertAll(same, isSame => Math.Min(3.9, (isSame ? 0.4 : 1.0) * (0.3 + (2 * random.NextDouble())))), same);
    }
}
