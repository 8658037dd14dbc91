using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>No training gives a network that does not compute, whatever its last step did.</summary>
[TestClass]
public sealed class DivergenceTests
{
    /// <summary>One batch, no validation: no later batch meets what the step has done.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void AbsurdRate_LastStepIsLookedAt(string name)
    {
        var subject = Subjects.Training(name);
        // The numbers of a step do not depend on the task.
        var isNetwork = Subjects.NetworkNames.Any(other => (string)other[0] == name);
        foreach (var precision in isNetwork ? Enum.GetValues<Precision>() : [Precision.Float32])
        {
            using var folder = new TemporaryFolder();
            var error = Assert.ThrowsExactly<TrainingDivergedException>(() => subject.Fit(subject.Rows(30), o =>
            {
                (o.Epochs, o.BatchSize, o.LearningRate, o.Precision, o.CheckpointFolder) = (1, 1000, 1e38, precision, folder.Path);
                o.GradientClipNorm = null;
            }), $"{precision}");
            Assert.AreEqual(1, error.Epoch);
            Assert.Contains("LearningRate", error.Message);
            Assert.IsEmpty(Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories));
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void AbsurdRate_MovingAverageIsLookedAt(string name)
    {
        var subject = Subjects.Training(name);
        Assert.ThrowsExactly<TrainingDivergedException>(() => subject.Fit(subject.Rows(30), o => (o.Epochs, o.BatchSize, o.LearningRate, o.EmaDecay) = (1, 1000, 1e38, 0.5)));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void FewerEpochsThanTheCheckpoint_AreRefused(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        subject.Fit(subject.Rows(40), o => (o.Epochs, o.CheckpointFolder) = (3, folder.Path)).Dispose();
        var error = Assert.Throws<InvalidOperationException>(() => subject.Fit(subject.Rows(40), o => (o.Epochs, o.CheckpointFolder, o.ResumeFromCheckpoint) = (2, folder.Path, true)));
        Assert.Contains("Epochs is 2", error.Message);
        Assert.Contains("after epoch 3", error.Message);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void FolderThatCannotBeWritten_IsFoundBeforeAnyRowIsRead(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("file"), "");
        var rows = subject.Rows(10);
        rows[0] = subject.Spoil(rows[0], 0, float.NaN);
        foreach (var path in new[] { folder.File("file"), Path.Combine(folder.File("file"), "below"), "\0" })
        {
            foreach (var (option, set) in new (string, Action<DataTrainingOptions>)[] { ("CheckpointFolder", o => o.CheckpointFolder = path), ("TensorBoardFolder", o => o.TensorBoardFolder = path) })
            {
                var error = Assert.ThrowsExactly<IOException>(() => subject.Fit(rows, set));
                Assert.Contains($"{option} is '{path}'", error.Message);
            }
        }
    }

    /// <summary>What a killed write left behind goes at the next start.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void LeftoversOfKilledWrites_GoAtTheNextStart(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        var below = subject.NetworkCount == 1 ? folder.Path : folder.File("layer1");
        Directory.CreateDirectory(below);
        var (leftover, other) = (Path.Combine(below, $".{Guid.NewGuid():N}.tmp"), Path.Combine(below, ".mine.tmp"));
        File.WriteAllText(leftover, "half");
        File.SetLastWriteTimeUtc(leftover, DateTime.UtcNow.AddMinutes(-10));
        File.WriteAllText(other, "whole");
        subject.Fit(subject.Rows(20), o => (o.Epochs, o.CheckpointFolder, o.ResumeFromCheckpoint) = (1, folder.Path, true)).Dispose();
        Assert.IsFalse(File.Exists(leftover));
        Assert.IsTrue(File.Exists(other));
    }
}
