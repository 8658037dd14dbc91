using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Reinforcement;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Environments, logs and options that a deep Q-network can learn nothing from, or not as they are meant.</summary>
[TestClass]
public sealed class DqnBadInputTests
{
    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void TrainingsWithoutATrainingStep_AreRefused()
    {
        Refused(options => options.TrainingInterval = 601, "TrainingInterval is 601; it must be at most 600, the number of all steps");
        Refused(options => (options.TrainingInterval, options.LearningStarts) = (400, 401), "LearningStarts is 401; it must be at most 400");
        Refused(options => options.LearningStarts = 601, "LearningStarts is 601; it must be at most 600");
        Refused(options => options.ReplayCapacity = 82, "ReplayCapacity is 82; it must be at least 83, which is BatchSize + ReturnSteps + the 63 frames before an observation", 64);
        var longReturns = DqnTests.Options(1);
        (longReturns.Epochs, longReturns.ReturnSteps, longReturns.EvaluationEpisodes) = (2, 900, 0);
        using var policy = DqnTests.Fit(new Odd { IsEnd = _ => false }, longReturns);
        Assert.IsTrue(policy.History.Warnings.Any(warning => warning.Contains("had no training step")));

        static void Refused(Action<DqnEstimator.Options> set, string message, int frames = 1)
        {
            var options = DqnTests.Options(1);
            (options.Epochs, options.ReturnSteps) = (2, 4);
            set(options);
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => DqnTests.Fit(new FrameStack(new Odd(), frames), options)).Message);
        }
    }

    /// <summary>A training every 400 steps is one in most epochs of 300: 8 training steps, not none.</summary>
    [TestMethod]
    public void LongIntervals_AreCounted()
    {
        var options = DqnTests.Options(1);
        (options.Epochs, options.TrainingInterval, options.GradientSteps) = (4, 400, 2);
        using var policy = DqnTests.Fit(new Odd(), options);
        Assert.IsTrue(policy.History.Warnings.Any(warning => warning.Contains("The training has 8 training steps in all")));
    }

    [TestMethod]
    public void EvaluationsInTheEnvironmentOfTheTraining_AreRefused()
    {
        var game = new Odd();
        var estimator = Ml.ReinforcementLearning.Trainers.Dqn(DqnTests.Options(1));
        Assert.Contains("is the environment of the training itself", Assert.ThrowsExactly<ArgumentException>(() => estimator.Fit(game, game)).Message);
        Assert.Contains("is the environment of the training itself", Assert.ThrowsExactly<ArgumentException>(() => estimator.Fit(new TimeLimit(game, 5), new TimeLimit(game, 5))).Message);
    }

    [TestMethod]
    public void Rewards_ThatFloat32CannotHold_AreNamed()
    {
        var error = Assert.ThrowsExactly<FormatException>(() => DqnTests.Fit(new Odd { Reward = step => step == 3 ? -1e39 : 0 }, DqnTests.Options(1)));
        Assert.Contains("Odd-v0, episode 1, step 3: the reward is -1E+39; a network computes with float32", error.Message);
        // Each of these fits, but not their sum.
        var diverged = Assert.ThrowsExactly<TrainingDivergedException>(() => DqnTests.Fit(new Odd { Reward = _ => 3e38 }, DqnTests.Options(1)));
        Assert.Contains("try rewards of about 1 (RewardClip)", diverged.Message);
        Assert.DoesNotContain("NormalizeMeanVariance", diverged.Message);
    }

    /// <summary>Their policy could be saved, but not be loaded.</summary>
    [TestMethod]
    public void TooManyActions_AreRefused()
    {
        Assert.Contains("Odd-v0 has 1048577 actions; a deep Q-network can have 1048576", Assert.ThrowsExactly<ArgumentException>(() => DqnTests.Fit(new Odd { ActionSpace = new((1 << 20) + 1) }, DqnTests.Options(1))).Message);
        var rows = Ml.Data.LoadFromEnumerable(new[] { new Wide() });
        Assert.Contains("Column 'Action' has 1099511627776 actions", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.Trainers.Dqn(DqnTests.Options(1)).Fit(rows)).Message);
    }

    [TestMethod]
    public void ImagesTooSmallForConvolutions_HaveDenseLayers()
    {
        var options = DqnTests.Options(1);
        (options.Layers, options.Epochs) = (null, 1);
        using var policy = DqnTests.Fit(new Odd { ObservationSpace = new BoxSpace([1, 1, 2], 0, 255) }, options);
        Assert.IsInstanceOfType<DenseLayer>(policy.Architecture.Layers[0]);
        Assert.AreEqual(255, policy.Architecture.InputDivisor);
    }

    /// <summary>Environments can take seconds for a step.</summary>
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Cancellation_IsSeenAtTheNextStep(bool isNetwork)
    {
        using var source = new CancellationTokenSource();
        var steps = 0;
        var game = new Odd
        {
            ObservationSpace = isNetwork ? new BoxSpace([2], 0, 255) : new DiscreteSpace(20),
            Reward = _ =>
            {
                if (++steps == 5)
                    source.Cancel();
                return 0;
            },
        };
        var options = DqnTests.Options(1);
        (options.CancellationToken, options.EvaluationEpisodes) = (source.Token, 0);
        var table = new QLearningEstimator.Options { CancellationToken = source.Token };
        Assert.Throws<OperationCanceledException>(() => isNetwork ? (object)DqnTests.Fit(game, options) : Ml.ReinforcementLearning.Trainers.QLearning(table).Fit(game));
        Assert.AreEqual(5, steps);
    }

    [TestMethod]
    public void OtherRewards_AreNotResumed()
    {
        using var folder = new TemporaryFolder();
        var options = DqnTests.Options(1);
        (options.Epochs, options.CheckpointFolder, options.EvaluationEpisodes) = (1, folder.Path, 0);
        using var first = DqnTests.Fit(new RewardClip(new Corridor(), -1, 1), options);
        options.ResumeFromCheckpoint = true;
        Assert.Contains("environment RewardClip -1 to 1 of Corridor", Assert.ThrowsExactly<InvalidOperationException>(() => DqnTests.Fit(new RewardClip(new Corridor(), -1, 2), options)).Message);
    }

    [TestMethod]
    public void PolicyOfOtherStates_IsNotEvaluated()
    {
        var options = DqnTests.Options(1);
        options.Epochs = 1;
        using var policy = DqnTests.Fit(new Odd(), options);
        using var pole = EnvironmentRegistry.Make("CartPole-v1");
        Assert.Contains("The states of the policy have 2 values; the observations of CartPole-v1 have 4", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.Evaluate(policy, pole)).Message);
        options.InputDivisor = 1e-300;
        Assert.Contains("InputDivisor is 1E-300", Assert.Throws<ArgumentException>(() => Ml.ReinforcementLearning.Trainers.Dqn(options)).Message);
    }

    [TestMethod]
    public void MissingEpisodes_AreNamed_AndKeysOfActionsGoOnInAPipeline()
    {
        var rows = Enumerable.Range(0, 40).Select(i => new Row { Episode = (uint)(i / 10), Action = i % 2 == 0 ? "left" : "right", Terminated = i % 10 == 9 }).ToArray();
        var data = Ml.Data.LoadFromEnumerable(rows);
        var options = DqnTests.Options(1);
        (options.Epochs, options.EpisodeColumnName) = (1, nameof(Row.Episode));
        var pipeline = Ml.Transforms.Conversion.MapValueToKey("Action").Append(Ml.ReinforcementLearning.Trainers.Dqn(options)).Append(Ml.Transforms.Conversion.MapKeyToValue("PredictedAction"));
        Assert.IsTrue(pipeline.Fit(data).Transform(data).GetColumn<string>("PredictedAction").All(action => action is "left" or "right"));
        options.EpisodeColumnName = null;
        var withoutNext = Ml.Transforms.DropColumns("NextState").Fit(data).Transform(data);
        var missing = Assert.ThrowsExactly<ArgumentException>(() => Ml.Transforms.Conversion.MapValueToKey("Action").Append(Ml.ReinforcementLearning.Trainers.Dqn(options)).Fit(withoutNext)).Message;
        Assert.Contains("Column 'NextState' is not in the data", missing);
        Assert.Contains("name the column of the episode with EpisodeColumnName", missing);
        rows[^1].Episode = 9; // beyond the keys, so that it is missing
        Assert.Contains("Column 'Episode', row 39 (the first row is 0): the episode is missing", Assert.ThrowsExactly<FormatException>(() => pipeline.Fit(data)).Message);
    }

    /// <summary>A state that is a number takes a place for each state there is.</summary>
    [TestMethod]
    public void NumberedStates_CountInMemory()
    {
        var options = DqnTests.Options(1);
        (options.Epochs, options.EvaluationEpisodes) = (1, 0);
        using var policy = DqnTests.Fit(new Odd { ObservationSpace = new DiscreteSpace(5000) }, options);
        Assert.IsGreaterThan(5000.0, policy.Architecture.ValuesPerRow);
    }

    /// <summary>Where the numbers are others, the states are, too.</summary>
    [TestMethod]
    public void NumberedStates_GoOnWhereTheyAreTheSame()
    {
        var options = DqnTests.Options(1);
        (options.Epochs, options.EvaluationEpisodes) = (1, 0);
        using var policy = DqnTests.Fit(new Odd { ObservationSpace = new DiscreteSpace(20) }, options);
        options.InitialModel = policy;
        Assert.Contains("InitialModel has 20 states from 0; Odd-v0 has 20 from -2", Assert.ThrowsExactly<ArgumentException>(() => DqnTests.Fit(new Odd { ObservationSpace = new DiscreteSpace(20, -2) }, options)).Message);
        options.Epochs = 0;
        var rows = Ml.Data.LoadFromEnumerable(new[] { new Numbered { State = 3, Terminated = true } });
        using var offline = Ml.ReinforcementLearning.Trainers.Dqn(options).Fit(rows);
        CollectionAssert.AreEqual(policy.ActionValues([19]), offline.ActionValues([19]));
        var outside = Ml.Data.LoadFromEnumerable(new[] { new Numbered { State = 20, Terminated = true } });
        Assert.Contains("Column 'State', row 0 (the first row is 0), slot 0: the value is 20; it must be a whole number from 0 to 19", Assert.ThrowsExactly<FormatException>(() => Ml.ReinforcementLearning.Trainers.Dqn(options).Fit(outside)).Message);
    }

    [TestMethod]
    public void BatchesThatDoNotFitIntoMemory_AreRefusedBeforeTheBufferIsThere()
    {
        var options = DqnTests.Options(1);
        (options.ReplayCapacity, options.BatchSize) = (1 << 30, 1 << 29);
        // Nearly a terabyte each.
        Assert.Contains("and BatchSize = 536870912 besides", Assert.Throws<ArgumentException>(() => DqnTests.Fit(new Odd { ObservationSpace = new BoxSpace([200], 0, 1000) }, options)).Message);
    }

    /// <summary>Shows the number of the step, gives what it is told to, and ends after 10 steps.</summary>
    private sealed class Odd : ICheckpointableEnvironment
    {
        private int _step;

        public string Name => "Odd-v0";

        public Space ObservationSpace { get; init; } = new BoxSpace([2], 0, 1000);

        public DiscreteSpace ActionSpace { get; init; } = new(2);

        public Func<int, double> Reward { get; init; } = _ => 1;

        public Func<int, bool> IsEnd { get; init; } = step => step == 10;

        public EnvironmentState Reset(int? seed = null)
        {
            _step = 0;
            return new EnvironmentState(Observe());
        }

        public EnvironmentStep Step(int action)
        {
            _step++;
            return new EnvironmentStep(Observe(), Reward(_step), IsEnd(_step), false);
        }

        public byte[] SaveState() => [(byte)_step];

        public void LoadState(ReadOnlySpan<byte> state) => _step = state[0];

        public void Dispose()
        {
        }

        private float[] Observe() => [.. Enumerable.Repeat((float)_step, ObservationSpace.Size)];
    }

    private sealed class Row
    {
        [VectorType(2)]
        public float[] State { get; set; } = [0, 1];

        public string Action { get; set; } = "";

        public float Reward { get; set; }

        [VectorType(2)]
        public float[] NextState { get; set; } = [1, 0];

        public bool Terminated { get; set; }

        [KeyType(4)]
        public uint Episode { get; set; }
    }

    private sealed class Numbered
    {
        public float State { get; set; }

        [KeyType(2)]
        public uint Action { get; set; }

        public float Reward { get; set; }

        public float NextState { get; set; }

        public bool Terminated { get; set; }
    }

    private sealed class Wide
    {
        [VectorType(2)]
        public float[] State { get; set; } = [0, 1];

        [KeyType(1UL << 40)]
        public ulong Action { get; set; }

        public float Reward { get; set; }

        [VectorType(2)]
        public float[] NextState { get; set; } = [1, 0];

        public bool Terminated { get; set; }
    }
}
