using System.Buffers.Binary;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Tests.Plotting;

[TestClass]
public class PictureTests
{
    private readonly string _folder = Environment.GetEnvironmentVariable("PICTURES")
        ?? Path.Combine(Path.GetTempPath(), "pictures-" + Guid.NewGuid().ToString("N"));

    [TestCleanup]
    public void Clean()
    {
        if (Environment.GetEnvironmentVariable("PICTURES") is null && Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [TestMethod]
    public void HistoryHasTheDefaultSize() => AssertPng("classic.png", path => Classic(30).SavePng(path), 900, 500);

    [TestMethod]
    public void HistoryWithOneMetric() => AssertPng("loss.png", path => LossOnly().SavePng(path, 640, 400), 640, 400);

    [TestMethod]
    public void HistoryWithManyMetrics() => AssertPng("many.png", path => Many().SavePng(path, 1000, 700), 1000, 700);

    [TestMethod]
    public void HistoryWithOneEpochAndNonFiniteValues()
    {
        AssertPng("one.png", path => Classic(1).SavePng(path), 900, 500);
        AssertPng("gap.png", path => WithGap().SavePng(path), 900, 500);
        AssertPng("nan.png", path => AllNaN().SavePng(path), 900, 500);
    }

    [TestMethod]
    public void ConfusionMatrixWithNames() =>
        AssertPng("confusion3.png", path => Confusion(3).SavePng(path, ["airplane", "bird", "frog"]), 750, 650);

    [TestMethod]
    public void ConfusionMatrixWithManyClasses()
    {
        AssertPng("confusion2.png", path => Confusion(2).SavePng(path, null, 400, 350), 400, 350);
        AssertPng("confusion10.png", path => Confusion(10).SavePng(path), 750, 650);
        AssertPng("confusion100.png", path => Confusion(100).SavePng(path, null, 1000, 900), 1000, 900);
    }

    [TestMethod]
    public void BadArgumentsAreNamedAndNothingIsWritten()
    {
        var path = Path.Combine(_folder, "bad.png");

        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => Confusion(3).SavePng(path, ["a", "b"])).Message, "There are 2 class names for 3 classes");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Classic(3).SavePng(path, width: 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Classic(3).SavePng(path, height: 100_000));
        Assert.ThrowsExactly<ArgumentException>(() => (Classic(3) with { Epochs = [] }).SavePng(path));
        Assert.IsFalse(File.Exists(path));
    }

    private void AssertPng(string name, Action<string> save, int width, int height)
    {
        var path = Path.Combine(_folder, name);
        save(path);
        var png = File.ReadAllBytes(path);
        CollectionAssert.AreEqual(new byte[] { 0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A }, png[..8]);
        Assert.AreEqual(width, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)));
        Assert.AreEqual(height, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)));
        Assert.IsGreaterThan(2000, png.Length);
    }

    private static TrainingHistory Classic(int epochs) => History(epochs, epochs * 2 / 3 + 1, e => new Dictionary<string, double>
    {
        ["loss"] = 2.2 * Math.Exp(-e / 6.0) + .05,
        ["accuracy"] = 1 - .85 * Math.Exp(-e / 5.0),
    }, e => new Dictionary<string, double>
    {
        ["loss"] = 2.1 * Math.Exp(-e / 5.0) + .15 + .0008 * e * e,
        ["accuracy"] = .95 - .8 * Math.Exp(-e / 4.0) - .0001 * e * e,
    });

    private static TrainingHistory LossOnly() =>
        History(200, null, e => new Dictionary<string, double> { ["loss"] = 1.0 / e }, _ => new Dictionary<string, double>());

    private static TrainingHistory Many() => History(12, 9, e => Metrics(e), e => Metrics(e - .5));

    private static TrainingHistory WithGap() => History(
        10,
        null,
        e => new Dictionary<string, double> { ["loss"] = e == 4 ? double.NaN : e == 8 ? double.PositiveInfinity : 10.0 / e },
        _ => new Dictionary<string, double>());

    private static TrainingHistory AllNaN() =>
        History(10, null, _ => new Dictionary<string, double> { ["loss"] = double.NaN }, _ => new Dictionary<string, double>());

    private static Dictionary<string, double> Metrics(double e) => new()
    {
        ["loss"] = 40000 / (e + 1),
        ["rmse"] = 200 / Math.Sqrt(e + 1),
        ["mae"] = 150 / Math.Sqrt(e + 1),
        ["r2"] = 1 - 1 / (e + 1),
        ["perplexity"] = 500 * Math.Exp(-e / 4) + 80,
    };

    private static TrainingHistory History(
        int epochs, int? best, Func<int, Dictionary<string, double>> training, Func<int, Dictionary<string, double>> validation) => new()
        {
            Epochs = [.. Enumerable.Range(1, epochs).Select(e => new EpochRecord
            {
                Epoch = e,
                LearningRate = 1e-3,
                Seconds = 1,
                Examples = 1000,
                Training = training(e),
                Validation = validation(e),
            })],
            BestEpoch = best,
            StopReason = StopReason.Epochs,
            Seed = 1,
            ThreadCount = 1,
            Device = "cpu",
            Precision = "float32",
        };

    private static ConfusionMatrix Confusion(int classes)
    {
        var random = new Random(1);
        var counts = new double[classes][];
        for (var actual = 0; actual < classes; actual++)
        {
            counts[actual] = [.. Enumerable.Range(0, classes).Select(predicted => (double)random.Next(predicted == actual ? 1200 : 140))];
        }
        var host = ((IHostEnvironment)new MLContext()).Register("Confusion");
        var names = Enumerable.Range(0, classes).Select(i => i.ToString().AsMemory()).ToList();
        return new ConfusionMatrix(host, new double[classes], new double[classes], counts, names, isSampled: false, isBinary: classes == 2);
    }
}
