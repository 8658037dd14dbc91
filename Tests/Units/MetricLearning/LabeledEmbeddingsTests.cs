using MLExtensions.Families.MetricLearning;

namespace MLExtensions.Tests.MetricLearning;

/// <summary>What is measured of embeddings, against plain computations.</summary>
[TestClass]
public sealed class LabeledEmbeddingsTests
{
    [TestMethod]
    [DataRow(3)]
    [DataRow(17)]
    public void Statistics_AreThoseOfThePlainComputation(int size)
    {
        int[] classes = [.. Enumerable.Range(0, 60).Select(row => row * row % 11), 20];
        // As float32 has them, so that both computations order the same numbers.
        var rows = PlainMetricLearning.Rows(classes, size, TestSeed.Of(8), noise: 1).Select(row => Array.ConvertAll(row, x => (double)(float)x)).ToArray();
        var found = new LabeledEmbeddings(rows.SelectMany(row => row).Select(x => (float)x).ToArray(), size, classes).Measure();
        var (first, r, map) = PlainMetricLearning.Retrieval(rows, classes);
        Assert.AreEqual(PlainMetricLearning.Auc(rows, classes), found.Auc, 1e-6);
        Assert.AreEqual(first, found.PrecisionAt1, 1e-6);
        Assert.AreEqual(r, found.RPrecision, 1e-6);
        Assert.AreEqual(map, found.MapAtR, 1e-6);
        Assert.AreEqual(60, found.Queries, "who is alone in a class asks for nobody");
        Assert.AreEqual(61 * 60 / 2, found.SamePairs + found.DifferentPairs);
    }

    [TestMethod]
    public void Ties_CountHalf()
    {
        var found = new LabeledEmbeddings([1, 1, 1, 1], 1, [0, 0, 1, 1]).Measure();
        Assert.AreEqual(0.5, found.Auc);
        Assert.AreEqual(0, found.SameDistance);
    }

    [TestMethod]
    public void OneClass_HasNoAuc()
    {
        var found = new LabeledEmbeddings([1, 2, 3], 1, [0, 0, 0]).Measure();
        Assert.IsTrue(double.IsNaN(found.Auc));
        Assert.AreEqual(1, found.PrecisionAt1);
    }
}
