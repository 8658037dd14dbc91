using Microsoft.ML;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Deep Q-learning in environments.</summary>
[TestClass]
public sealed class DqnTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>From the left end, each step to the right is worth 0.9 times the next one; the last gives 1.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow("plain")]
    [DataRow("hard target, one step, squared")]
    [DataRow("dueling, prioritized")]
    [DataRow("not double")]
    public void Corridor_ValuesAreLearned(string kind)
    {
        var options = Options(1);
        switch (kind)
        {
            case "hard target, one step, squared":
                (options.TargetUpdateInterval, options.ReturnSteps, options.Loss) = (50, 1, ValueLoss.Squared);
                break;
            case "dueling, prioritized":
                (options.Dueling, options.PrioritizedReplay) = (true, true);
                break;
            case "not double":
                options.DoubleLearning = false;
                break;
        }
        using var policy = Fit(new Corridor(), options);
        for (var cell = 0; cell < Corridor.Cells - 1; cell++)
            Floor.Near(Math.Pow(.9, Corridor.Cells - 2 - cell), policy.ActionValues(Corridor.At(cell))[1], .15, kind);
        Assert.AreEqual(1, policy.History.Epochs[^1].Validation["return"]);
        Assert.AreEqual(4, policy.History.Epochs[^1].Validation["length"]);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Catch_IsLearned()
    {
        using var game = EnvironmentRegistry.Make("Catch-v0");
        using var policy = Fit(game, new DqnEstimator.Options
        {
            Epochs = 8, EvaluationEpisodes = 0, BatchSize = 32, LearningStarts = 100, Layers = DqnLayers.Perceptron(50, 50), EpsilonDecayFraction = .4, FinalEpsilon = .05, Seed = TestSeed.Of(1), ThreadCount = 1,
        });
        Floor.Above(.5, Ml.ReinforcementLearning.Evaluate(policy, game, episodes: 50).MeanReturn);
    }

    [TestMethod]
    public void Images_AreLearnedFromByConvolutions()
    {
        using var game = EnvironmentRegistry.Make("Catch-v0");
        var options = Options(1);
        (options.Layers, options.Epochs, options.ReplayStorage, options.EvaluationEpisodes) = ([new ConvolutionLayer(4, 3), new ActivationLayer(), new DenseLayer(16), new ActivationLayer(), new DenseLayer()], 2, ReplayStorage.Byte, 2);
        using var policy = Fit(game, options);
        Assert.AreEqual(new ImageShape(1, 10, 5), policy.Architecture.Image);
        Assert.IsTrue(policy.History.Epochs.All(epoch => double.IsFinite(epoch.TrainingLoss) && epoch.TrainingLoss > 0));
    }

    /// <summary>Frames that are kept once give the same training as whole stacks.</summary>
    [TestMethod]
    public void StackedFrames_GiveTheSameTraining()
    {
        var options = Options(1);
        (options.Epochs, options.EvaluationEpisodes) = (2, 0);
        using DqnTransformer once = Fit(new FrameStack(EnvironmentRegistry.Make("CartPole-v1"), 3), options), whole = Fit(new Watched(new FrameStack(EnvironmentRegistry.Make("CartPole-v1"), 3), () => { }), options);
        Assert.AreEqual(12, once.Architecture.InputCount);
        Contract.Outcome.AssertSameBits(whole.Model.GetWeights("layers.0.weight"), once.Model.GetWeights("layers.0.weight"));
    }

    [TestMethod]
    public void NumberedStates_AreLearned()
    {
        using var cliff = EnvironmentRegistry.Make("FrozenLake-v1");
        var options = Options(1);
        (options.Epochs, options.EvaluationEpisodes) = (2, 2);
        using var policy = Fit(cliff, options);
        Assert.AreEqual(16, policy.Architecture.StateCount);
        Assert.HasCount(4, policy.ActionValues([15]));
        Assert.Contains("a whole number from 0 to 15", Assert.ThrowsExactly<FormatException>(() => policy.ActionValues([16])).Message);
    }

    [TestMethod]
    public void SameSeed_SameBits()
    {
        float[] first = Weights(7), second = Weights(7), other = Weights(8);
        Contract.Outcome.AssertSameBits(first, second);
        CollectionAssert.AreNotEqual(first, other);

        static float[] Weights(int seed)
        {
            var options = Options(seed);
            (options.Epochs, options.PrioritizedReplay) = (3, true);
            using var game = EnvironmentRegistry.Make("CartPole-v1");
            using var policy = Fit(game, options);
            return policy.Model.WeightShapes.Keys.SelectMany(policy.Model.GetWeights).ToArray();
        }
    }

    /// <summary>Evaluations between epochs change nothing of the training, in the same environment or in another one.</summary>
    [TestMethod]
    public void Evaluations_LeaveTheTrainingAsItIs()
    {
        var options = Options(1);
        options.Epochs = 3;
        var quiet = Options(1);
        (quiet.Epochs, quiet.EvaluationEpisodes) = (3, 0);
        using DqnTransformer watched = Fit(EnvironmentRegistry.Make("CartPole-v1"), options), unwatched = Fit(EnvironmentRegistry.Make("CartPole-v1"), quiet);
        using var second = Ml.ReinforcementLearning.Trainers.Dqn(options).Fit(EnvironmentRegistry.Make("CartPole-v1"), EnvironmentRegistry.Make("CartPole-v1"));
        Contract.Outcome.AssertSameBits(unwatched.Model.GetWeights("layers.0.weight"), watched.Model.GetWeights("layers.0.weight"));
        Contract.Outcome.AssertSameBits(unwatched.Model.GetWeights("layers.0.weight"), second.Model.GetWeights("layers.0.weight"));
        CollectionAssert.AreEqual(Returns(watched), Returns(second));

        static double[] Returns(DqnTransformer policy) => policy.History.Epochs.Select(epoch => epoch.Validation["return"]).ToArray();
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Masks_AreObeyed()
    {
        using var corridor = new Corridor(firstAction: 3, hasMasks: true);
        using var policy = Fit(corridor, Options(1));
        Assert.AreEqual(0, corridor.Wrong);
        Floor.Near(Math.Pow(.9, 3), policy.ActionValues(Corridor.At(0))[1], .15);
        Assert.AreEqual(4, policy.Act(Corridor.At(2), [], new Random(1)));
        Assert.AreEqual(3, policy.Act(Corridor.At(2), [true, false], new Random(1)));
    }

    [TestMethod]
    public void History_SaysHowItWent()
    {
        var options = Options(1);
        (options.Epochs, options.LearningStarts, options.EpsilonDecayFraction, options.EarlyStopping) = (8, 350, .5, new EarlyStopping { Patience = 20 });
        using var policy = Fit(new Corridor(), options);
        var epochs = policy.History.Epochs;
        Assert.AreEqual(0, epochs[0].Examples, "learning begins in the second epoch");
        Assert.AreEqual(1 + 250, epochs[1].Examples / options.BatchSize * options.TrainingInterval / options.GradientSteps, 2, "of 300 steps, 250 are trained on");
        Assert.AreEqual(.6, epochs[1].Training["epsilon"], 1e-9, "a quarter of the steps, half of the way from 1 to .2");
        Assert.AreEqual(.2, epochs[^1].Training["epsilon"], 1e-9);
        Assert.IsGreaterThan(0, epochs[0].Training["return"]);
        Assert.IsGreaterThan(0, epochs[0].Training["length"]);
        Assert.IsGreaterThan(5, epochs[^1].Training["episodes"]);
        Assert.IsGreaterThan(0, epochs[^1].Training["value"]);
        Assert.IsNotNull(policy.History.BeforeTraining);
        Assert.AreEqual(epochs.MaxBy(epoch => epoch.Validation["return"])!.Epoch, policy.History.BestEpoch);
        Assert.IsFalse(policy.History.Warnings.Any(warning => warning.Contains("did not learn")));
    }

    [TestMethod]
    public void EarlyStopping_FollowsTheReturn()
    {
        var options = Options(1);
        (options.Epochs, options.EarlyStopping) = (60, new EarlyStopping { Patience = 3 });
        using var policy = Fit(new Corridor(), options);
        Assert.AreEqual(StopReason.EarlyStopping, policy.History.StopReason);
        Assert.AreEqual(policy.History.BestEpoch + 3, policy.History.Epochs.Count);
        Assert.AreEqual(1, Ml.ReinforcementLearning.Evaluate(policy, new Corridor(), 3).MeanReturn, "the weights of the best epoch");
    }

    /// <summary>The network computes in 16 bits, and single states by torch then; the target network follows as well.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void BFloat16_LearnsToo()
    {
        var options = Options(1);
        (options.Precision, options.EmaDecay) = (Precision.BFloat16, .9);
        using var policy = Fit(new Corridor(), options);
        for (var cell = 0; cell < Corridor.Cells - 1; cell++)
            Floor.Near(Math.Pow(.9, Corridor.Cells - 2 - cell), policy.ActionValues(Corridor.At(cell))[1], .2);
    }

    [TestMethod]
    public void FrozenLayers_StayAsTheyAre()
    {
        using var first = Fit(new Corridor(), Options(1));
        var options = Options(2);
        (options.Epochs, options.InitialModel, options.FrozenLayers) = (2, first, ["layers.0"]);
        using var second = Fit(new Corridor(), options);
        Contract.Outcome.AssertSameBits(first.Model.GetWeights("layers.0.weight"), second.Model.GetWeights("layers.0.weight"));
        CollectionAssert.AreNotEqual(first.Model.GetWeights("layers.2.weight"), second.Model.GetWeights("layers.2.weight"));
    }

    [TestMethod]
    public void Model_GoesOn()
    {
        using var first = Fit(new Corridor(), Options(1));
        var options = Options(2);
        (options.Epochs, options.InitialModel) = (0, first);
        using var same = Fit(new Corridor(), options);
        CollectionAssert.AreEqual(first.ActionValues(Corridor.At(1)), same.ActionValues(Corridor.At(1)));
        using var other = EnvironmentRegistry.Make("CartPole-v1");
        Assert.Contains("another architecture", Assert.ThrowsExactly<ArgumentException>(() => Fit(other, options)).Message);
        Assert.Contains("3", Assert.ThrowsExactly<ArgumentException>(() => Fit(new Corridor(firstAction: 3), options)).Message);
    }

    [TestMethod]
    public void Cancellation_EndsIt_AlsoBeforeLearningStarts()
    {
        using var source = new CancellationTokenSource();
        var options = Options(1);
        (options.LearningStarts, options.StepsPerEpoch, options.ReplayCapacity, options.CancellationToken) = (int.MaxValue, int.MaxValue, 1000, source.Token);
        var steps = 0;
        Assert.ThrowsExactly<OperationCanceledException>(() => Fit(new Watched(new Corridor(), () =>
        {
            if (++steps == 3000)
                source.Cancel();
        }), options));
    }

    [TestMethod]
    public void Progress_IsReported()
    {
        var epochs = new List<int>();
        var options = Options(1);
        (options.Epochs, options.Progress) = (3, new Contract.Listener(progress =>
        {
            if (progress.Completed is { } record)
                epochs.Add(record.Epoch);
        }));
        Fit(new Corridor(), options).Dispose();
        CollectionAssert.AreEqual(new[] { 1, 2, 3 }, epochs);
    }

    [TestMethod]
    public void Tensors_AreFreed()
    {
        Left(1);
        Assert.AreEqual(Left(1), Left(3), "TorchSharp miscounts those of a module, but not more of them with more steps");

        static long Left(int epochs)
        {
            var options = Options(1);
            (options.Epochs, options.PrioritizedReplay) = (epochs, true);
            var before = Live();
            Fit(new Corridor(), options).Dispose();
            return Live() - before;
        }

        // Of this thread: what other tests left may be collected meanwhile.
        static long Live() => TorchSharp.DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
    }

    internal static DqnEstimator.Options Options(int seed) => new()
    {
        Epochs = 12, StepsPerEpoch = 300, BatchSize = 16, LearningRate = 5e-3, Layers = DqnLayers.Perceptron(16), LearningStarts = 50, ReplayCapacity = 2000,
        DiscountFactor = .9, ReturnSteps = 2, TargetUpdateRate = .05, EpsilonDecayFraction = .5, FinalEpsilon = .2, EvaluationEpisodes = 3, Seed = TestSeed.Of(seed), ThreadCount = 1, Device = "cpu",
    };

    internal static DqnTransformer Fit(IEnvironment environment, DqnEstimator.Options options) => Ml.ReinforcementLearning.Trainers.Dqn(options).Fit(environment);

    /// <summary>Calls an action at each step.</summary>
    private sealed class Watched(IEnvironment inner, Action act) : EnvironmentWrapper(inner)
    {
        public override EnvironmentStep Step(int action)
        {
            act();
            return base.Step(action);
        }
    }
}
