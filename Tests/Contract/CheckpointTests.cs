using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Training that was stopped goes on as if it had not been, whatever stopped it.</summary>
[TestClass]
public sealed class CheckpointTests
{
    private const int Epochs = 6;

    /// <summary>What training gives in one go, and what some of the tests compare with.</summary>
    private static readonly SharedModels Whole = new(name => Train(name, null));

    /// <summary>A process each: running statistics, gates, several networks, no labels, two networks at once.</summary>
    public static IEnumerable<object[]> KilledNames => new[] { "MlpMulticlass", "ResNetRegression", "LstmBinary", "StackedRbm", "Autoencoder", "Dcgan" }.Select(name => new object[] { name });

    [ClassCleanup]
    public static void DisposeModels() => Whole.Dispose();

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void MoreEpochs_SameBitsAsInOneGo(string name)
    {
        using var folder = new TemporaryFolder();
        Train(name, folder.Path, o => o.Epochs = 2).Dispose();
        var resumed = Train(name, folder.Path, o => o.ResumeFromCheckpoint = true);
        var whole = Whole.Get(name);
        Outcome.AssertSameBits(Outcome.Weights(whole), Outcome.Weights(resumed));
        AssertSameHistory(whole, resumed);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void Streaming_SameBitsAsInOneGo(string name)
    {
        if (!Subjects.Training(name).TakesStreaming)
            return;
        using var folder = new TemporaryFolder();
        Train(name, folder.Path, o => (o.Epochs, o.Buffering) = (2, Buffering.Streaming)).Dispose();
        var resumed = Train(name, folder.Path, o => (o.ResumeFromCheckpoint, o.Buffering) = (true, Buffering.Streaming));
        Outcome.AssertSameBits(Outcome.Weights(Train(name, null, o => o.Buffering = Buffering.Streaming)), Outcome.Weights(resumed));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void BFloat16_SameBitsAsInOneGo(string name)
    {
        using var folder = new TemporaryFolder();
        Train(name, folder.Path, o => (o.Epochs, o.Precision) = (2, Precision.BFloat16)).Dispose();
        var resumed = Train(name, folder.Path, o => (o.ResumeFromCheckpoint, o.Precision) = (true, Precision.BFloat16));
        Outcome.AssertSameBits(Outcome.Weights(Train(name, null, o => o.Precision = Precision.BFloat16)), Outcome.Weights(resumed));
    }

    [TestMethod]
    [DynamicData(nameof(KilledNames))]
    public void Killed_SameBitsAsInOneGo(string name)
    {
        using var folder = new TemporaryFolder();
        using (var child = ChildProcess.Start(TrainInChild, [name, folder.Path]))
        {
            while (child.StandardOutput.ReadLine() is { } line && line != "ready")
            {
            }
            child.Kill();
            child.WaitForExit();
        }
        var epochs = 0;
        var resumed = Train(name, folder.Path, o => (o.ResumeFromCheckpoint, o.Progress) = (true, new Listener(p => epochs += p.Completed == null ? 0 : 1)));
        Assert.AreEqual(Epochs - 3, epochs, "epochs that were left");
        Outcome.AssertSameBits(Outcome.Weights(Whole.Get(name)), Outcome.Weights(resumed));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void Cancelled_WithinABatchAndResumable(string name)
    {
        using var folder = new TemporaryFolder();
        using var source = new CancellationTokenSource();
        var reports = 0;
        var cancelInEpochThree = AtEpochOfTheLastNetwork(name, 3, source.Cancel);
        void Listen(TrainingProgress progress)
        {
            reports++;
            cancelInEpochThree.Report(progress);
        }
        Assert.ThrowsExactly<OperationCanceledException>(() => Train(name, folder.Path, o => (o.Progress, o.CancellationToken) = (new Listener(Listen), source.Token)));
        var after = reports;
        var resumed = Train(name, folder.Path, o => o.ResumeFromCheckpoint = true);
        Assert.AreEqual(after, reports);
        Outcome.AssertSameBits(Outcome.Weights(Whole.Get(name)), Outcome.Weights(resumed));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void CancelledBefore_NothingIsRead(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        var rows = subject.Rows(10);
        rows[0] = subject.Spoil(rows[0], 0, float.NaN);
        var trainer = subject.CreateEstimator(ml, subject.Options(o => o.CancellationToken = new CancellationToken(canceled: true)));
        Assert.ThrowsExactly<OperationCanceledException>(() => trainer.Fit(Example.View(ml, rows, subject.FeatureCount)));
    }

    /// <summary>ML.NET's own way to cancel, which is internal to it.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void ContextCancelled_Stops(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        var epochs = 0;
        void Cancel(TrainingProgress progress)
        {
            if (progress.Completed != null)
                epochs++;
            ml.CancelExecution();
        }
        Assert.Throws<OperationCanceledException>(() => subject.Fit(subject.Rows(30), o => o.Progress = new Listener(Cancel), ml: ml));
        Assert.IsLessThanOrEqualTo(1, epochs);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void Finished_ResumeTrainsNoMore(string name)
    {
        using var folder = new TemporaryFolder();
        var whole = Train(name, folder.Path);
        var written = Written(name, folder.Path);
        var again = Train(name, folder.Path, o => o.ResumeFromCheckpoint = true);
        Outcome.AssertSameBits(Outcome.Weights(whole), Outcome.Weights(again));
        AssertSameHistory(whole, again);
        CollectionAssert.AreEqual(written, Written(name, folder.Path));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void NoCheckpointYet_StartsFromTheBeginning(string name)
    {
        using var folder = new TemporaryFolder();
        var model = Train(name, folder.File("new"), o => (o.ResumeFromCheckpoint, o.CheckpointInterval) = (true, 4));
        Outcome.AssertSameBits(Outcome.Weights(Whole.Get(name)), Outcome.Weights(model));
        Written(name, folder.File("new"));
    }

    /// <summary>Stops for good while epoch 4 is reported, which no checkpoint holds yet.</summary>
    private static void TrainInChild(string[] args)
    {
        TestAssembly.InitializeTorch();
        Train(args[0], args[1], o => o.Progress = AtEpochOfTheLastNetwork(args[0], 4, () =>
        {
            Console.WriteLine("ready");
            Thread.Sleep(Timeout.Infinite);
        }));
    }

    /// <summary>Everything that has a state is on: optimizer, average, early stopping, what the family has.</summary>
    private static TrainedModel Train(string name, string? folder, Action<DataTrainingOptions>? change = null)
    {
        var subject = Subjects.Training(name);
        return subject.Fit(subject.Rows(120), options =>
        {
            options.Epochs = Epochs;
            options.CheckpointFolder = folder;
            options.ValidationFraction = 0.2;
            options.EarlyStopping = subject.HasGoal ? new EarlyStopping { Patience = 100 } : null;
            options.EmaDecay = 0.9;
            change?.Invoke(options);
        }, noisy: true);
    }

    private static void AssertSameHistory(TrainedModel expected, TrainedModel actual)
    {
        static EpochRecord Timeless(EpochRecord record) => record with { Seconds = 0 };
        foreach (var (a, b) in expected.Histories.Zip(actual.Histories))
        {
            CollectionAssert.AreEqual(a.Epochs.Select(Timeless).ToArray(), b.Epochs.Select(Timeless).ToArray());
            Assert.AreEqual(Timeless(a.BeforeTraining!), Timeless(b.BeforeTraining!));
            Assert.AreEqual(a.BestEpoch, b.BestEpoch);
        }
    }

    /// <summary>When each network's checkpoint was written; there is nothing else in the folder.</summary>
    private static DateTime[] Written(string name, string folder)
    {
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories);
        Assert.HasCount(Subjects.Training(name).NetworkCount, files);
        return Array.ConvertAll(files, File.GetLastWriteTimeUtc);
    }

    /// <summary>Runs an action when an epoch of the last network is done.</summary>
    private static Listener AtEpochOfTheLastNetwork(string name, int epoch, Action action)
    {
        var before = (Subjects.Training(name).NetworkCount - 1) * Epochs;
        var completed = 0;
        return new Listener(progress =>
        {
            if (progress.Completed != null && ++completed == before + epoch)
                action();
        });
    }
}
