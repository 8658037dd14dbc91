using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Trainers find the known answer, through every way ML.NET has to train and to judge.</summary>
[TestClass]
public sealed class LearningTests
{
    private const double Floor = 0.9;

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Fit_FindsTheKnownAnswer(string name)
    {
        var subject = Subjects.Get(name);
        var ml = new MLContext(1);
        var model = subject.CreateTrainer(ml, subject.Options()).Fit(subject.View(ml, 400));
        AssertLearnt(subject, ml, model);
        Assert.HasCount(15, model.Model.History.Epochs);
        Assert.AreEqual("epochs", model.Model.History.StopReason);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Pipeline_WithNormalisationAndSplit(string name)
    {
        var subject = Subjects.Get(name);
        var ml = new MLContext(1);
        var split = ml.Data.TrainTestSplit(subject.View(ml, 500), testFraction: 0.2);
        var pipeline = ml.Transforms.NormalizeMeanVariance(nameof(Example.Features))
            .AppendCacheCheckpoint(ml)
            .Append(subject.CreateTrainer(ml, subject.Options()));
        Assert.IsGreaterThan(Floor, subject.Task.Quality(ml, pipeline.Fit(split.TrainSet).Transform(split.TestSet)));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void CrossValidate_EveryFoldLearns(string name)
    {
        var subject = Subjects.Get(name);
        var ml = new MLContext(1);
        var folds = subject.Task.CrossValidate(ml, subject.View(ml, 400), subject.CreateTrainer(ml, subject.Options(o => o.Epochs = 20)), folds: 3);
        Assert.HasCount(3, folds);
        Assert.IsGreaterThan(Floor, folds.Min());
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Fit_WithValidationData(string name)
    {
        var subject = Subjects.Get(name);
        var ml = new MLContext(1);
        var trainer = subject.CreateTrainer(ml, subject.Options());
        var model = subject.Fit(trainer, subject.View(ml, 400), subject.View(ml, 100, seed: 3));
        AssertLearnt(subject, ml, model);
        var history = model.Model.History;
        Assert.IsTrue(history.Epochs.All(epoch => epoch.ValidationLoss > 0 && epoch.Examples == 400));
        Assert.IsLessThan(history.Initial!.ValidationLoss!.Value, history.Epochs[^1].ValidationLoss!.Value);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void ValidationFraction_SetsRowsAside(string name)
    {
        var model = Subjects.Get(name).Fit(Subjects.Get(name).Rows(200), o => (o.Epochs, o.ValidationFraction) = (2, 0.25));
        Assert.AreEqual(150, model.Model.History.Epochs[0].Examples, 1);
        Assert.IsNotNull(model.Model.History.Epochs[0].ValidationLoss);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Streaming_FindsTheKnownAnswer(string name)
    {
        var subject = Subjects.Get(name);
        var ml = new MLContext(1);
        var options = subject.Options(o => (o.Buffering, o.ShuffleBufferRows, o.ValidationFraction) = (Buffering.Streaming, 50, 0.1));
        var model = subject.CreateTrainer(ml, options).Fit(subject.View(ml, 400));
        AssertLearnt(subject, ml, model);
        Assert.IsTrue(model.Model.History.Epochs.All(epoch => epoch.Examples == model.Model.History.Epochs[0].Examples));
        Assert.AreEqual(360, model.Model.History.Epochs[0].Examples, 20);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void BFloat16_FindsNearlyTheSame(string name)
    {
        var subject = Subjects.Get(name);
        var ml = new MLContext(1);
        var model = subject.CreateTrainer(ml, subject.Options(o => o.Precision = Precision.BFloat16)).Fit(subject.View(ml, 400));
        AssertLearnt(subject, ml, model);
        Assert.AreEqual("bfloat16", model.Model.History.Precision);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void Noise_StillLearns(string name)
    {
        var subject = Subjects.Get(name);
        var ml = new MLContext(1);
        var model = subject.CreateTrainer(ml, subject.Options(o => o.Epochs = 40, noisy: true)).Fit(subject.View(ml, 400));
        Assert.IsGreaterThan(0.8, subject.Task.Quality(ml, model.Transform(subject.View(ml, 300, seed: 2))));
    }

    private static void AssertLearnt(Subject subject, MLContext ml, NetworkTransformer model) =>
        Assert.IsGreaterThan(Floor, subject.Task.Quality(ml, model.Transform(subject.View(ml, 300, seed: 2))));
}
