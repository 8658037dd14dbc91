using MLExtensions.TensorBoard;

namespace MLExtensions.Tests.TensorBoard;

[TestClass]
public class EventWriterTests
{
    // A picture of one red pixel.
    private static readonly byte[] Png = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC");

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "events-" + Guid.NewGuid().ToString("N"));

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void ScalarsKeepTagStepValueAndTime()
    {
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1e3;
        var values = Written(writer =>
        {
            writer.Scalar("loss/training", 0.1, 0);
            writer.Scalar("loss/training", double.NaN, 1);
            writer.Scalar("名", -1e30, long.MaxValue);
        });

        Assert.HasCount(3, values);
        Assert.AreEqual("loss/training", values[0].Tag);
        Assert.AreEqual(0, values[0].Step);
        Assert.AreEqual(0.1f, values[0][2].Float);
        Assert.IsTrue(float.IsNaN(values[1][2].Float));
        Assert.AreEqual("名", values[2].Tag);
        Assert.AreEqual(long.MaxValue, values[2].Step);
        Assert.AreEqual(-1e30f, values[2][2].Float);
        Assert.IsGreaterThanOrEqualTo(before, values[0].WallTime);
        Assert.IsLessThan(before + 3600, values[2].WallTime);
    }

    [TestMethod]
    public void FileNameHasTimeAndMachineAndTwoWritersDoNotMeet()
    {
        using var first = new EventWriter(_folder);
        using var second = new EventWriter(_folder);

        Assert.AreNotEqual(first.Path, second.Path);
        StringAssert.Matches(Path.GetFileName(first.Path), new(@"^events\.out\.tfevents\.\d{10}\.[A-Za-z0-9-]+\.[0-9a-f]{32}$"));
    }

    [TestMethod]
    public void FlushedEventsCanBeReadWhileWritingGoesOn()
    {
        using var writer = new EventWriter(_folder);
        writer.Scalar("x", 1, 1);
        writer.Flush();

        using var reader = new FileStream(writer.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);

        Assert.IsGreaterThan(60, reader.Length);
    }

    [TestMethod]
    public void HistogramCountsEveryValueInItsBucket()
    {
        float[] data = [-3, -3, 0, 0.5f, 1e-20f, float.MaxValue, float.MinValue, 2];
        var histogram = Written(writer => writer.Histogram("w", data, 3)).Single()[5].Message;

        Assert.AreEqual(float.MinValue, histogram.Get(1).Double);
        Assert.AreEqual(float.MaxValue, histogram.Get(2).Double);
        Assert.AreEqual(8, histogram.Get(3).Double);
        Assert.AreEqual(-3.5 + 1e-20f, histogram.Get(4).Double, 1e22);
        var limits = histogram.Get(6).Doubles;
        var counts = histogram.Get(7).Doubles;
        Assert.HasCount(limits.Length, counts);
        CollectionAssert.AreEqual(limits.Order().ToArray(), limits);
        for (var i = 0; i < limits.Length; i++)
        {
            var lower = i == 0 ? double.NegativeInfinity : limits[i - 1];
            Assert.AreEqual(data.Count(x => x >= lower && x < limits[i]), counts[i], $"bucket up to {limits[i]}");
        }
        Assert.AreEqual(8, counts.Sum());
    }

    [TestMethod]
    public void HistogramSumsAreExact()
    {
        var histogram = Written(writer => writer.Histogram("w", [1, 2, -4, 0.5f], 0)).Single()[5].Message;

        CollectionAssert.AreEqual(
            new double[] { -4, 2, 4, -0.5, 21.25 }, Enumerable.Range(1, 5).Select(i => histogram.Get(i).Double).ToArray());
    }

    [TestMethod]
    public void HistogramOfConstantsIsOneBucket()
    {
        var histogram = Written(writer => writer.Histogram("w", [7, 7, 7], 0)).Single()[5].Message;

        Assert.AreEqual(7, histogram.Get(1).Double);
        Assert.AreEqual(7, histogram.Get(2).Double);
        CollectionAssert.AreEqual(new double[] { 3 }, histogram.Get(7).Doubles);
        Assert.IsGreaterThan(7.0, histogram.Get(6).Doubles[0]);
    }

    [TestMethod]
    public void HistogramLeavesNonFiniteValuesOutAndCountsThem()
    {
        var values = Written(writer => writer.Histogram("w", [1, float.NaN, float.PositiveInfinity, 2], 5));

        Assert.AreEqual(2, values[0][5].Message.Get(3).Double);
        Assert.AreEqual("w/non-finite", values[1].Tag);
        Assert.AreEqual(2f, values[1][2].Float);
        Assert.AreEqual(5, values[1].Step);
    }

    [TestMethod]
    [DataRow(new float[0])]
    [DataRow(new[] { float.NaN })]
    public void HistogramOfNothingIsEmpty(float[] data)
    {
        var histogram = Written(writer => writer.Histogram("w", data, 0))[0][5].Message;

        Assert.AreEqual(0, histogram.Get(3).Double);
        Assert.AreEqual(0, histogram.Get(1).Double);
        CollectionAssert.AreEqual(new double[] { 0 }, histogram.Get(7).Doubles);
    }

    [TestMethod]
    public void ImagesAreKeptAsTheyAre()
    {
        var image = Written(writer => writer.Image("sample", Png, 1, 1, 9)).Single()[4].Message;

        Assert.AreEqual(1UL, image.Get(1).Bits);
        Assert.AreEqual(1UL, image.Get(2).Bits);
        Assert.AreEqual(3UL, image.Get(3).Bits);
        CollectionAssert.AreEqual(Png, image.Get(4).Bytes);
    }

    [TestMethod]
    public void WhatIsNoPngOfThatSizeIsRefusedAndWritesNothing()
    {
        var values = Written(writer =>
        {
            Assert.ThrowsExactly<ArgumentException>(() => writer.Image("x", new byte[100], 1, 1, 0));
            var error = Assert.ThrowsExactly<ArgumentException>(() => writer.Image("x", Png, 2, 1, 0));
            StringAssert.Contains(error.Message, "1 x 1 pixels, not 2 x 1");
            Assert.ThrowsExactly<ArgumentException>(() => writer.Scalar(" ", 1, 0));
        });

        Assert.IsEmpty(values);
    }

    [TestMethod]
    public void TextIsAStringTensorForTheTextPlugin()
    {
        var value = Written(writer => writer.Text("note", "**bold** ä", 2)).Single();

        var tensor = value[8].Message;
        Assert.AreEqual(7UL, tensor.Get(1).Bits);
        Assert.AreEqual(1UL, tensor.Get(2).Message.Get(2).Message.Get(1).Bits);
        Assert.AreEqual("**bold** ä", tensor.Get(8).Text);
        Assert.AreEqual("text", value[9].Message.Get(1).Message.Get(1).Text);
    }

    [TestMethod]
    public void TwoThreadsGiveOneValidFile()
    {
        const int Each = 2000;
        var values = Written(writer => Parallel.For(0, 2, thread =>
        {
            for (var step = 0; step < Each; step++)
            {
                writer.Scalar("thread" + thread, step * 0.5, step);
            }
        }));

        for (var thread = 0; thread < 2; thread++)
        {
            var own = values.Where(v => v.Tag == "thread" + thread).ToList();
            CollectionAssert.AreEqual(Enumerable.Range(0, Each).Select(i => (long)i).ToArray(), own.Select(v => v.Step).ToArray());
            CollectionAssert.AreEqual(Enumerable.Range(0, Each).Select(i => i * 0.5f).ToArray(), own.Select(v => v[2].Float).ToArray());
        }
    }

    [TestMethod]
    public void ClosedWriterRefusesAndCanBeClosedAgain()
    {
        var writer = new EventWriter(_folder);
        writer.Dispose();
        writer.Dispose();

        Assert.ThrowsExactly<ObjectDisposedException>(() => writer.Scalar("x", 1, 1));
    }

    private List<EventFile.Value> Written(Action<EventWriter> write)
    {
        using var writer = new EventWriter(_folder);
        write(writer);
        writer.Dispose();
        return EventFile.Read(writer.Path);
    }
}
