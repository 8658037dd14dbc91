using Microsoft.ML;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Values of actions that are learned by trial, beside the exact optimum.</summary>
[TestClass]
public sealed class QLearningTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>With a factor near 1 all ways seem the same in so small a lake, so it is 0.99 here; it must be more in the large one.</summary>
    /// <summary>A table has no gradients, features or checkpoints.</summary>
    [TestMethod]
    public void Divergence_AdvisesWhatQLearningHas()
    {
        using var riches = new Riches();
        var error = Assert.ThrowsExactly<TrainingDivergedException>(() => Ml.ReinforcementLearning.Trainers.QLearning(epochs: 1).Fit(riches));
        Assert.AreEqual(1, error.Epoch);
        Assert.Contains("Try smaller rewards (RewardClip), a smaller LearningRate, or a DiscountFactor below 1", error.Message);
        Assert.DoesNotContain("GradientClipNorm", error.Message);
        Assert.DoesNotContain("features", error.Message);
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void FrozenLake_IsLearned() => Floor.Above(.66, Play("FrozenLake-v1", new() { Epochs = 30 }, 1000).MeanReturn);

    [TestMethod]
    [TestCategory("Floor")]
    public void FrozenLake8x8_IsLearned() =>
        Floor.Above(.78, Play("FrozenLake8x8-v1", new() { Epochs = 50, DiscountFactor = .999, InitialValue = 1 }, 1000).MeanReturn);

    [TestMethod]
    [TestCategory("Floor")]
    public void Taxi_IsLearned()
    {
        var metrics = Play("Taxi-v3", new() { Epochs = 40 }, 1000);
        Floor.Above(7.4, metrics.MeanReturn);
        Assert.AreEqual(7.93, metrics.OptimalReturn!.Value, 5e-3);
        Assert.AreEqual(0, metrics.TruncatedShare);
    }

    [TestMethod]
    public void CliffWalking_IsTheOptimumExactly() =>
        Assert.AreEqual(-13, Play("CliffWalking-v1", new() { Epochs = 10, LearningRate = .5 }, 5).MeanReturn);

    /// <summary>Who learns the policy that is followed keeps away from the cliff (Sutton and Barto, example 6.6).</summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(TemporalDifference.Sarsa)]
    [DataRow(TemporalDifference.ExpectedSarsa)]
    public void Sarsa_KeepsAwayFromTheCliff(TemporalDifference algorithm)
    {
        var metrics = Play("CliffWalking-v1", new() { Algorithm = algorithm, Epochs = 20, LearningRate = .3, InitialEpsilon = .1, FinalEpsilon = .1 }, 5);
        Floor.Below(-13.5, metrics.MeanReturn, "not along the edge");
        Floor.Above(-25, metrics.MeanReturn, "it arrives");
        var greedy = Play("CliffWalking-v1", new() { Epochs = 20, LearningRate = .3, InitialEpsilon = .1, FinalEpsilon = .1 }, 5);
        Assert.AreEqual(-13, greedy.MeanReturn);
    }

    [TestMethod]
    public void SameSeed_SameBits()
    {
        double[] first = Values(7), second = Values(7), other = Values(8);
        CollectionAssert.AreEqual(first, second);
        CollectionAssert.AreNotEqual(first, other);

        static double[] Values(int seed) => Fit(EnvironmentRegistry.Make("FrozenLake-v1"), new() { Epochs = 2, StepsPerEpoch = 2000, Seed = seed }).Content.Values;
    }

    [TestMethod]
    public void History_SaysHowItWent()
    {
        var reports = new List<TrainingProgress>();
        var policy = Fit(EnvironmentRegistry.Make("CliffWalking-v1"), new() { Epochs = 4, StepsPerEpoch = 5000, LearningRate = .5, Progress = new Synchronous(reports.Add), EpsilonDecayFraction = 1 });
        var epochs = policy.History!.Epochs;
        Assert.HasCount(4, epochs);
        Assert.IsTrue(epochs.All(epoch => epoch.Examples == 5000));
        Assert.IsGreaterThan(epochs[0].Training["return"], epochs[3].Training["return"]);
        Assert.AreEqual(.05, epochs[3].Training["epsilon"], 1e-12);
        Assert.AreEqual(.5 * .01, epochs[3].LearningRate, 1e-12);
        Assert.AreEqual(4, reports.Count(report => report.Completed != null));
        Assert.AreEqual(epochs[3], reports[^1].Completed);
    }

    [TestMethod]
    public void InitialModel_GoesOn()
    {
        var policy = Fit(EnvironmentRegistry.Make("CliffWalking-v1"), new() { Epochs = 10, LearningRate = .5 });
        var same = Fit(EnvironmentRegistry.Make("CliffWalking-v1"), new() { Epochs = 1, StepsPerEpoch = 1, InitialModel = policy });
        var changed = policy.Content.Values.Zip(same.Content.Values).Count(pair => !pair.First.Equals(pair.Second));
        Assert.IsLessThanOrEqualTo(1, changed);
        Assert.Contains("InitialModel has 48 states from 0; the environment has 500 from 0", Assert.ThrowsExactly<ArgumentException>(() => Fit(EnvironmentRegistry.Make("Taxi-v3"), new() { InitialModel = policy })).Message);
        Assert.Contains("InitialModel", Assert.ThrowsExactly<ArgumentException>(() => Fit(new Sums(), new() { InitialModel = policy })).Message);
    }

    [TestMethod]
    public void Cancellation_Stops()
    {
        using var source = new CancellationTokenSource();
        var options = new QLearningEstimator.Options { Progress = new Synchronous(_ => source.Cancel()), CancellationToken = source.Token };
        Assert.ThrowsExactly<OperationCanceledException>(() => Fit(EnvironmentRegistry.Make("Taxi-v3"), options));
    }

    /// <summary>A cut-off has a future, an end has none.</summary>
    [TestMethod]
    [DataRow(false, 1)]
    [DataRow(true, 10)]
    public void Truncation_IsNoEnd(bool truncated, double expected)
    {
        var policy = Fit(new Loop(truncated), new() { Epochs = 1, StepsPerEpoch = 3000, DiscountFactor = .9, LearningRate = .5 });
        Assert.AreEqual(expected, policy.ActionValue(0, 0), 1e-3);
    }

    [TestMethod]
    public void Masks_AreObeyed_AndSpacesMayStartAnywhere()
    {
        using var sums = new Sums();
        foreach (var algorithm in Enum.GetValues<TemporalDifference>())
        {
            var policy = Fit(sums, new() { Epochs = 5, StepsPerEpoch = 2000, Algorithm = algorithm });
            CollectionAssert.AreEqual(new[] { "10", "11", "12" }, policy.StateNames!.ToArray());
            var metrics = Ml.ReinforcementLearning.Evaluate(policy, sums, 10, successReturn: 2);
            Assert.AreEqual(2, metrics.MeanReturn, $"{algorithm}");
            Assert.AreEqual(1, metrics.SuccessShare);
            Assert.IsNull(metrics.Regret);
            Assert.IsTrue(double.IsNaN(policy.ActionValue(0, 2)), "an action that is never allowed");
        }
    }

    [TestMethod]
    public void Sarsa_OfRows_IsRefused()
    {
        var rows = Ml.Data.LoadFromEnumerable([new MarkovDecisionProcessTests.Step { State = "a", Action = "x" }]);
        var keyed = MarkovDecisionProcessTests.Keys().Fit(rows).Transform(rows);
        var estimator = Ml.ReinforcementLearning.Trainers.QLearning(new QLearningEstimator.Options { Algorithm = TemporalDifference.Sarsa });
        Assert.Contains("Algorithm is Sarsa", Assert.ThrowsExactly<ArgumentException>(() => estimator.Fit(keyed)).Message);
    }

    [TestMethod]
    public void RowsWithoutState_AreCounted()
    {
        var rows = Ml.Data.LoadFromEnumerable(new MarkovDecisionProcessTests.Step[]
        {
            new() { State = "a", Action = "x", Reward = 1 },
            new() { State = "", Action = "x", Reward = 1 },
            new() { State = "a", Action = "", Reward = 1 },
        });
        var estimator = Ml.ReinforcementLearning.Trainers.QLearning(new QLearningEstimator.Options { Epochs = 200, Seed = 1 });
        var policy = MarkovDecisionProcessTests.Keys().Append(estimator).Fit(rows).LastTransformer;
        Assert.AreEqual(2, policy.History!.DataCounts["rows without state or action"]);
        Assert.AreEqual("2 rows have no state or no action; they are left out.", policy.History.Warnings.Single());
        Assert.AreEqual(1, policy.ActionValue(0, 0), 1e-3);
    }

    [TestMethod]
    public void TooLargeATable_IsRefused()
    {
        var rows = Ml.Data.LoadFromEnumerable([new Large { State = 1, Action = 1, NextState = 1 }]);
        foreach (var estimator in (TabularEstimator[])[Ml.ReinforcementLearning.Trainers.QLearning(), Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess()])
            Assert.Contains("16000000 states and 100 actions", Assert.ThrowsExactly<ArgumentException>(() => estimator.Fit(rows)).Message);
    }

    [TestMethod]
    public void BadOptions_AreNamed()
    {
        Refused(new() { Epochs = 0 }, "Epochs is 0");
        Refused(new() { LearningRate = 1.5 }, "LearningRate is 1.5");
        Refused(new() { InitialEpsilon = -.1 }, "InitialEpsilon is -0.1");
        Refused(new() { EpsilonDecayFraction = 2 }, "EpsilonDecayFraction is 2");
        Refused(new() { DiscountFactor = 0 }, "DiscountFactor is 0");
        Refused(new() { StateColumnName = " " }, "StateColumnName");

        static void Refused(QLearningEstimator.Options options, string message) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => Ml.ReinforcementLearning.Trainers.QLearning(options)).Message);
    }

    private static TabularPolicyTransformer Fit(IEnvironment environment, QLearningEstimator.Options options)
    {
        options.Seed ??= TestSeed.Of(1);
        return Ml.ReinforcementLearning.Trainers.QLearning(options).Fit(environment);
    }

    private static ReinforcementMetrics Play(string name, QLearningEstimator.Options options, int episodes)
    {
        using var environment = EnvironmentRegistry.Make(name);
        return Ml.ReinforcementLearning.Evaluate(Fit(environment, options), environment, episodes, TestSeed.Of(2));
    }

    private sealed class Synchronous(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    private sealed class Large
    {
        [Microsoft.ML.Data.KeyType(16_000_000)]
        public uint State { get; set; }

        [Microsoft.ML.Data.KeyType(100)]
        public uint Action { get; set; }

        public float Reward { get; set; }

        [Microsoft.ML.Data.KeyType(16_000_000)]
        public uint NextState { get; set; }
    }

    /// <summary>One state, one action, a reward of 1, and each step is the last one of its episode.</summary>
    private sealed class Loop(bool truncated) : IEnvironment
    {
        public string Name => "Loop-v0";

        public Space ObservationSpace { get; } = new DiscreteSpace(1);

        public DiscreteSpace ActionSpace { get; } = new(1);

        public EnvironmentState Reset(int? seed = null) => new(new float[1]);

        public EnvironmentStep Step(int action) => new(new float[1], 1, !truncated, truncated);

        public void Dispose()
        {
        }
    }

    /// <summary>Rewards whose squares have no sum.</summary>
    private sealed class Riches : IEnvironment
    {
        public string Name => "Riches-v0";

        public Space ObservationSpace { get; } = new DiscreteSpace(1);

        public DiscreteSpace ActionSpace { get; } = new(1);

        public EnvironmentState Reset(int? seed = null) => new(new float[1]);

        public EnvironmentStep Step(int action) => new(new float[1], 1e200, true, false);

        public void Dispose()
        {
        }
    }

    /// <summary>States 10 to 12, actions 5 to 7; action 7 would give most and is never allowed, action 6 gives 1.</summary>
    private sealed class Sums : IEnvironment
    {
        private static readonly bool[] Mask = [true, true, false];
        private int _state;

        public string Name => "Sums-v0";

        public Space ObservationSpace { get; } = new DiscreteSpace(3, start: 10);

        public DiscreteSpace ActionSpace { get; } = new(3, start: 5);

        public EnvironmentState Reset(int? seed = null)
        {
            _state = 10;
            return new EnvironmentState(new float[] { _state }, Mask);
        }

        public EnvironmentStep Step(int action)
        {
            Assert.AreNotEqual(7, action);
            _state++;
            return new EnvironmentStep(new float[] { _state }, action - 5, _state == 12, false, Mask);
        }

        public void Dispose()
        {
        }
    }
}
