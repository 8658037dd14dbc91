using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>All that is random comes from the seed, bit by bit.</summary>
[TestClass]
public sealed class SeedTests
{
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void SameSeed_SameBits(string name)
    {
        Outcome.AssertSameBits(Train(name, 7), Train(name, 7));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void OtherSeed_OtherWeights(string name)
    {
        var (first, second) = (Train(name, 7), Train(name, 8));
        Assert.IsGreaterThan(first.Length * 3 / 4, first.Zip(second).Count(pair => pair.First != pair.Second));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void ContextSeed_IsTheDefault(string name)
    {
        var given = Train(name, 7);
        Outcome.AssertSameBits(given, Train(name, null, new MLContext(7)));
        Assert.IsFalse(Outcome.SameBits(given, Train(name, null, new MLContext(8))));
        Outcome.AssertSameBits(given, Train(name, 7, new MLContext(8)));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void NoSeedAtAll_IsRandomAndRecorded(string name)
    {
        var subject = Subjects.Training(name);
        var first = subject.Fit(subject.Rows(100), o => (o.Seed, o.Epochs) = (null, 2), noisy: true, new MLContext());
        var second = subject.Fit(subject.Rows(100), o => (o.Seed, o.Epochs) = (null, 2), noisy: true, new MLContext());
        var seed = first.Networks[0].History!.Seed;
        Assert.AreNotEqual(seed, second.Networks[0].History!.Seed);
        Outcome.AssertSameBits(Outcome.Weights(first), Train(name, seed, rows: 100));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void FitTwice_SameBits(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        var data = subject.View(ml, 100);
        var trainer = subject.CreateEstimator(ml, subject.Options(o => o.Epochs = 2, noisy: true));
        Outcome.AssertSameBits(Outcome.Weights(subject.Fit(trainer, data)), Outcome.Weights(subject.Fit(trainer, data)));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void AnotherModelTrainingMeanwhile_SameBits(string name)
    {
        var alone = Train(name, 7, epochs: 6);
        using var stop = new CancellationTokenSource();
        using var started = new ManualResetEventSlim();
        var other = new Thread(() => TrainOver(name, started, stop.Token));
        other.Start();
        started.Wait();
        float[] together;
        try
        {
            together = Train(name, 7, epochs: 6);
        }
        finally
        {
            stop.Cancel();
            other.Join();
        }
        Outcome.AssertSameBits(alone, together);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void Streaming_SameSeedSameBits(string name)
    {
        var subject = Subjects.Training(name);
        if (!subject.TakesStreaming)
            return;
        void Set(DataTrainingOptions options)
        {
            (options.Buffering, options.Epochs) = (Buffering.Streaming, 2);
            subject.SetShuffleBuffer(options, 30);
        }
        float[] Run() => Outcome.Weights(subject.Fit(subject.Rows(100), Set, noisy: true));
        Outcome.AssertSameBits(Run(), Run());
    }

    private static float[] Train(string name, int? seed, MLContext? ml = null, int epochs = 2, int rows = 100)
    {
        var subject = Subjects.Training(name);
        return Outcome.Weights(subject.Fit(subject.Rows(rows), o => (o.Seed, o.Epochs) = (seed, epochs), noisy: true, ml));
    }

    private static void TrainOver(string name, ManualResetEventSlim started, CancellationToken stop)
    {
        var subject = Subjects.Training(name);
        while (!stop.IsCancellationRequested)
        {
            subject.Fit(subject.Rows(100, seed: 5), o => (o.Seed, o.Epochs) = (99, 1), noisy: true).Dispose();
            started.Set();
        }
    }
}
