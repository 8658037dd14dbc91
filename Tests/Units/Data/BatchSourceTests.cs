using Microsoft.ML;
using MLExtensions.Engine;
using MLExtensions.Tests.Contract;
using MLExtensions.Training;
using static MLExtensions.Tests.Data.TrainingDataSample;

namespace MLExtensions.Tests.Data;

/// <summary>Batches in memory and streamed: every row exactly once an epoch, in an order that epoch and seed decide.</summary>
[TestClass]
public sealed class BatchSourceTests
{
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Epoch_EveryRowOnce(bool streaming)
    {
        var source = Open(103, streaming, Settings(10));
        Assert.AreEqual(103, source.RowCount);
        Assert.AreEqual(11, source.BatchCount);
        for (var epoch = 1; epoch < 4; epoch++)
        {
            var batches = Epoch(source, epoch);
            CollectionAssert.AreEqual(Enumerable.Repeat(10, 10).Append(3).ToArray(), batches.Select(batch => batch.Length).ToArray());
            CollectionAssert.AreEqual(Enumerable.Range(0, 103).ToArray(), batches.SelectMany(batch => batch).Order().ToArray());
        }
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Order_DependsOnEpochAndSeedOnly(bool streaming)
    {
        var source = Open(100, streaming, Settings(10));
        var same = Open(100, streaming, Settings(10));
        var other = Open(100, streaming, Settings(10, seed: 2));
        int[] Rows(IBatchSource<LabeledBatch> from, int epoch) => Epoch(from, epoch).SelectMany(batch => batch).ToArray();
        var first = Rows(source, 1);
        CollectionAssert.AreEqual(first, Rows(source, 1));
        // An epoch doesn't depend on those before it: that is what resuming needs.
        CollectionAssert.AreEqual(Rows(source, 2), Rows(same, 2));
        foreach (var different in new[] { Rows(source, 2), Rows(other, 1), Enumerable.Range(0, 100).ToArray() })
            Assert.IsLessThan(15, first.Zip(different).Count(pair => pair.First == pair.Second));
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Unshuffled_IsTheDatasOrder(bool streaming)
    {
        var source = Open(25, streaming, Settings(10, shuffle: false));
        CollectionAssert.AreEqual(Enumerable.Range(0, 25).ToArray(), Epoch(source, 3).SelectMany(batch => batch).ToArray());
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void MinimumRows_LeavesASmallLastBatchOut(bool streaming)
    {
        var source = Open(21, streaming, Settings(10, minimumRows: 2));
        Assert.AreEqual(2, source.BatchCount);
        Assert.HasCount(2, Epoch(source, 1));
        var larger = Open(22, streaming, Settings(10, minimumRows: 2));
        Assert.AreEqual(3, larger.BatchCount);
        Assert.HasCount(3, Epoch(larger, 1));
    }

    /// <summary>What is left out is counted, is in the batches of no epoch, and is another part in the next.</summary>
    [TestMethod]
    [DataRow(false, 25, 6, 1, 3, "6 6 6 6", 1)]
    [DataRow(true, 25, 6, 1, 3, "6 6 6 6", 1)]
    [DataRow(false, 23, 6, 3, 3, "6 6 6 3", 2)]
    [DataRow(true, 23, 6, 3, 3, "6 6 6 3", 2)]
    [DataRow(false, 23, 6, 6, 3, "6 6 6", 5)]
    [DataRow(true, 23, 6, 6, 3, "6 6 6", 5)]
    [DataRow(false, 5, 6, 1, 2, "4", 1)]
    [DataRow(true, 5, 6, 1, 2, "4", 1)]
    [DataRow(false, 21, 10, 2, 1, "10 10", 1)]
    [DataRow(true, 21, 10, 2, 1, "10 10", 1)]
    [DataRow(true, 22, 10, 2, 1, "10 10 2", 0)]
    public void Multiple_LeavesTheRemainderOut(bool streaming, int rows, int size, int minimumRows, int multiple, string sizes, int leftOut)
    {
        var source = Open(rows, streaming, Settings(size, minimumRows: minimumRows) with { Multiple = multiple });
        var epochs = new[] { Epoch(source, 1), Epoch(source, 2) };
        foreach (var epoch in epochs)
        {
            Assert.AreEqual(sizes, string.Join(' ', epoch.Select(batch => batch.Length)));
            Assert.HasCount(rows - leftOut, epoch.SelectMany(batch => batch).Distinct().ToArray());
        }
        Assert.AreEqual((leftOut, epochs[0].Length), (source.LeftOut, source.BatchCount));
        if (leftOut > 0)
            CollectionAssert.AreNotEquivalent(epochs[0].SelectMany(batch => batch).ToArray(), epochs[1].SelectMany(batch => batch).ToArray());
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void EpochFraction_IsTheShareOfRowsBefore(bool streaming)
    {
        var source = Open(25, streaming, Settings(10));
        var fractions = new List<double>();
        foreach (var batch in source.ReadEpoch(1))
        {
            using (batch)
                fractions.Add(batch.EpochFraction);
        }
        CollectionAssert.AreEqual(new[] { 0, 0.4, 0.8 }, fractions);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Scale_IsAppliedToLabelsAndWeights(bool streaming)
    {
        var source = Open(4, streaming, Settings(4, shuffle: false), weighted: true, scale: new LabelScale(1, 2, null, 0.5, true));
        foreach (var batch in source.ReadEpoch(1))
        {
            using (batch)
            {
                CollectionAssert.AreEqual(new[] { -0.5f, 0, 0.5f, 1 }, batch.Labels.data<float>().ToArray());
                CollectionAssert.AreEqual(new[] { 0.5f, 1, 1.5f, 2 }, batch.Weights!.data<float>().ToArray());
            }
        }
    }

    [TestMethod]
    public void Streaming_RowsWaitInABufferOfTheStatedSize()
    {
        const int Buffer = 20;
        var source = Open(1000, true, Settings(10), Buffer);
        var rows = Epoch(source, 1).SelectMany(batch => batch).ToArray();
        CollectionAssert.AreEqual(Enumerable.Range(0, 1000).ToArray(), rows.Order().ToArray());
        for (var i = 0; i < rows.Length; i++)
            Assert.IsLessThanOrEqualTo(i + Buffer, rows[i], "a row that has not been read yet");
        Assert.IsGreaterThan(Buffer / 2, rows.Select((row, i) => Math.Abs(row - i)).Average() * 2, "rows move about");
    }

    /// <summary>What the guide says of it: places are those of the stream, but for about the size of the buffer.</summary>
    [TestMethod]
    public void Streaming_RowsMoveAsFarAsTheGuideSays()
    {
        const int Buffer = 200;
        var rows = Epoch(Open(40_000, true, Settings(100), Buffer), 1).SelectMany(batch => batch).ToArray();
        // Positive: later than in the stream. The last rows find a buffer that is emptied.
        var moves = rows.Select((row, place) => (double)(place - row) / Buffer).Take(rows.Length - (10 * Buffer)).ToArray();
        double Share(Func<double, bool> which) => (double)moves.Count(which) / moves.Length;
        Assert.IsGreaterThanOrEqualTo(-1, moves.Min());
        Assert.AreEqual(0.74, moves.Average(Math.Abs), 0.03); // 2 / e
        Assert.AreEqual(0.865, Share(move => move <= 1), 0.02); // 1 - e^-2
        Assert.AreEqual(0.018, Share(move => move > 3), 0.006); // e^-4
        Assert.IsLessThan(17, moves.Max()); // ln 40,000 = 10.6; a greater one has a probability of e^-18 each
    }

    /// <summary>The guide's advice for files whose order means something: blocks of the file in random order, the same in each pass.</summary>
    [TestMethod]
    public void Streaming_ShuffledSource_ForgetsTheOrderOfTheFile()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "rows");
        using (var stream = File.Create(path))
            Ml.Data.SaveAsBinary(Example.View(Ml, Numbered(40_000)), stream);
        double Order(IDataView data)
        {
            var source = new StreamingBatches<LabeledBatch>(data, Columns(data), 40_000, (_, _) => true, 2000, Settings(100), Labeled(), checksum: null);
            var (rows, again) = (Rows(source), Rows(source));
            CollectionAssert.AreEqual(rows, again);
            CollectionAssert.AreEqual(Enumerable.Range(0, 40_000).ToArray(), rows.Order().ToArray());
            return rows.Select((row, place) => (row - 19_999.5) * (place - 19_999.5)).Sum() / (Math.Pow(40_000, 3) / 12);
        }
        static int[] Rows(IBatchSource<LabeledBatch> source) => Epoch(source, 1).SelectMany(batch => batch).ToArray();
        Assert.IsGreaterThan(0.95, Order(Ml.Data.LoadFromBinary(path)));
        Assert.IsLessThan(0.8, Math.Abs(Order(Ml.Data.ShuffleRows(Ml.Data.LoadFromBinary(path), seed: 1)))); // 40 blocks
    }

    [TestMethod]
    public void Streaming_IncludesOnlyTheChosenRows()
    {
        var data = Example.View(Ml, Numbered(50));
        var source = new StreamingBatches<LabeledBatch>(data, Columns(data), 25, (row, _) => row % 2 == 0, 10, Settings(10), Labeled(), checksum: null);
        CollectionAssert.AreEqual(Enumerable.Range(0, 25).Select(i => 2 * i).ToArray(), Epoch(source, 1).SelectMany(batch => batch).Order().ToArray());
    }

    private static IBatchSource<LabeledBatch> Open(int count, bool streaming, BatchSettings settings, int buffer = 30, bool weighted = false, LabelScale? scale = null)
    {
        var data = Example.View(Ml, Numbered(count));
        var columns = Columns(data, weighted: weighted);
        return streaming
            ? new StreamingBatches<LabeledBatch>(data, columns, count, (_, _) => true, buffer, settings, Labeled(scale), checksum: null)
            : new InMemoryBatches<LabeledBatch>(TrainingRows.Read(data, columns, null, () => { }, out _), Enumerable.Range(0, count).ToArray(), settings, Labeled(scale), checksum: null);
    }
}
