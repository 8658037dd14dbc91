using Microsoft.ML;

namespace MLExtensions.Tests.Contract;

/// <summary>Training goes on from a trained model, in memory or loaded.</summary>
[TestClass]
public sealed class WarmStartTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    [TestCategory("Floor")]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void InitialModel_StartsWhereTheOtherEnded(string name)
    {
        var subject = Subjects.Training(name);
        var first = subject.Fit(subject.Rows(300), o => (o.Epochs, o.LearningRateSchedule) = (15, new CosineSchedule()));
        var second = Continue(subject, first.Transformer, 1e-12);
        Outcome.AssertClose(Outcome.Parameters(first), Outcome.Parameters(second), 1e-6);
        if (!subject.HasGoal)
            return;
        var untrained = Continue(subject, null, 1e-12);
        // What networks above the first are to learn is what it gives them: nothing, where it is untrained.
        Floor.Below(0.6, subject.Remaining(second.Histories.First().Epochs[0]) / subject.Remaining(untrained.Histories.First().Epochs[0]), name);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void InitialModel_InMemoryLoadedOrInAChain_SameBits(string name)
    {
        var subject = Subjects.Training(name);
        using var folder = new TemporaryFolder();
        var data = subject.View(Ml, 100);
        var chain = Ml.Transforms.CopyColumns("Copy", nameof(Example.Features)).Append(subject.CreateEstimator(Ml, subject.Options(o => o.Epochs = 2, noisy: true))).Fit(data);
        Ml.Model.Save(chain, data.Schema, folder.File("model.zip"));
        var loaded = Ml.Model.Load(folder.File("model.zip"), out _);
        var expected = Outcome.Weights(Continue(subject, chain.LastTransformer, 0.02, noisy: true));
        Outcome.AssertSameBits(expected, Outcome.Weights(Continue(subject, chain, 0.02, noisy: true)));
        Outcome.AssertSameBits(expected, Outcome.Weights(Continue(subject, loaded, 0.02, noisy: true)));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void InitialModelWithoutEpochs_SameBits(string name)
    {
        var subject = Subjects.Training(name);
        var first = subject.Fit(subject.Rows(100), o => o.Epochs = 2, noisy: true);
        var second = subject.Fit(subject.Rows(100, seed: 8), o => (o.Epochs, o.InitialModel) = (0, first.Transformer), noisy: true);
        Outcome.AssertSameBits(Outcome.Weights(first), Outcome.Weights(second));
        Assert.IsTrue(second.Histories.All(history => history.Epochs.Count == 0));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void InitialWeightsWithoutEpochs_SameBits(string name)
    {
        var subject = Subjects.Training(name);
        // A file has the weights of one network.
        if (subject.NetworkCount > 1)
            return;
        using var folder = new TemporaryFolder();
        var first = subject.Fit(subject.Rows(100), o => o.Epochs = 2, noisy: true);
        first.Networks[0].SaveWeights(folder.File("weights.safetensors"));
        var second = subject.Fit(subject.Rows(100, seed: 8), o => (o.Epochs, o.InitialWeightsPath) = (0, folder.File("weights.safetensors")), noisy: true);
        Outcome.AssertSameBits(Outcome.Weights(first.Networks[0]), Outcome.Weights(second.Networks[0]));
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.TrainingNames), typeof(Subjects))]
    public void InitialModel_OfAnotherArchitectureOrKind_IsRefused(string name)
    {
        var subject = Subjects.Training(name);
        var options = subject.Options(o => o.Epochs = 1);
        var rows = subject.Rows(50, width: subject.ChangeArchitecture(options));
        var other = subject.CreateEstimator(Ml, options).Fit(Example.View(Ml, rows));
        var error = Assert.Throws<ArgumentException>(() => Continue(subject, other, 0.02));
        Assert.Contains("another architecture", error.Message);
        Assert.DoesNotContain("Architecture {", error.Message); // a record as it prints itself
        var copy = Ml.Transforms.CopyColumns("Copy", nameof(Example.Features)).Fit(subject.View(Ml, 5));
        Assert.Contains("InitialModel", Assert.Throws<ArgumentException>(() => Continue(subject, copy, 0.02)).Message);
    }

    /// <summary>On data of another scale, predictions start as the other model's.</summary>
    [TestMethod]
    [DynamicData(nameof(Subjects.Names), typeof(Subjects))]
    public void InitialModel_PredictsAsBeforeOnOtherLabels(string name)
    {
        var subject = Subjects.Get(name);
        var first = subject.Fit(subject.Rows(200));
        var rows = subject.Rows(100, seed: 8);
        foreach (var row in rows)
            row.Target *= 10;
        // An epoch would move running statistics.
        var epochs = subject.HasBatchStatistics ? 0 : 1;
        var second = subject.Fit(rows, o => (o.Epochs, o.LearningRate, o.InitialModel) = (epochs, 1e-12, first));
        var test = subject.View(Ml, 30, seed: 9);
        Outcome.AssertClose(Outcome.Scores(first.Transform(test)), Outcome.Scores(second.Transform(test)), 1e-5);
    }

    private static TrainedModel Continue(TrainingSubject subject, ITransformer? model, double rate, bool noisy = false) =>
        subject.Fit(subject.Rows(100, seed: 8), o => (o.Epochs, o.LearningRate, o.InitialModel) = (1, rate, model), noisy);
}
