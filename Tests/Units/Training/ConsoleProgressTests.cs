using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Training;

/// <summary>What people see while a network is trained.</summary>
[TestClass]
public sealed class ConsoleProgressTests
{
    private const int TerminalWidth = 100;

    private readonly StringWriter _output = new() { NewLine = "\n" };

    private string[] Lines => _output.ToString().Split('\n');

    [TestMethod]
    public void File_TitleAndATenthOfTheEpochsEach()
    {
        var progress = new ConsoleProgress("what is trained", _output);
        for (var epoch = 1; epoch <= 25; epoch++)
        {
            progress.Report(Report(epoch, 25, batch: 2, completed: false));
            progress.Report(Report(epoch, 25, batch: 4, completed: true));
        }
        Assert.HasCount(12, Lines); // the title, ten lines, and nothing after the last line break
        Assert.AreEqual("what is trained", Lines[0]);
        Assert.AreEqual("  epoch 3/25, loss 0.5000, validation 0.2500, 26:03:04 left, 1,235 examples/s", Lines[1]);
        Assert.StartsWith("  epoch 25/25,", Lines[10]);
        Assert.AreEqual("", Lines[11]);
    }

    [TestMethod]
    public void File_FewEpochs_OneLineEach()
    {
        var progress = new ConsoleProgress(writer: _output);
        for (var epoch = 1; epoch <= 3; epoch++)
            progress.Report(Report(epoch, 3, batch: 4, completed: true));
        Assert.HasCount(4, Lines);
    }

    [TestMethod]
    public void File_TheNextTrainingBeginsAgain()
    {
        var progress = new ConsoleProgress(writer: _output);
        for (var stage = 1; stage <= 2; stage++)
        {
            for (var epoch = 1; epoch <= 20; epoch++)
                progress.Report(Report(epoch, 20, batch: 4, completed: true) with { Stage = $"layer {stage} of 2" });
        }
        Assert.HasCount(21, Lines);
        Assert.StartsWith("  layer 2 of 2, epoch 2/20,", Lines[10]);
    }

    /// <summary>Each report covers the one before, however long that was, and none is so long that the terminal breaks it.</summary>
    [TestMethod]
    public void Terminal_OneLineThatIsWrittenOver()
    {
        var progress = new ConsoleProgress(null, _output, () => TerminalWidth);
        progress.Report(Report(1, 2, batch: 4, completed: true) with { Stage = "a stage with a rather long description that makes a long line of it" });
        progress.Report(Report(2, 2, batch: 2, completed: false));
        Assert.HasCount(1, Lines);
        var written = Lines[0].Split('\r')[1..];
        Assert.IsTrue(written.All(line => line.Length < TerminalWidth), string.Join('|', written));
        Assert.AreEqual(written[0].Length, written[1].Length);
        Assert.AreEqual("[######################--------] epoch 2/2, loss 0.5000, 26:03:04 left, 1,235 examples/s", written[1].TrimEnd());
    }

    [TestMethod]
    public void Terminal_TheLineEndsWithTheTraining()
    {
        var progress = new ConsoleProgress("training", _output, () => TerminalWidth);
        Train(progress, CancellationToken.None);
        _output.Write("next");
        Assert.HasCount(3, Lines);
        Assert.Contains("epoch 2/2", Lines[1]);
        Assert.AreEqual("next", Lines[2]);
    }

    [TestMethod]
    public void Terminal_TheLineEndsWithACancelledTraining()
    {
        using var source = new CancellationTokenSource();
        var display = new ConsoleProgress(null, _output, () => TerminalWidth);
        var progress = new CancellingProgress(display, source);
        Assert.ThrowsExactly<OperationCanceledException>(() => Train(progress, source.Token));
        Assert.HasCount(2, Lines);
        Assert.AreEqual("", Lines[1]);
    }

    /// <summary>Half a number would be another number.</summary>
    [TestMethod]
    public void NarrowTerminal_DropsWholeItems()
    {
        const string All = "[########] epoch 2/2, loss 0.5000, validation 0.2500, 26:03:04 left, 1,235 examples/s";
        for (var width = 1; width <= 90; width++)
        {
            var output = new StringWriter();
            new ConsoleProgress(null, output, () => width).Report(Report(2, 2, batch: 4, completed: true));
            var line = output.ToString().TrimStart('\r').Replace("#########", "#").TrimEnd();
            Assert.IsLessThanOrEqualTo(Math.Max(8, width - 1), line.Length, line);
            var shown = line[(line.IndexOf(']') + 1)..];
            Assert.IsTrue(shown == "" || (All + ",").Contains(shown + ","), $"{width}: {line}");
            if (width is 34 or 35)
                Assert.AreEqual("[########] epoch 2/2, loss 0.5000", line);
            if (width == 33)
                Assert.AreEqual("[########] epoch 2/2", line);
        }
    }

    /// <summary>A display that cannot write is no reason to lose a training; it says so once.</summary>
    [TestMethod]
    public void WriterThatFails_EndsTheDisplay_NotTheTraining()
    {
        var closed = new StringWriter();
        closed.Dispose();
        foreach (var (writer, width) in new[] { (closed, (Func<int>?)null), (closed, () => TerminalWidth), (new FullDisk(), null), (new FullDisk(), () => TerminalWidth) })
        {
            var warnings = new List<string>();
            Train(new ConsoleProgress("title", writer, width), CancellationToken.None, warnings);
            Assert.HasCount(1, warnings.Where(warning => warning.Contains("The progress is not shown anymore", StringComparison.Ordinal)), string.Join('|', warnings));
        }
    }

    [TestMethod]
    public void WithoutALoss_WhatIsMeasuredIsNamed()
    {
        var report = Report(1, 1, batch: 4, completed: true);
        new ConsoleProgress(null, _output).Report(report with { GoalMetric = "return", Completed = report.Completed! with { Validation = new Dictionary<string, double> { ["return"] = 137.8, ["length"] = 20 } } });
        Assert.Contains("loss 0.5000, validation return 137.8000,", Lines[0]);
    }

    private static TrainingProgress Report(int epoch, int epochs, int batch, bool completed) => new()
    {
        Epoch = epoch,
        Epochs = epochs,
        Batch = batch,
        Batches = 4,
        TrainingLoss = 0.5,
        ExamplesPerSecond = 1234.6,
        TimeLeft = new TimeSpan(26, 3, 4),
        Completed = !completed ? null : new EpochRecord
        {
            Epoch = epoch,
            LearningRate = 1,
            Seconds = 1,
            Examples = 1,
            Training = new Dictionary<string, double> { ["loss"] = 0.5 },
            Validation = new Dictionary<string, double> { ["loss"] = 0.25 },
        },
    };

    private static void Train(IProgress<TrainingProgress> progress, CancellationToken cancellationToken, List<string>? warnings = null)
    {
        var ml = new MLContext(seed: 1);
        ml.Log += (_, line) => warnings?.AddRange(line.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning ? [line.Message] : []);
        var rows = Enumerable.Range(0, 8).Select(i => new Row { Features = [i / 8f], Label = i / 8f });
        var options = new MlpRegressionTrainer.Options { HiddenLayers = [], Epochs = 2, Progress = progress, CancellationToken = cancellationToken };
        ml.Regression.Trainers.Mlp(options).Fit(ml.Data.LoadFromEnumerable(rows)).Dispose();
    }

    private sealed class FullDisk : StringWriter
    {
        public override void Write(string? value) => throw new IOException("No space left on device.");

        public override void WriteLine(string? value) => throw new IOException("No space left on device.");
    }

    private sealed class Row
    {
        [VectorType(1)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }

    /// <summary>Cancels at the first report. The engine sees its display through it.</summary>
    private sealed class CancellingProgress(ConsoleProgress display, CancellationTokenSource source) : IProgress<TrainingProgress>, IProgressDisplay
    {
        public void Report(TrainingProgress value)
        {
            display.Report(value);
            source.Cancel();
        }

        public void End() => ((IProgressDisplay)display).End();

        public Exception? TakeFailure() => ((IProgressDisplay)display).TakeFailure();
    }
}
