using Microsoft.ML;
using MLExtensions.Tests.Contract;
using TorchSharp;

namespace MLExtensions.Tests.Engine;

[TestClass]
public sealed class ThreadTests
{
    [TestMethod]
    public void ThreadCount_IsUsedAndPutBack()
    {
        var ml = new MLContext(1);
        var data = Example.View(ml, Example.Create(50));
        var during = 0;
        MlpRegressionTrainer Trainer(int? threads) => ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options
        {
            LabelColumnName = nameof(Example.Target),
            Epochs = 1,
            ThreadCount = threads,
            Progress = new Listener(_ => during = torch.get_num_threads()),
        });
        var before = torch.get_num_threads();
        Assert.AreEqual(2, Trainer(2).Fit(data).Model.History.ThreadCount);
        Assert.AreEqual(2, during);
        Assert.AreEqual(before, torch.get_num_threads());
        Assert.AreEqual(1, Trainer(null).Fit(data).Model.History.ThreadCount, "a small network");
        var bad = Example.View(ml, Example.Create(50).Select(row => row.With(float.NaN, 0, 0, 0, 0, 0)));
        Assert.Throws<FormatException>(() => Trainer(2).Fit(bad));
        Assert.AreEqual(before, torch.get_num_threads());
    }

    [TestMethod]
    public void TwoThreads_SameSeedSameBits()
    {
        var ml = new MLContext(1);
        var data = Example.View(ml, Example.Create(600));
        float[] Train() => Outcome.Weights(ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options
        {
            LabelColumnName = nameof(Example.Target),
            HiddenLayers = [256, 256],
            Dropout = 0.2,
            BatchSize = 256,
            Epochs = 3,
            ThreadCount = 2,
            Seed = 1,
        }).Fit(data));
        Outcome.AssertSameBits(Train(), Train());
    }

    [TestMethod]
    public void Diverging_NamesEpochAndBatch()
    {
        var ml = new MLContext(1);
        var trainer = ml.Regression.Trainers.Mlp(new MlpRegressionTrainer.Options { LabelColumnName = nameof(Example.Target), Optimizer = new SgdOptimizer(), LearningRate = 1e6, BatchSize = 10, Epochs = 5, Seed = 1 });
        var error = Assert.ThrowsExactly<TrainingDivergedException>(() => trainer.Fit(Example.View(ml, Example.Create(50))));
        Assert.AreEqual(1, error.Epoch);
        Assert.IsGreaterThan(1, error.Batch!.Value);
    }
}
