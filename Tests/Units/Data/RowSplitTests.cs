using MLExtensions.Tests.Contract;
using MLExtensions.Training.Data;
using static MLExtensions.Tests.Data.TrainingDataSample;

namespace MLExtensions.Tests.Data;

[TestClass]
public sealed class RowSplitTests
{
    [TestMethod]
    public void Stratified_SameShareOfEachClass()
    {
        var examples = Numbered(200);
        for (var i = 0; i < 200; i++)
            examples[i].Class = i < 120 ? 0u : i < 180 ? 1u : 2u;
        var data = Example.View(Ml, examples);
        using var rows = TrainingRows.Read(data, Columns(data, nameof(Example.Class), classes: 3), out _, () => { });
        var (training, validation) = RowSplit.Stratified(rows, 0.25, 3, seed: 1);
        CollectionAssert.AreEqual(Enumerable.Range(0, 200).ToArray(), training.Concat(validation).Order().ToArray());
        CollectionAssert.AreEqual(new[] { 30, 15, 5 }, validation.GroupBy(row => rows.Labels[row][0]).OrderBy(group => group.Key).Select(group => group.Count()).ToArray());
        CollectionAssert.AreEqual(validation, RowSplit.Stratified(rows, 0.25, 3, seed: 1).Validation);
        CollectionAssert.AreNotEqual(validation, RowSplit.Stratified(rows, 0.25, 3, seed: 2).Validation);
        Assert.IsEmpty(RowSplit.Stratified(rows, 0, 3, seed: 1).Validation);
        Assert.HasCount(50, RowSplit.Stratified(rows, 0.25, 0, seed: 1).Validation);
    }

    [TestMethod]
    public void OfAStream_ShareAndSeed()
    {
        int[] Chosen(int seed) => Enumerable.Range(0, 20_000).Where(row => RowSplit.IsValidation(row, 0.2, seed)).ToArray();
        var first = Chosen(1);
        Assert.AreEqual(4000, first.Length, 200);
        CollectionAssert.AreEqual(first, Chosen(1));
        Assert.AreEqual(800, first.Intersect(Chosen(2)).Count(), 100);
        Assert.IsFalse(Enumerable.Range(0, 100).Any(row => RowSplit.IsValidation(row, 0, 1)));
    }
}

[TestClass]
public sealed class LabelSummaryTests
{
    [TestMethod]
    public void Regression_WeightedMeanAndDeviation()
    {
        var summary = new LabelSummary(0);
        foreach (var (label, weight) in new[] { (1e9f, 0f), (1f, 1f), (2f, 2f), (6f, 1f) })
            summary.Add(label, weight);
        // 1, 2, 2, 6
        Assert.AreEqual(4, summary.RowCount);
        Assert.AreEqual(4, summary.WeightSum);
        Assert.AreEqual(2.75, summary.Mean, 1e-12);
        Assert.AreEqual(Math.Sqrt(59.0 / 16), summary.StandardDeviation, 1e-12);
    }

    [TestMethod]
    public void Regression_LargeLabelsCloseTogether()
    {
        var summary = new LabelSummary(0);
        for (var i = 0; i < 30_000; i++)
            summary.Add(1e6f + (i % 3), 1);
        Assert.AreEqual(1e6 + 1, summary.Mean, 1e-6);
        Assert.AreEqual(Math.Sqrt(2.0 / 3), summary.StandardDeviation, 1e-9);
    }

    [TestMethod]
    public void Regression_EqualLabels_DeviationIsOne()
    {
        var summary = new LabelSummary(0);
        Assert.AreEqual(1, summary.StandardDeviation);
        for (var i = 0; i < 10; i++)
            summary.Add(0.1f, 0.3f);
        Assert.AreEqual(1, summary.StandardDeviation);
    }

    [TestMethod]
    public void Classes_CountsAndWeightSums()
    {
        var summary = new LabelSummary(3);
        foreach (var (label, weight) in new[] { (0f, 1f), (2f, 0.5f), (2f, 2f) })
            summary.Add(label, weight);
        CollectionAssert.AreEqual(new long[] { 1, 0, 2 }, summary.ClassCounts.ToArray());
        CollectionAssert.AreEqual(new[] { 1, 0, 2.5 }, summary.ClassWeightSums.ToArray());
        Assert.AreEqual(3.5, summary.WeightSum);
    }

    [TestMethod]
    public void FloatColumn_GrowsAndTrims()
    {
        foreach (var expected in new long?[] { null, 1, 10_000, 0, -1, long.MaxValue })
        {
            using var column = new FloatColumn(3, expected);
            for (var i = 0; i < 5000; i++)
            {
                column.Next().Fill(i);
                column.Commit();
            }
            column.Trim();
            Assert.AreEqual(5000, column.Count);
            for (var i = 0; i < 5000; i++)
                Assert.AreEqual(3f * i, column[i][0] + column[i][1] + column[i][2]);
        }
    }
}
