using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLExtensions.Tests.Contract;

/// <summary>A training that will not learn, or has not learned, says so in the log and in the history; others say nothing.</summary>
[TestClass]
public sealed class WarningTests
{
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void GoodTraining_WarnsOfNothing(string name)
    {
        var subject = Subjects.Training(name);
        var warnings = Warnings(name, subject.Rows(name.StartsWith("LanguageModel", StringComparison.Ordinal) ? 600 : 300), noisy: true, change: o =>
        {
            // An upper machine has nothing to learn before the one below it has.
            if (subject.NetworkCount > 1)
                subject.LearnDespiteNoise(o);
            else
                o.Epochs = 6;
            o.BatchSize = 10;
        });
        Assert.AreEqual("", string.Join("\n", warnings));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void FewSteps_AreCounted(string name)
    {
        var subject = Subjects.Training(name);
        var warnings = Warnings(name, subject.Rows(50), o => (o.Epochs, o.BatchSize) = (2, 25));
        Assert.HasCount(subject.NetworkCount, warnings.Where(warning => warning.Contains("training steps")));
        if (subject.RowsAreExamples)
            Assert.Contains("The training has 4 training steps in all, 2 in each of 2 epochs", warnings[0]);
        // Few steps an epoch are enough if there are many epochs.
        if (subject.RowsAreExamples && subject.NetworkCount == 1)
            Assert.DoesNotContain("training steps", string.Join("\n", Warnings(name, subject.Rows(50), o => (o.Epochs, o.BatchSize) = (50, 25))));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void LargeFeatures_AreNamed(string name)
    {
        var subject = Subjects.Get(name);
        foreach (var buffering in BufferingsOf(name))
        {
            var rows = subject.Rows(60).Select(row => subject.Spoil(row, 1, row.Features.GetItemOrDefault(1) * 580_000)).ToArray();
            Assert.Contains("'Features', slot 1: values are about", string.Join("\n", Warnings(name, rows, o => (o.Epochs, o.Buffering) = (1, buffering))));
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void OneClassOrEqualLabels_AreNamed(string name)
    {
        var subject = Subjects.Get(name);
        var rows = subject.Rows(60);
        for (var i = 0; i < rows.Length; i++)
            (rows[i].Flag, rows[i].Class, rows[i].Target) = (true, 1, 1e9f + (i % 2)); // equal only in float32
        var expected = subject.Task == ContractTask.Regression ? "the same label in column 'Target' as far as float32 can tell: about 1000000000"
            : subject.Task == ContractTask.Binary ? "the same class in column 'Flag': true"
            : "the same class in column 'Class': 'green'";
        foreach (var buffering in BufferingsOf(name))
            Assert.Contains(expected, string.Join("\n", Warnings(name, rows, o => (o.Epochs, o.Buffering) = (1, buffering))));
    }

    /// <summary>A training that is only loaded again looks at no rows.</summary>
    [TestMethod]
    public void Resumed_KeepsItsWarnings()
    {
        var subject = Subjects.Training("MlpMulticlass");
        using var folder = new TemporaryFolder();
        var rows = Array.ConvertAll(subject.Rows(40), subject.MakeEqual);
        var first = subject.Fit(rows, o => (o.Epochs, o.CheckpointFolder) = (2, folder.Path)).Histories.Single().Warnings;
        var again = subject.Fit(rows, o => (o.Epochs, o.CheckpointFolder, o.ResumeFromCheckpoint) = (2, folder.Path, true)).Histories.Single().Warnings;
        Assert.Contains("the same value", string.Join("\n", first));
        CollectionAssert.AreEquivalent(first.ToArray(), again.ToArray());
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void EqualRows_AreNamed(string name)
    {
        var subject = Subjects.Training(name);
        if (!name.StartsWith("LanguageModel", StringComparison.Ordinal))
            Assert.Contains("the same value", string.Join("\n", Warnings(name, Array.ConvertAll(subject.Rows(40), subject.MakeEqual), o => o.Epochs = 1, isSaved: true)));
    }

    /// <summary>A hundred times too high, or more: the loss is larger afterwards.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void ExplodingLearningRate_IsNamed(string name)
    {
        var subject = Subjects.Training(name);
        if (!subject.CanExplode)
            return;
        Assert.Contains("did not learn", string.Join("\n", Warnings(name, subject.Rows(200), o => (o.Epochs, o.BatchSize, o.LearningRate) = (6, 10, 100))));
    }

    /// <summary>Rows are looked at in the same way in all networks.</summary>
    private static Buffering[] BufferingsOf(string name) => name.StartsWith("Mlp", StringComparison.Ordinal) ? Subjects.Training(name).Bufferings : [Buffering.InMemory];

    /// <summary>What the log warns of is in the history, and stays there when the model is saved.</summary>
    private static string[] Warnings(string name, Example[] rows, Action<DataTrainingOptions> change, bool noisy = false, bool isSaved = false)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        var log = new List<string>();
        ml.Log += (_, line) => log.AddRange(line.Kind == ChannelMessageKind.Warning ? [line.Message] : []);
        using var folder = new TemporaryFolder();
        using var model = subject.Fit(rows, change, noisy, ml);
        var warnings = model.Histories.SelectMany(history => history.Warnings).ToArray();
        CollectionAssert.AreEqual(warnings, log.Select(line => line[(line.IndexOf(']') + 1)..].Trim()).ToArray(), string.Join("\n", log));
        if (!isSaved)
            return warnings;
        ml.Model.Save(model.Transformer, Example.View(ml, rows, subject.FeatureCount).Schema, folder.File("model.zip"));
        using var loaded = new TrainedModel(ml.Model.Load(folder.File("model.zip"), out _));
        CollectionAssert.AreEqual(warnings, loaded.Histories.SelectMany(history => history.Warnings).ToArray());
        return warnings;
    }
}
