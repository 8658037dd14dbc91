using MLExtensions.Families.MetricLearning;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>Which triplets of a batch are learned from, and what is measured of its pairs.</summary>
[TestClass]
public sealed class TripletMinerTests
{
    private const int Size = 8;
    private const double Margin = 0.2;
    private static readonly int[] Classes = [0, 0, 0, 1, 1, 1, 2, 2, 3];
    // Always the same: nothing is learned, and there must be triplets of each kind among them.
    private static readonly double[][] Rows = PlainMetricLearning.Rows(Classes, Size, seed: 7, noise: 1);

    /// <summary>Every pair that has a negative by the rule gets one, and over many draws gets each of them.</summary>
    [TestMethod]
    [DataRow(TripletMining.SemiHard)]
    [DataRow(TripletMining.StrictSemiHard)]
    public void SemiHard_AnyNegativeByTheRule(TripletMining mining)
    {
        var expected = PlainMetricLearning.SamePairs(Classes).SelectMany(pair => PlainMetricLearning.Negatives(Classes, pair.Anchor).Select(negative => (pair.Anchor, pair.Positive, Negative: negative))).Where(IsSemiHard).ToHashSet();
        Assert.IsGreaterThan(5, expected.Count);
        var random = new SplitMix64(1);
        var drawn = new HashSet<(int Anchor, int Positive, int Negative)>();
        for (var i = 0; i < 300; i++)
        {
            var mined = Of(Mine(mining, ref random)).ToArray();
            CollectionAssert.AreEqual(expected.Select(triplet => (triplet.Anchor, triplet.Positive)).Distinct().Order().ToArray(), mined.Select(triplet => (triplet.Anchor, triplet.Positive)).Order().ToArray(), "one for each pair");
            drawn.UnionWith(mined);
        }
        CollectionAssert.AreEquivalent(expected.ToArray(), drawn.ToArray());

        bool IsSemiHard((int Anchor, int Positive, int Negative) t)
        {
            var (ofPositive, ofNegative) = (Distance(t.Anchor, t.Positive), Distance(t.Anchor, t.Negative));
            return ofNegative - ofPositive < Margin && (mining == TripletMining.SemiHard || ofNegative > ofPositive);
        }
    }

    [TestMethod]
    public void All_IsAll()
    {
        var random = new SplitMix64(1);
        var expected = PlainMetricLearning.SamePairs(Classes).SelectMany(pair => PlainMetricLearning.Negatives(Classes, pair.Anchor).Select(negative => (pair.Anchor, pair.Positive, negative))).ToArray();
        CollectionAssert.AreEquivalent(expected, Of(Mine(TripletMining.All, ref random)).ToArray());
    }

    [TestMethod]
    public void Hard_FarthestPositiveAndNearestNegative()
    {
        var random = new SplitMix64(1);
        var mined = Of(Mine(TripletMining.Hard, ref random)).ToArray();
        CollectionAssert.AreEqual(Enumerable.Range(0, 8).ToArray(), mined.Select(triplet => triplet.Anchor).ToArray(), "every row that has a positive");
        foreach (var (anchor, positive, negative) in mined)
        {
            Assert.AreEqual(PlainMetricLearning.SamePairs(Classes).Where(pair => pair.Anchor == anchor).Max(pair => Distance(anchor, pair.Positive)), Distance(anchor, positive));
            Assert.AreEqual(PlainMetricLearning.Negatives(Classes, anchor).Min(row => Distance(anchor, row)), Distance(anchor, negative));
        }
    }

    /// <summary>Drawn as often as the inverse density says, and never beyond the limit.</summary>
    [TestMethod]
    public void DistanceWeighted_DrawsByTheInverseDensity()
    {
        int[] classes = [0, 0, 1, 2, 3];
        double[] ofNegatives = [0.3, 0.9, 1.5]; // Euclidean from the anchor; the nearest counts as .5
        var distances = new float[classes.Length * classes.Length];
        for (var i = 0; i < ofNegatives.Length; i++)
            distances[2 + i] = (float)(ofNegatives[i] * ofNegatives[i]);
        var batch = new BatchDistances(distances, classes);
        var random = new SplitMix64((ulong)TestSeed.Of(1));
        const int Draws = 20_000;
        var counts = new int[classes.Length];
        for (var i = 0; i < Draws; i++)
        {
            var mined = TripletMiner.Mine(new TripletLoss { Mining = TripletMining.DistanceWeighted }, batch, Size, ref random);
            counts[Of(mined).Single(triplet => triplet.Anchor == 0).Negative]++;
        }
        var (near, far) = (Inverse(0.5), Inverse(0.9));
        Assert.AreEqual(near / (near + far), (double)counts[2] / Draws, 0.01);
        Assert.AreEqual(0, counts[4]);

        static double Inverse(double d) => 1 / (Math.Pow(d, Size - 2) * Math.Pow(1 - (d * d / 4), (Size - 3) / 2.0));
    }

    [TestMethod]
    public void Measure_IsTheMeanOfPairs_AndTheShareOfViolations()
    {
        var spread = Batch().Measure(Margin);
        var triplets = PlainMetricLearning.SamePairs(Classes).SelectMany(pair => PlainMetricLearning.Negatives(Classes, pair.Anchor).Select(negative => (pair.Anchor, pair.Positive, negative))).ToArray();
        Assert.AreEqual(triplets.Count(t => Distance(t.Anchor, t.negative) < Distance(t.Anchor, t.Positive) + Margin), spread.Active);
        Assert.AreEqual(triplets.Length, spread.Triplets);
        Assert.AreEqual(PlainMetricLearning.SamePairs(Classes).Average(pair => Distance(pair.Anchor, pair.Positive)), spread.MeanSame, 1e-6);
        Assert.AreEqual(Enumerable.Range(0, Classes.Length).SelectMany(row => PlainMetricLearning.Negatives(Classes, row).Select(other => Distance(row, other))).Average(), spread.MeanDifferent, 1e-6);
    }

    /// <summary>Counting and finding with whole registers is what a look at each distance gives, at the margin, too.</summary>
    [TestMethod]
    [DataRow(0.2, float.NegativeInfinity)]
    [DataRow(0.2, 0.5f)]
    [DataRow(0.25, 0.5f)]
    [DataRow(double.PositiveInfinity, float.NegativeInfinity)]
    public void NegativeRule_CountsAndFindsAsOneByOne(double margin, float least)
    {
        const float From = 0.5f;
        var random = new Random(TestSeed.Of(3));
        for (var length = 0; length < 70; length++)
        {
            var distances = Enumerable.Range(0, length).Select(i => (i % 5) switch { 0 => From, 1 => From + (float)margin, 2 => MathF.BitDecrement(From + (float)margin), _ => random.NextSingle() * 2 }).ToArray();
            var taken = Enumerable.Range(0, length).Where(i => distances[i] > least && distances[i] - From < margin).ToArray();
            var rule = new NegativeRule(From, margin, least);
            Assert.AreEqual(taken.Length, rule.Count(distances));
            CollectionAssert.AreEqual(taken, Enumerable.Range(0, taken.Length).Select(number => rule.Find(distances, number)).ToArray());
        }
    }

    private static double Distance(int row, int other) => PlainMetricLearning.Squared(Rows[row], Rows[other]);

    private static BatchDistances Batch() =>
        new(Rows.SelectMany((_, row) => Rows.Select((_, other) => (float)Distance(row, other))).ToArray(), Classes);

    private static Triplets Mine(TripletMining mining, ref SplitMix64 random) => TripletMiner.Mine(new TripletLoss { Mining = mining, Margin = Margin }, Batch(), Size, ref random);

    private static IEnumerable<(int Anchor, int Positive, int Negative)> Of(Triplets triplets) =>
        Enumerable.Range(0, triplets.Count).Select(i => triplets[i]);
}
