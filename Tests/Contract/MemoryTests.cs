using Microsoft.ML;
using TorchSharp;

namespace MLExtensions.Tests.Contract;

/// <summary>No tensor outlives its use, without waiting for the garbage collector.</summary>
[TestClass]
public sealed class MemoryTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>The tensors that this thread made and did not dispose. <c>Tensor.TotalCount</c> counts each parameter twice.</summary>
    private static long Live => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void Fits_LeaveOnlyTheModel(string name)
    {
        var subject = Subjects.Training(name);
        TrainedModel Fit() => subject.Fit(subject.Rows(100), o => (o.Epochs, o.ValidationFraction, o.EarlyStopping, o.EmaDecay) = (2, 0.2, subject.HasGoal ? new EarlyStopping() : null, 0.9), noisy: true);
        AssertNoGrowth(() => Fit().Dispose());
        var before = Live;
        using var model = Fit();
        Assert.AreEqual(model.Networks.Concat(model.Untrained).Sum(network => network.WeightShapes.Count), Live - before, "the model's own tensors");
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void OtherWaysToTrain_LeaveNothing(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        AssertNoGrowth(() => subject.Fit(subject.Rows(100), o => (o.Epochs, o.Precision) = (2, Precision.BFloat16), noisy: true).Dispose());
        foreach (var buffering in subject.Bufferings)
            AssertNoGrowth(() => subject.Fit(subject.Rows(100), o => (o.Epochs, o.Buffering) = (2, buffering), noisy: true).Dispose());
        AssertNoGrowth(() => subject.Fit(subject.Rows(100), o => (o.Epochs, o.CheckpointFolder, o.TensorBoardFolder) = (2, folder.Path, folder.Path), noisy: true).Dispose());
        AssertNoGrowth(() => subject.Fit(subject.Rows(100), o => (o.Epochs, o.CheckpointFolder, o.ResumeFromCheckpoint) = (3, folder.Path, true), noisy: true).Dispose());
        using var initial = subject.Fit(subject.Rows(100), o => o.Epochs = 1);
        AssertNoGrowth(() => subject.Fit(subject.Rows(100), o => (o.Epochs, o.InitialModel) = (2, initial.Transformer)).Dispose());
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void FailedFits_LeaveNothing(string name)
    {
        var subject = Subjects.Training(name);
        var rows = subject.Rows(100);
        var bad = rows.ToArray();
        bad[90] = subject.Spoil(bad[90], 0, float.NaN);
        if (!subject.TakesAnyValue)
        {
            foreach (var buffering in subject.Bufferings)
                AssertNoGrowth(() => Assert.Throws<FormatException>(() => subject.Fit(bad, o => o.Buffering = buffering)));
        }
        AssertNoGrowth(() => Assert.Throws<InvalidOperationException>(() => subject.Fit(rows, o => (o.LearningRate, o.Optimizer, o.L2Regularization) = (1e30, new SgdOptimizer(), 1))));
        AssertNoGrowth(() =>
        {
            using var source = new CancellationTokenSource();
            Assert.Throws<OperationCanceledException>(() => subject.Fit(rows, o => (o.CancellationToken, o.Progress) = (source.Token, new Listener(_ => source.Cancel()))));
        });
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkTransformerNames), typeof(Subjects))]
    public void Predictions_LeaveNothing(string name)
    {
        var subject = Subjects.Training(name);
        using var model = subject.Fit(subject.Rows(100), o => o.Epochs = 1, noisy: true);
        var rows = subject.Rows(500);
        AssertNoGrowth(() => subject.Values(model.Transform(Example.View(Ml, rows))));
        if (subject.MapsRows)
            Assert.AreEqual(GrowthOf(() => Predict(5)), GrowthOf(() => Predict(500)), "a prediction engine's own row is ML.NET's to dispose, which it leaves to the garbage collector");
        AssertNoGrowth(() => subject.Values(Ml.Data.TakeRows(model.Transform(Example.View(Ml, rows)), 3)));
        AssertNoGrowth(() => model.Networks[0].GetWeights(model.Networks[0].WeightShapes.Keys.First()));

        void Predict(int count) => subject.PredictRows(Ml, model.Transformer, rows[..count]);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkTransformerNames), typeof(Subjects))]
    public void SaveAndLoad_LeaveNothing(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        using var model = subject.Fit(subject.Rows(100), o => o.Epochs = 1, noisy: true);
        AssertNoGrowth(() =>
        {
            Ml.Model.Save(model.Transformer, subject.View(Ml, 1).Schema, folder.File("model.zip"));
            ((IDisposable)Ml.Model.Load(folder.File("model.zip"), out _)).Dispose();
        });
    }

    /// <summary>Once to warm up what is kept for the process, then again.</summary>
    private static void AssertNoGrowth(Action action)
    {
        action();
        Assert.AreEqual(0, GrowthOf(action));
    }

    private static long GrowthOf(Action action)
    {
        var before = Live;
        for (var i = 0; i < 3; i++)
            action();
        return Live - before;
    }
}
