using MLExtensions.Tests.Contract;
using MLExtensions.Tensors;
using MLExtensions.Training;
using static MLExtensions.Tests.Data.TrainingDataSample;

namespace MLExtensions.Tests.Data;

/// <summary>Rows that train and rows that validate.</summary>
[TestClass]
public sealed class RowSplitTests
{
    [TestMethod]
    public void InMemory_SameShareOfEachClass()
    {
        var examples = Numbered(200);
        for (var i = 0; i < 200; i++)
            examples[i].Class = i < 120 ? 0u : i < 180 ? 1u : 2u;
        var data = Example.View(Ml, examples);
        int[] Chosen(int seed, double fraction = 0.25, int classes = 3) => Rows(data, Buffering.InMemory, fraction, seed, classes).Validation;
        var (training, validation) = Rows(data, Buffering.InMemory, 0.25, seed: 1, classes: 3);
        CollectionAssert.AreEqual(Enumerable.Range(0, 200).ToArray(), training.Concat(validation).Order().ToArray());
        CollectionAssert.AreEqual(new[] { 30, 15, 5 }, validation.GroupBy(row => examples[row].Class).OrderBy(group => group.Key).Select(group => group.Count()).ToArray());
        CollectionAssert.AreEqual(validation, Chosen(1));
        CollectionAssert.AreNotEqual(validation, Chosen(2));
        Assert.IsEmpty(Chosen(1, fraction: 0));
        Assert.HasCount(50, Chosen(1, classes: 0));
    }

    [TestMethod]
    public void Streamed_ShareAndSeed()
    {
        var data = Example.View(Ml, Numbered(20_000));
        int[] Chosen(int seed, double fraction = 0.2) => Rows(data, Buffering.Streaming, fraction, seed, classes: 0).Validation;
        var first = Chosen(1);
        Assert.AreEqual(4000, first.Length, 200);
        CollectionAssert.AreEqual(first, Chosen(1));
        Assert.AreEqual(800, first.Intersect(Chosen(2)).Count(), 100);
        Assert.IsEmpty(Chosen(1, fraction: 0));
    }

    /// <summary>The same rows have the same checksum in memory and streamed; another value, order or number has another.</summary>
    [TestMethod]
    public void Checksum_IsThatOfTheRowsInTheirOrder()
    {
        string Of(Example[] rows, Buffering buffering = Buffering.InMemory)
        {
            var data = Example.View(Ml, rows);
            using var set = RowSet.Open(data, Columns(data), new RowSetSettings(buffering, 10, 0, 1, HasChecksum: true), () => { });
            return set.Checksum!;
        }
        var first = Of(Numbered(50));
        Assert.AreEqual(first, Of(Numbered(50)));
        Assert.AreEqual(first, Of(Numbered(50), Buffering.Streaming));
        var label = Numbered(50);
        label[7].Target++;
        var feature = Numbered(50);
        feature[7] = feature[7].With(7, 0);
        foreach (var other in new[] { Numbered(49), [.. Numbered(50).Reverse()], label, feature })
            Assert.AreNotEqual(first, Of(other));
    }

    private static (int[] Training, int[] Validation) Rows(Microsoft.ML.IDataView data, Buffering buffering, double fraction, int seed, int classes)
    {
        var columns = Columns(data, classes > 0 ? nameof(Example.Class) : nameof(Example.Target), classes: classes);
        using var set = RowSet.Open(data, columns, new RowSetSettings(buffering, 10, fraction, seed), () => { });
        return (Of(RowPart.Training), Of(RowPart.Validation));

        int[] Of(RowPart part)
        {
            var rows = new List<int>();
            foreach (var batch in set.CreateBatches(part, Settings(1000, shuffle: false)).ReadEpoch(1))
            {
                using (batch)
                using (TorchSharp.torch.NewDisposeScope())
                    rows.AddRange(batch.Features.select(1, 0).contiguous().data<float>().ToArray().Select(value => (int)value));
            }
            return [.. rows];
        }
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

    [TestMethod]
    [DataRow(1)]
    [DataRow(1021)]
    public void FloatColumn_CopiesRowsInTheirOrder(int width)
    {
        using var column = new FloatColumn(width, 7);
        for (var i = 0; i < 7; i++)
        {
            for (var j = 0; j < width; j++)
                column.Next()[j] = (i * 1000f) + (j % 997);
            column.Commit();
        }
        int[] rows = [5, 3, 3, 0, 6];
        using var block = new FeatureBlock(rows.Length + 2, width);
        column.CopyTo(rows, block, first: 1);
        for (var i = 0; i < rows.Length; i++)
            Assert.IsTrue(column[rows[i]].SequenceEqual(block.Row(i + 1)), $"row {i}");
        Assert.IsFalse(block.Row(0).ContainsAnyExcept(0) || block.Row(rows.Length + 1).ContainsAnyExcept(0));
    }
}
