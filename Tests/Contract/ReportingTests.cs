using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Tests.TensorBoard;

namespace MLExtensions.Tests.Contract;

/// <summary>Training tells how it goes: progress, log, history, TensorBoard.</summary>
[TestClass]
public sealed class ReportingTests
{
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void Progress_OneReportAnEpochAtLeast(string name)
    {
        var subject = Subjects.Training(name);
        var reports = new List<TrainingProgress>();
        var model = subject.Fit(subject.Rows(100), o => (o.Epochs, o.BatchSize, o.ValidationFraction, o.Progress) = (3, 16, 0.2, new Listener(reports.Add)));
        var stages = reports.Where(report => report.Completed != null).Chunk(3).ToArray();
        Assert.HasCount(subject.NetworkCount, stages);
        Assert.HasCount(subject.NetworkCount, reports.Select(report => report.Stage).Distinct().ToArray());
        foreach (var (history, completed) in model.Histories.Zip(stages))
        {
            CollectionAssert.AreEqual(history.Epochs.ToArray(), completed.Select(report => report.Completed).ToArray());
            CollectionAssert.AreEqual(new[] { 1, 2, 3 }, completed.Select(report => report.Epoch).ToArray());
            Assert.HasCount(1, completed.Select(report => report.Stage).Distinct().ToArray());
            foreach (var report in completed)
                CheckCompleted(subject, report);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void Log_OneLineAnEpoch(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        var lines = new List<string>();
        ml.Log += (_, log) => lines.AddRange(log.Kind == ChannelMessageKind.Info && log.Message.Contains("epoch") ? [log.Message] : []);
        var model = subject.Fit(subject.Rows(100), o => (o.Epochs, o.ValidationFraction) = (3, 0.2), ml: ml);
        var expected = model.Histories.SelectMany(history => history.Epochs.Prepend(history.BeforeTraining!)).Select(record => record.ToString()).ToArray();
        Assert.HasCount(4 * subject.NetworkCount, lines);
        foreach (var (record, line) in expected.Zip(lines))
            Assert.Contains(record, line);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void History_HoldsWhatWasMeasured(string name)
    {
        var subject = Subjects.Training(name);
        var model = subject.Fit(subject.Rows(100), o =>
        {
            o.Epochs = 4;
            o.BatchSize = 10;
            o.LearningRate = 0.01;
            o.LearningRateSchedule = new CosineSchedule();
            o.ValidationFraction = 0.2;
        });
        // Networks that are trained one after the other have seeds that follow each other.
        var seed = TestSeed.Of(1);
        foreach (var history in model.Histories)
        {
            Assert.AreEqual(seed++, history.Seed);
            CheckHistory(subject, history);
        }
    }

    /// <summary>The last epoch's validation numbers are those that ML.NET finds with the model.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void ValidationMetric_IsWhatEvaluateFinds(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        // More rows than a validation batch, so that a mean over batches alone would be wrong.
        var validation = subject.View(ml, 1100, seed: 3);
        var model = subject.Fit(subject.CreateEstimator(ml, subject.Options(o => o.Epochs = 3, noisy: true)), subject.View(ml, 100), validation);
        var last = model.Histories.Last().Epochs[^1].Validation;
        foreach (var (metric, value, tolerance) in subject.Evaluate(ml, model, validation))
            Assert.AreEqual(value, last[metric], tolerance, metric);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void TensorBoard_ScalarsAndHistograms(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        var model = subject.Fit(subject.Rows(100), o => (o.Epochs, o.ValidationFraction, o.TensorBoardFolder) = (3, 0.2, folder.File("run")));
        var files = Directory.GetFiles(folder.File("run"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        Assert.HasCount(subject.NetworkCount, files);
        foreach (var (history, file) in model.Histories.Zip(files))
        {
            var values = EventFile.Read(file);
            var losses = values.Where(value => value.Tag == "loss/training").ToArray();
            CollectionAssert.AreEqual(new long[] { 1, 2, 3 }, losses.Select(value => value.Step).ToArray());
            Assert.HasCount(subject.HasValidationLoss ? 4 : 0, values.Where(value => value.Tag == "loss/validation").ToArray());
            Assert.HasCount(3, values.Where(value => value.Tag == "learning rate").ToArray());
            foreach (var network in subject.ReportedNetworks)
                Assert.IsGreaterThanOrEqualTo(6, values.Count(value => value.Tag.StartsWith($"{network}/", StringComparison.Ordinal)));
            foreach (var (record, value) in history.Epochs.Zip(losses))
                Assert.AreEqual((float)record.TrainingLoss, value[2].Float);
        }
    }

    private static void CheckCompleted(TrainingSubject subject, TrainingProgress report)
    {
        Assert.AreEqual(3, report.Epochs);
        Assert.AreEqual(report.Batches, report.Batch);
        if (subject.RowsAreExamples)
            Assert.AreEqual(5, report.Batches);
        Assert.AreEqual(report.Completed!.TrainingLoss, report.TrainingLoss, 1e-12);
        Assert.AreEqual(report.Completed.Examples / report.Completed.Seconds, report.ExamplesPerSecond, 1e-6 * report.ExamplesPerSecond);
        Assert.AreEqual(report.Completed.Seconds * (3 - report.Epoch), report.TimeLeft.TotalSeconds, 1e-3);
    }

    private static void CheckHistory(TrainingSubject subject, TrainingHistory history)
    {
        Assert.HasCount(4, history.Epochs);
        Assert.AreEqual(1, history.ThreadCount);
        Assert.AreEqual("float32", history.Precision);
        CollectionAssert.AreEqual(new[] { 1, 2, 3, 4 }, history.Epochs.Select(epoch => epoch.Epoch).ToArray());
        var batches = (int)Math.Ceiling(history.Epochs[0].Examples / 10.0);
        for (var epoch = 0; epoch < 4; epoch++)
        {
            var record = history.Epochs[epoch];
            var done = epoch + ((batches - 1.0) / batches);
            if (subject.RowsAreExamples)
                Assert.AreEqual(0.01 * (1 + Math.Cos(Math.PI * done / 4)) / 2, record.LearningRate, 1e-6);
            CollectionAssert.AreEquivalent(subject.TrainingMetrics, record.Training.Keys.ToArray());
            CollectionAssert.AreEquivalent(subject.ValidationMetrics, record.Validation.Keys.ToArray());
            Assert.IsGreaterThan(0, record.Seconds);
        }
    }
}
