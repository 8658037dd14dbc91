using Microsoft.ML;

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
            var best = history.Epochs.MinBy(epoch => epoch.ValidationLoss)!;
            Assert.AreEqual(best.Epoch, history.BestEpoch);
            Assert.AreEqual(best.Epoch + 3, history.Epochs[^1].Epoch);
            Floor.Near(1, after.BeforeTraining!.ValidationLoss!.Value / best.ValidationLoss!.Value, 1e-6, name, member: nameof(EarlyStopping_RestoresTheBestWeights));
        }
    }
}
