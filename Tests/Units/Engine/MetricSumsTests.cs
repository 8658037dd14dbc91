using MLExtensions.Engine;
using MLExtensions.Training;

namespace MLExtensions.Tests.Engine;

[TestClass]
public sealed class MetricSumsTests
{
    [TestMethod]
    public void Means_AreOverExamples()
    {
        var sums = new MetricSums();
        sums.AddLoss(2, 3);
        sums.AddLoss(6, 1);
        sums.Add("accuracy", 2);
        sums.Add("accuracy", 1);
        sums.Add("rmse", 30, MetricMean.RootOfSquares);
        sums.Add("rmse", 6, MetricMean.RootOfSquares);
        var values = sums.ToValues();
        Assert.AreEqual(4, sums.Examples);
        Assert.AreEqual(3, values["loss"], 1e-12);
        Assert.AreEqual(0.75, values["accuracy"], 1e-12);
        Assert.AreEqual(3, values["rmse"], 1e-12);
    }

    [TestMethod]
    public void Empty_IsZero() => Assert.AreEqual(0, new MetricSums().ToValues()["loss"]);
}

/// <summary>Numbers that must never change, or checkpoints and seeds would mean something else.</summary>
[TestClass]
public sealed class SeedSequenceTests
{
    [TestMethod]
    public void SplitMix64_ReferenceNumbers()
    {
        var random = new SplitMix64(1234567);
        Assert.AreEqual(6457827717110365317ul, random.Next());
        Assert.AreEqual(3203168211198807973ul, random.Next());
        Assert.AreEqual(9817491932198370423ul, random.Next());
    }

    [TestMethod]
    public void Derive_FixedNumbers()
    {
        Assert.AreEqual(14007102623367583936ul, SeedSequence.Derive(1, SeedSequence.Initialization));
        Assert.AreEqual(12321036463443409341ul, SeedSequence.Derive(1, SeedSequence.Shuffle, 1));
        Assert.AreEqual(13997713278849898758ul, SeedSequence.Derive(1, SeedSequence.Shuffle, 2));
        Assert.AreEqual(1876550414163608205ul, SeedSequence.Derive(-1, SeedSequence.Dropout, 5));
        Assert.AreEqual(8323498126931958368ul, SeedSequence.Derive(0, SeedSequence.ValidationSplit));
    }

    [TestMethod]
    public void Derive_NoTwoAlike()
    {
        var seeds = from seed in Enumerable.Range(0, 50)
                    from purpose in Enumerable.Range(1, 4)
                    from epoch in Enumerable.Range(0, 50)
                    select SeedSequence.Derive(seed, purpose, epoch);
        Assert.HasCount(10_000, seeds.Distinct().ToArray());
    }

    [TestMethod]
    public void Next_IsUniformAndShuffleIsAPermutation()
    {
        var random = new SplitMix64(1);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
            counts[random.Next(7)]++;
        Assert.IsGreaterThan(9_700, counts.Min());
        Assert.IsLessThan(10_300, counts.Max());
        var order = Enumerable.Range(0, 100).ToArray();
        random.Shuffle(order);
        Assert.IsLessThan(10, order.Where((value, i) => value == i).Count());
        CollectionAssert.AreEqual(Enumerable.Range(0, 100).ToArray(), order.Order().ToArray());
        var mean = Enumerable.Range(0, 10_000).Average(_ => random.NextDouble());
        Assert.AreEqual(0.5, mean, 0.01);
    }
}
