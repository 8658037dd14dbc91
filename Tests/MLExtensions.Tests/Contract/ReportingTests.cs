using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Tests.TensorBoard;

namespace MLExtensions.Tests.Contract;

/// <summary>Training tells how it goes: progress, log, history, TensorBoard.</summary>
[TestClass]
public sealed class ReportingTests
{
    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Progress_OneReportAnEpochAtLeast(string name)
    {
        var subject = Subjects.Get(name);
        var reports = new List<TrainingProgress>();
        var model = subject.Fit(subject.Rows(100), o => (o.Epochs, o.BatchSize, o.ValidationFraction, o.Progress) = (3, 16, 0.2, new Listener(reports.Add)));
        var completed = reports.Where(report => report.Completed != null).ToArray();
        CollectionAssert.AreEqual(model.Model.History.Epochs.ToArray(), completed.Select(report => report.Completed).ToArray());
        CollectionAssert.AreEqual(new[] { 1, 2, 3 }, completed.Select(report => report.Epoch).ToArray());
        foreach (var report in completed)
        {
            Assert.AreEqual(3, report.Epochs);
            Assert.AreEqual(5, report.Batches);
            Assert.AreEqual(5, report.Batch);
            Assert.AreEqual(report.Completed!.TrainingLoss, report.TrainingLoss, 1e-12);
            Assert.AreEqual(report.Completed.Examples / report.Completed.Seconds, report.ExamplesPerSecond, 1e-6 * report.ExamplesPerSecond);
            Assert.AreEqual(report.Completed.Seconds * (3 - report.Epoch), report.TimeLeft.TotalSeconds, 1e-3);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Log_OneLineAnEpoch(string name)
    {
        var subject = Subjects.Get(name);
        var ml = new MLContext(1);
        var lines = new List<string>();
        ml.Log += (_, log) => lines.AddRange(log.Kind == ChannelMessageKind.Info && log.Message.Contains("epoch") ? [log.Message] : []);
        var model = subject.Fit(subject.Rows(100), o => (o.Epochs, o.ValidationFraction) = (3, 0.2), ml: ml);
        var expected = model.Model.History.Epochs.Prepend(model.Model.History.Initial!).Select(record => record.ToString()).ToArray();
        Assert.HasCount(4, lines);
        foreach (var (record, line) in expected.Zip(lines))
            Assert.Contains(record, line);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void History_HoldsWhatWasMeasured(string name)
    {
        var subject = Subjects.Get(name);
        var history = subject.Fit(subject.Rows(100), o =>
        {
            o.Epochs = 4;
            o.BatchSize = 10;
            o.LearningRate = 0.01;
            o.LearningRateSchedule = new CosineSchedule();
            o.ValidationFraction = 0.2;
        }).Model.History;
        Assert.HasCount(4, history.Epochs);
        Assert.AreEqual(1, history.Seed);
        Assert.AreEqual(1, history.ThreadCount);
        Assert.AreEqual("float32", history.Precision);
        CollectionAssert.AreEqual(new[] { 1, 2, 3, 4 }, history.Epochs.Select(epoch => epoch.Epoch).ToArray());
        var metric = subject.Task == ContractTask.Regression ? "rmse" : "accuracy";
        var batches = (int)Math.Ceiling(history.Epochs[0].Examples / 10.0);
        for (var epoch = 0; epoch < 4; epoch++)
        {
            var record = history.Epochs[epoch];
            var done = epoch + ((batches - 1.0) / batches);
            Assert.AreEqual(0.01 * (1 + Math.Cos(Math.PI * done / 4)) / 2, record.LearningRate, 1e-6);
            CollectionAssert.AreEquivalent(new[] { "loss", metric }, record.Training.Keys.ToArray());
            CollectionAssert.AreEquivalent(new[] { "loss", metric }, record.Validation.Keys.ToArray());
            Assert.IsGreaterThan(0, record.Seconds);
        }
    }

    /// <summary>The last epoch's validation numbers are those that ML.NET finds with the model.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void ValidationMetric_IsWhatEvaluateFinds(string name)
    {
        var subject = Subjects.Get(name);
        var ml = new MLContext(1);
        // More rows than a validation batch, so that a mean over batches alone would be wrong.
        var validation = subject.View(ml, 1100, seed: 3);
        var model = subject.Fit(subject.CreateTrainer(ml, subject.Options(o => o.Epochs = 3, noisy: true)), subject.View(ml, 100), validation);
        var last = model.Model.History.Epochs[^1].Validation;
        var scored = model.Transform(validation);
        if (subject.Task == ContractTask.Regression)
            Assert.AreEqual(ml.Regression.Evaluate(scored, subject.Task.LabelColumn).RootMeanSquaredError, last["rmse"], 1e-4);
        else
            Assert.AreEqual(subject.Task.Quality(ml, scored), last["accuracy"], 1e-6);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void TensorBoard_ScalarsAndHistograms(string name)
    {
        var subject = Subjects.Get(name);
        using var folder = new TemporaryFolder();
        var history = subject.Fit(subject.Rows(100), o => (o.Epochs, o.ValidationFraction, o.TensorBoardFolder) = (3, 0.2, folder.File("run"))).Model.History;
        var values = EventFile.Read(Directory.GetFiles(folder.File("run")).Single());
        var losses = values.Where(value => value.Tag == "loss/training").ToArray();
        CollectionAssert.AreEqual(new long[] { 1, 2, 3 }, losses.Select(value => value.Step).ToArray());
        Assert.HasCount(4, values.Where(value => value.Tag == "loss/validation").ToArray());
        Assert.HasCount(3, values.Where(value => value.Tag == "learning rate").ToArray());
        Assert.IsGreaterThanOrEqualTo(6, values.Count(value => value.Tag.StartsWith("network/", StringComparison.Ordinal)));
        foreach (var (record, value) in history.Epochs.Zip(losses))
            Assert.AreEqual((float)record.TrainingLoss, value[2].Float);
    }
}
