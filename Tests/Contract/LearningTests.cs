using System.Runtime.CompilerServices;
using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Trainers find the known answer, through every way ML.NET has to train and to judge.</summary>
[TestClass]
public sealed class LearningTests
{
    /// <summary>The family's own options.</summary>
    private static readonly SharedModels Float32 = new(name => Subjects.Training(name).Fit(Subjects.Training(name).Rows(400)));

    [ClassCleanup]
    public static void DisposeModels() => Float32.Dispose();

    [TestMethod]
    [TestCategory("Floor")]
    [TestCategory("Heart")]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void Fit_FindsTheKnownAnswer(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(TestSeed.Of(1));
        var model = Float32.Get(name);
        AssertLearned(subject, ml, model);
        foreach (var history in model.Histories)
        {
            Assert.HasCount(subject.Options().Epochs, history.Epochs);
            Assert.AreEqual(StopReason.Epochs, history.StopReason);
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void Pipeline_WithNormalizationAndSplit(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(TestSeed.Of(1));
        var (train, test) = subject.Split(ml, subject.View(ml, 500));
        var pipeline = subject.Normalizer(ml)
            .AppendCacheCheckpoint(ml)
            .Append(subject.CreateEstimator(ml, subject.Options()));
        Floor.Above(subject.Floor, subject.Quality(ml, pipeline.Fit(train).Transform(test)), name);
    }

    /// <summary>Each task's way to do it, and a second family: the folds themselves are ML.NET's.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow("MlpBinary")]
    [DataRow("MlpMulticlass")]
    [DataRow("MlpRegression")]
    [DataRow("CnnMulticlass")]
    public void CrossValidate_EveryFoldLearns(string name)
    {
        var subject = Subjects.Get(name);
        var ml = new MLContext(TestSeed.Of(1));
        var folds = subject.Task.CrossValidate(ml, subject.View(ml, 400), subject.CreateTrainer(ml, subject.Options(o => o.Epochs = 20)), folds: 3);
        Assert.HasCount(3, folds);
        Floor.Above(subject.Floor, folds.Min(), name);
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void Fit_WithValidationData(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(TestSeed.Of(1));
        var trainer = subject.CreateEstimator(ml, subject.Options());
        var model = subject.Fit(trainer, subject.View(ml, 400), subject.View(ml, 100, seed: 3));
        AssertLearned(subject, ml, model);
        if (!subject.HasValidationLoss)
            return;
        foreach (var history in model.Histories)
        {
            Assert.IsTrue(history.Epochs.All(epoch => epoch.ValidationLoss > 0 && (epoch.Examples == 400 || !subject.RowsAreExamples)));
            if (subject.HasGoal)
                Floor.Below(1, history.Epochs[^1].ValidationLoss!.Value / history.BeforeTraining!.ValidationLoss!.Value, $"{name} loss");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void ValidationFraction_SetsRowsAside(string name)
    {
        var subject = Subjects.Training(name);
        var all = subject.Fit(subject.Rows(200), o => o.Epochs = 1).Histories.First().Epochs[0].Examples;
        var model = subject.Fit(subject.Rows(200), o => (o.Epochs, o.ValidationFraction) = (2, 0.25));
        foreach (var history in model.Histories)
        {
            Assert.AreEqual(0.75 * all, history.Epochs[0].Examples, subject.RowsAreExamples ? 1 : 0.02 * all);
            CollectionAssert.IsSubsetOf(subject.ValidationMetrics, history.Epochs[0].Validation.Keys.ToArray());
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void Streaming_FindsTheKnownAnswer(string name)
    {
        var subject = Subjects.Training(name);
        if (!subject.TakesStreaming)
            return;
        var ml = new MLContext(TestSeed.Of(1));
        var options = subject.Options(o => (o.Buffering, o.ValidationFraction) = (Buffering.Streaming, 0.1));
        subject.SetShuffleBuffer(options, 50);
        var model = subject.Fit(subject.CreateEstimator(ml, options), subject.View(ml, 400));
        AssertLearned(subject, ml, model);
        foreach (var history in model.Histories)
        {
            Assert.IsTrue(history.Epochs.All(epoch => epoch.Examples == history.Epochs[0].Examples));
            if (subject.RowsAreExamples)
                Assert.AreEqual(360, history.Epochs[0].Examples, 20);
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void BFloat16_FindsNearlyTheSame(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(TestSeed.Of(1));
        var model = subject.Fit(subject.Rows(400), o => o.Precision = Precision.BFloat16, ml: ml);
        AssertLearned(subject, ml, model);
        Assert.IsTrue(model.Histories.All(history => history.Precision == "bfloat16"));
        Assert.IsFalse(Outcome.SameBits(Outcome.Weights(model), Outcome.Weights(Float32.Get(name))), "it was computed in float32");
    }

    [TestMethod]
    [TestCategory("Floor")]
    [TestCategory("Heart")]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void Noise_StillLearns(string name)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(TestSeed.Of(1));
        var model = subject.Fit(subject.CreateEstimator(ml, subject.Options(subject.LearnDespiteNoise, noisy: true)), subject.View(ml, 400));
        Floor.Above(subject.NoisyFloor, subject.Quality(ml, model.Transform(subject.View(ml, 300, seed: 2))), name);
    }

    private static void AssertLearned(TrainingSubject subject, MLContext ml, TrainedModel model, [CallerMemberName] string member = "") =>
        Floor.Above(subject.Floor, subject.Quality(ml, model.Transform(subject.View(ml, 300, seed: 2))), subject.Name, member: member);
}
