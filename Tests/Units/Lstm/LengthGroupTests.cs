using MLExtensions.Engine;
using MLExtensions.Tests.Contract;
using MLExtensions.Training;
using static MLExtensions.Tests.Data.TrainingDataSample;

namespace MLExtensions.Tests.Lstm;

/// <summary>Batches of rows of about one length: every row exactly once, in an order of each epoch's own.</summary>
[TestClass]
public sealed class LengthGroupTests
{
    private const int Rows = 1103;
    private const int Size = 10;

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Epoch_EveryRowOnceInFullBatches(bool streaming)
    {
        var source = Open(streaming);
        for (var epoch = 1; epoch < 4; epoch++)
        {
            var batches = Epoch(source, epoch);
            CollectionAssert.AreEqual(Enumerable.Repeat(Size, 110).Append(3).ToArray(), batches.Select(batch => batch.Length).ToArray());
            CollectionAssert.AreEqual(Enumerable.Range(0, Rows).ToArray(), batches.SelectMany(batch => batch).Order().ToArray());
        }
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Batches_AreOfAboutOneLength(bool streaming)
    {
        var batches = Epoch(Open(streaming), 1);
        var spans = batches.Select(batch => batch.Max(LengthOf) - batch.Min(LengthOf)).ToArray();
        Assert.IsLessThan(5, spans.Average());
        Assert.IsGreaterThan(50, Epoch(Open(streaming, grouped: false), 1).Average(batch => batch.Max(LengthOf) - batch.Min(LengthOf)));
        // Short and long batches take turns at random.
        var lengths = batches.Select(batch => batch.Average(LengthOf)).ToArray();
        Assert.IsGreaterThan(30, lengths.Zip(lengths.Skip(1)).Count(pair => pair.Second < pair.First));
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Order_DependsOnEpochAndSeedOnly(bool streaming)
    {
        int[] Read(int seed, int epoch) => Epoch(Open(streaming, seed), epoch).SelectMany(batch => batch).ToArray();
        var source = Open(streaming);
        var first = Epoch(source, 1).SelectMany(batch => batch).ToArray();
        CollectionAssert.AreEqual(Read(1, 2), Epoch(source, 2).SelectMany(batch => batch).ToArray());
        CollectionAssert.AreEqual(first, Read(1, 1));
        foreach (var other in new[] { Read(1, 2), Read(2, 1) })
            Assert.IsLessThan(100, first.Zip(other).Count(pair => pair.First == pair.Second));
    }

    /// <summary>Rows meet other rows in each epoch, not just in another order.</summary>
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Neighbors_DifferBetweenEpochs(bool streaming)
    {
        var source = Open(streaming);
        HashSet<(int, int)> Pairs(int epoch) => [.. Epoch(source, epoch).SelectMany(batch => batch.SelectMany(a => batch.Where(b => b > a).Select(b => (a, b))))];
        var first = Pairs(1);
        var shared = first.Intersect(Pairs(2)).Count();
        Assert.IsLessThan(0.6, shared / (double)first.Count);
    }

    [TestMethod]
    public void Unshuffled_IsSortedByLength()
    {
        var batches = Epoch(Open(streaming: false, shuffle: false), 1);
        var lengths = batches.SelectMany(batch => batch).Select(LengthOf).ToArray();
        CollectionAssert.AreEqual(lengths.Order().ToArray(), lengths);
        CollectionAssert.AreEqual(Enumerable.Range(0, Rows).ToArray(), batches.SelectMany(batch => batch).Order().ToArray());
    }

    [TestMethod]
    public void HugeBatches_AreOneGroup()
    {
        var settings = Settings(int.MaxValue) with { LengthOf = features => (int)features[0] };
        Assert.AreEqual(int.MaxValue, LengthGroups.GroupRows(settings));
        var rows = Enumerable.Range(0, 20).Reverse().ToArray();
        var random = new SplitMix64(1);
        LengthGroups.Arrange(rows, row => row, settings, ref random);
        CollectionAssert.AreEqual(Enumerable.Range(0, 20).ToArray(), rows);
    }

    /// <summary>Lengths from 0 to 100, in no order.</summary>
    private static int LengthOf(int row) => row * 37 % 101;

    private static IBatchSource<LabeledBatch> Open(bool streaming, int seed = 1, bool shuffle = true, bool grouped = true)
    {
        var data = Example.View(Ml, Numbered(Rows));
        var columns = Columns(data);
        var settings = Settings(Size, shuffle, seed) with { LengthOf = grouped ? features => LengthOf((int)features[0]) : null };
        return streaming
            ? new StreamingBatches<LabeledBatch>(data, columns, Rows, (_, _) => true, 300, settings, Labeled(), checksum: null)
            : new InMemoryBatches<LabeledBatch>(TrainingRows.Read(data, columns, null, () => { }, out _), Enumerable.Range(0, Rows).ToArray(), settings, Labeled(), checksum: null);
    }
}
