using Microsoft.ML;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Contract;

/// <summary>Early stopping and the moving average: which weights the model gets in the end.</summary>
[TestClass]
public sealed class StoppingTests
{
    [TestMethod]
    [DynamicData(nameof(Subjects.GoalNames), typeof(Subjects))]
    public void EarlyStopping_RestoresTheBestWeights(string name)
    {
        CheckRestored(name, averageDecay: null);
        CheckRestored(name, averageDecay: 0.5);
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.GoalNames), typeof(Subjects))]
    public void MinimumDelta_SmallImprovementsDoNotCount(string name)
    {
        var subject = Subjects.Training(name);
        var model = subject.Fit(subject.Rows(100), o => (o.Epochs, o.ValidationFraction, o.EarlyStopping) = (50, 0.2, new EarlyStopping { Patience = 2, MinimumDelta = 1e6 }));
        foreach (var history in model.Histories)
        {
            Assert.HasCount(3, history.Epochs);
            Assert.AreEqual(1, history.BestEpoch);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Subjects.NetworkNames), typeof(Subjects))]
    public void WeightAverage_IsTheMeanOfTheStepsWeights(string name)
    {
        var subject = Subjects.Training(name);
        // One batch an epoch: n epochs give the weights after n steps, and a vanishing rate those before the first. Networks above the first see what it gives them after all epochs.
        float[] After(int steps, double? decay, double rate = 0.02) =>
            Outcome.Parameters(subject.Fit(subject.Rows(50), o =>
            {
                (o.Epochs, o.EmaDecay, o.LearningRate) = (steps, decay, rate);
                subject.MakeOneBatch(o, 50);
            }).Networks[0]);
        var average = After(1, null, 1e-12).Select(weight => (double)weight).ToArray();
        for (var step = 1; step <= 4; step++)
        {
            var decay = Math.Min(0.3, (1.0 + step) / (10 + step));
            average = average.Zip(After(step, null), (mean, weight) => (decay * mean) + ((1 - decay) * weight)).ToArray();
        }
        Outcome.AssertClose(average.Select(weight => (float)weight).ToArray(), After(4, 0.3), 1e-5);
    }

    /// <summary>
    /// What a saved model computes is what the mean of the steps' weights computes with the mean of the steps' batch statistics: a network whose
    /// weights are set to both says the same, and says something else with the statistics of the last step.
    /// </summary>
    [TestMethod]
    [DataRow("MlpMulticlass")]
    [DataRow("CnnMulticlass")]
    [DataRow("ResNetRegression")]
    [DataRow("Gan")]
    [DataRow("Dcgan")]
    public void SavedModel_ComputesWithTheMeansOfWeightsAndStatistics(string name)
    {
        const int Steps = 4;
        const float Tolerance = 1e-5f;
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        var data = subject.View(ml, 20, seed: 9);
        TrainedModel After(int steps, double? decay, double rate = 0.02) => subject.Fit(
            subject.Rows(50),
            o =>
            {
                (o.Epochs, o.EmaDecay, o.LearningRate) = (steps, decay, rate);
                subject.MakeOneBatch(o, 50);
            },
            noisy: true);

        using var means = BeforeTheFirstStep();
        using var statistics = BeforeTheFirstStep();
        for (var step = 1; step <= Steps; step++)
        {
            using var model = After(step, null);
            var share = 1 - Math.Min(0.3, (1.0 + step) / (10 + step));
            Move(means, model, _ => share);
            Move(statistics, model, key => IsStatistic(key) ? 1 : share);
        }
        using var averaged = After(Steps, 0.3);
        using var file = new MemoryStream();
        ml.Model.Save(averaged.Transformer, data.Schema, file);
        file.Position = 0;
        using var saved = new TrainedModel(ml.Model.Load(file, out _));
        var actual = subject.Values(saved.Transform(data));
        Outcome.AssertClose(subject.Values(means.Transform(data)), actual, Tolerance);
        Assert.IsGreaterThan(20 * Tolerance, subject.Values(statistics.Transform(data)).Zip(actual, (a, b) => Math.Abs(a - b)).Max(), "with the statistics of the last step");

        static bool IsStatistic(string key) => key.EndsWith("running_mean", StringComparison.Ordinal) || key.EndsWith("running_var", StringComparison.Ordinal);

        // A step at a vanishing rate changes only the statistics, which begin with a mean of 0 and a variance of 1.
        TrainedModel BeforeTheFirstStep()
        {
            var model = After(1, null, 1e-12);
            using var mode = no_grad();
            foreach (var (key, value) in model.Networks[0].Network.state_dict().Where(entry => IsStatistic(entry.Key)))
                value.fill_(key.EndsWith("running_var", StringComparison.Ordinal) ? 1 : 0);
            return model;
        }

        static void Move(TrainedModel target, TrainedModel model, Func<string, double> shareOf)
        {
            using var scope = NewDisposeScope();
            using var mode = no_grad();
            var latest = model.Networks[0].Network.state_dict();
            Assert.IsTrue(latest.Keys.Any(IsStatistic));
            foreach (var (key, value) in target.Networks[0].Network.state_dict().Where(entry => entry.Value.is_floating_point()))
                value.copy_(value.to(ScalarType.Float64).mul(1 - shareOf(key)).add(latest[key].to(ScalarType.Float64).mul(shareOf(key))));
        }
    }

    private static void CheckRestored(string name, double? averageDecay)
    {
        var subject = Subjects.Training(name);
        var ml = new MLContext(1);
        var validation = subject.View(ml, 200, seed: 3);
        // A learning rate far too high: losses jump about.
        void Set(DataTrainingOptions o) => (o.Epochs, o.LearningRate, o.EarlyStopping, o.EmaDecay) = (100, subject.WildRate, new EarlyStopping { Patience = 3 }, averageDecay);
        var model = subject.Fit(subject.CreateEstimator(ml, subject.Options(Set, noisy: true)), subject.View(ml, 100), validation);
        // The first measurement comes before the first step, but what networks above the first see does not.
        var again = subject.Fit(subject.CreateEstimator(ml, subject.Options(o => (o.Epochs, o.LearningRate, o.InitialModel) = (1, 1e-12, model.Transformer), noisy: true)), subject.View(ml, 100), validation);
        foreach (var (history, after) in model.Histories.Zip(again.Histories))
        {
            Assert.AreEqual(StopReason.EarlyStopping, history.StopReason);
            var best = history.Epochs.MinBy(subject.Missed)!;
            Assert.AreEqual(best.Epoch, history.BestEpoch);
            Assert.AreEqual(best.Epoch + 3, history.Epochs[^1].Epoch);
            Floor.Near(1, subject.Missed(after.BeforeTraining!) / subject.Missed(best), 1e-6, name, member: nameof(EarlyStopping_RestoresTheBestWeights));
        }
    }
}
