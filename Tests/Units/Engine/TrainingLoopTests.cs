using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Engine;
using TorchSharp;

namespace MLExtensions.Tests.Engine;

/// <summary>The loop's own business, with losses given by hand.</summary>
[TestClass]
public sealed class TrainingLoopTests
{
    [TestMethod]
    [DataRow(double.NaN)]
    [DataRow(double.PositiveInfinity)]
    public void LossNotFinite_SaysWhereAndWhatToTry(double loss)
    {
        using var step = new FakeStep(Options()) { Loss = batch => batch == 5 ? loss : 1 };
        var error = Assert.ThrowsExactly<TrainingDivergedException>(() => Run(step, Options(), new FakeBatches(4, 4, 2)));
        Assert.AreEqual(2, error.Epoch);
        Assert.AreEqual(2, error.Batch);
        Assert.Contains("epoch 2, in batch 2", error.Message);
        Assert.Contains("LearningRate", error.Message);
    }

    [TestMethod]
    public void ValidationLossNotFinite_IsFoundBeforeTheFirstEpoch()
    {
        using var step = new FakeStep(Options()) { ValidationLoss = _ => double.NaN };
        var error = Assert.ThrowsExactly<TrainingDivergedException>(() => Run(step, Options(), new FakeBatches(4), new FakeBatches(4)));
        Assert.AreEqual(0, error.Epoch);
        Assert.IsNull(error.Batch);
        Assert.IsEmpty(step.LearningRates);
    }

    [TestMethod]
    [DataRow(float.NaN)]
    [DataRow(float.NegativeInfinity)]
    [DataRow(1e31f)]
    public void WeightsNotFinite_AreNamedAfterEachEpoch(float value)
    {
        using var step = new FakeStep(Options()) { Weight = batch => batch == 4 ? value : 1 };
        var error = Assert.ThrowsExactly<TrainingDivergedException>(() => Run(step, Options(), new FakeBatches(4, 4), new FakeBatches(4)));
        Assert.AreEqual(2, error.Epoch);
        Assert.AreEqual(2, error.Batch);
        Assert.Contains("'output.weight'", error.Message);
        Assert.Contains("epoch 2, after batch 2", error.Message);
        Assert.AreEqual(2, step.Validations, "before training and after epoch 1");
    }

    /// <summary>Weights that are finite can be those of a network that does not compute.</summary>
    [TestMethod]
    public void LossAfterTheLastStep_IsLookedAtWithoutValidation()
    {
        using var good = new FakeStep(Options());
        Run(good, Options(), new FakeBatches(4, 4));
        CollectionAssert.AreEqual(new[] { 6 }, good.LookedAfter);
        using var validated = new FakeStep(Options());
        Run(validated, Options(), new FakeBatches(4, 4), new FakeBatches(4));
        Assert.IsEmpty(validated.LookedAfter);
        using var bad = new FakeStep(Options()) { AfterLoss = _ => double.NaN };
        var error = Assert.ThrowsExactly<TrainingDivergedException>(() => Run(bad, Options(), new FakeBatches(4, 4)));
        Assert.Contains("epoch 3, after batch 2", error.Message);
    }

    /// <summary>The last good checkpoint stands.</summary>
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Diverged_CheckpointBeforeItStands(bool byWeights)
    {
        using var folder = new TemporaryFolder();
        var options = Options(o => (o.Epochs, o.CheckpointFolder, o.Seed) = (3, folder.Path, 1));
        using (var step = new FakeStep(options) { Weight = batch => byWeights && batch == 6 ? float.NaN : 1, AfterLoss = batch => !byWeights && batch == 6 ? double.NaN : 1 })
        {
            step.SetWeights(0);
            Assert.AreEqual(3, Assert.ThrowsExactly<TrainingDivergedException>(() => EngineRun.Train(step, new FakeBatches(4, 4), null, TrainingGoal.LeastLoss, options)).Epoch);
        }
        options.ResumeFromCheckpoint = true;
        using var again = new FakeStep(options);
        again.SetWeights(0);
        var history = EngineRun.Train(again, new FakeBatches(4, 4), null, TrainingGoal.LeastLoss, options);
        Assert.HasCount(3, history.Epochs);
        Assert.HasCount(2, again.LearningRates, "steps of the epoch that was left");
    }

    [TestMethod]
    public void Losses_AreMeansOverExamplesNotBatches()
    {
        using var step = new FakeStep(Options()) { Loss = batch => batch % 2 == 1 ? 1 : 4, ValidationLoss = batch => batch % 2 == 0 ? 10 : 40 };
        var outcome = Run(step, Options(), new FakeBatches(4, 1), new FakeBatches(2, 1));
        Assert.AreEqual(1.6, outcome.Records[0].TrainingLoss, 1e-12);
        Assert.AreEqual(20, outcome.Records[0].ValidationLoss!.Value, 1e-12);
        Assert.AreEqual(5, outcome.Records[0].Examples);
    }

    [TestMethod]
    public void Schedule_AdvancesWithinTheEpoch()
    {
        var options = Options(o => (o.Epochs, o.LearningRate, o.LearningRateSchedule) = (2, 8, new CosineSchedule()));
        using var step = new FakeStep(options);
        Run(step, options, new FakeBatches(5, 5));
        var expected = new[] { 0, 0.5, 1, 1.5 }.Select(epoch => 8 * (1 + Math.Cos(Math.PI * epoch / 2)) / 2).ToArray();
        for (var i = 0; i < 4; i++)
            Assert.AreEqual(expected[i], step.LearningRates[i], 1e-9);
    }

    [TestMethod]
    public void EarlyStopping_StopsAfterPatienceAndRestores()
    {
        // The first is the pass before training; the best is that of epoch 3.
        double[] losses = [9, 5, 4, 3, 3.5, 3, 7, 1, 1];
        var options = Options(o => (o.Epochs, o.EarlyStopping) = (8, new EarlyStopping { Patience = 3 }));
        using var step = new FakeStep(options) { ValidationLoss = i => losses[i] };
        var outcome = Run(step, options, new FakeBatches(4), new FakeBatches(4));
        Assert.AreEqual(StopReason.EarlyStopping, outcome.StopReason);
        Assert.HasCount(6, outcome.Records);
        Assert.AreEqual(3, outcome.BestEpoch);
        Assert.AreEqual(3f, step.Network.Parameters.Weights[0].item<float>(), "the weights that epoch 3 set");
    }

    [TestMethod]
    public void EpochsRunOut_BestWeightsAreRestoredToo()
    {
        double[] losses = [9, 2, 4, 5];
        var options = Options(o => (o.Epochs, o.EarlyStopping) = (3, new EarlyStopping { Patience = 10 }));
        using var step = new FakeStep(options) { ValidationLoss = i => losses[i] };
        var outcome = Run(step, options, new FakeBatches(4), new FakeBatches(4));
        Assert.AreEqual(StopReason.Epochs, outcome.StopReason);
        Assert.AreEqual(1, outcome.BestEpoch);
        Assert.AreEqual(1f, step.Network.Parameters.Weights[0].item<float>());
    }

    [TestMethod]
    public void NoEarlyStopping_LastWeightsStay()
    {
        double[] losses = [9, 2, 4, 5];
        using var step = new FakeStep(Options()) { ValidationLoss = i => losses[i] };
        Run(step, Options(), new FakeBatches(4), new FakeBatches(4));
        Assert.AreEqual(3f, step.Network.Parameters.Weights[0].item<float>());
    }

    [TestMethod]
    public void CheckAlive_IsAskedBeforeEachBatch()
    {
        using var step = new FakeStep(Options());
        var asked = 0;
        void Check()
        {
            if (++asked == 5)
                throw new OperationCanceledException();
        }
        Assert.Throws<OperationCanceledException>(() => Run(step, Options(), new FakeBatches(1, 1, 1), throwIfCancelled: Check));
        Assert.HasCount(4, step.LearningRates);
    }

    /// <summary>A goal of its own: the epochs are compared by it, whatever the loss does.</summary>
    [TestMethod]
    public void Goal_MoreIsBetter_DecidesTheBestEpochAndWhenToStop()
    {
        double[] rewards = [0, 1, 5, 4, 4, 9, 9];
        var options = Options(o => (o.Epochs, o.EarlyStopping) = (6, new EarlyStopping { Patience = 2 }));
        using var step = new FakeStep(options) { ValidationLoss = i => 10 - i, Reward = i => rewards[i] };
        var outcome = Run(step, options, new FakeBatches(4), new FakeBatches(4), goal: new TrainingGoal("reward", GoalDirection.Maximize));
        Assert.AreEqual(StopReason.EarlyStopping, outcome.StopReason);
        Assert.AreEqual(2, outcome.BestEpoch);
        Assert.HasCount(4, outcome.Records);
        Assert.AreEqual(2f, step.Network.Parameters.Weights[0].item<float>(), "the weights that epoch 2 set");
    }

    [TestMethod]
    public void Goal_NotMeasured_IsNamed()
    {
        using var step = new FakeStep(Options());
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => Run(step, Options(), new FakeBatches(4), new FakeBatches(4), goal: new TrainingGoal("reward", GoalDirection.Maximize)));
        Assert.Contains("'reward'", error.Message);
        Assert.Contains("loss", error.Message);
    }

    [TestMethod]
    public void NoGoal_NoBestEpoch()
    {
        using var step = new FakeStep(Options());
        using var scope = torch.NewDisposeScope();
        var outcome = Run(step, Options(), new FakeBatches(4), new FakeBatches(4), hasGoal: false);
        Assert.IsNull(outcome.BestEpoch);
        Assert.HasCount(3, outcome.Records);
    }

    private static SupervisedTrainerOptions Options(Action<SupervisedTrainerOptions>? change = null)
    {
        var options = new MlpRegressionTrainer.Options { Epochs = 3 };
        change?.Invoke(options);
        return options;
    }

    private static TrainingOutcome Run(FakeStep step, SupervisedTrainerOptions options, FakeBatches training, FakeBatches? validation = null, Action? throwIfCancelled = null, TrainingGoal? goal = null, bool hasGoal = true)
    {
        using var scope = torch.NewDisposeScope();
        var host = ((IHostEnvironment)new MLContext(1)).Register("Test");
        using var channel = host.Start("Training");
        using var progress = host.StartProgressChannel("Training");
        using var reporter = new TrainingReporter(channel, progress, options);
        using var loop = new TrainingLoop<FakeBatch>(step, training, validation, hasGoal ? goal ?? TrainingGoal.LeastLoss : null, options, reporter, null, throwIfCancelled ?? (() => { }));
        return loop.Run();
    }
}
