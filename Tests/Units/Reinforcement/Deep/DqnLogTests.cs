using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Deep Q-learning from logged rows.</summary>
[TestClass]
public sealed class DqnLogTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>The log walks at random; what is learned from it goes straight to the end.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(false, 0.0)]
    [DataRow(true, 0.0)]
    [DataRow(false, 0.1)]
    public void Values_AreLearnedFromRandomSteps(bool episodes, double conservative)
    {
        var options = Options(episodes);
        options.ConservativeWeight = conservative;
        using var policy = Fit(Steps(2000, random: 1), options);
        Assert.AreEqual(4, Ml.ReinforcementLearning.Evaluate(policy, new Corridor(), 3).MeanLength);
        if (conservative > 0)
            return;
        for (var cell = 0; cell < 4; cell++)
            Floor.Near(Math.Pow(.9, 3 - cell), policy.ActionValues(Corridor.At(cell)).Max(), .15, $"{episodes}");
    }

    /// <summary>Where an action was never taken, plain learning may believe anything of it; the conservative does not.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void ConservativeTerm_HoldsDownWhatWasNotTaken()
    {
        // In the second cell nobody ever goes left.
        var steps = Steps(2000, random: 1).Where(step => step.State[1] == 0 || step.Action == "1").ToArray();
        double plain = Gap(0), conservative = Gap(1);
        Floor.Above(plain + .5, conservative);

        double Gap(double weight)
        {
            var options = Options(false);
            options.ConservativeWeight = weight;
            using var policy = Fit(steps, options);
            var values = Named(policy, 1);
            return values["1"] - values["0"];
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Cloning_DoesWhatTheLogDoes()
    {
        var options = Options(false);
        options.LogLearning = LogLearning.Cloning;
        // Always left, whatever it gives.
        using var policy = Fit(Steps(2000, random: 1).Where(step => step.Action == "0" || step.State[3] == 1).ToArray(), options);
        Assert.AreEqual(0, policy.Act(Corridor.At(1), [], new Random(1)));
        Assert.Contains("logit", policy.History.Epochs[^1].Training.Keys);
        Floor.Below(.7, policy.History.Epochs[^1].TrainingLoss);
    }

    [TestMethod]
    public void ModelOfALog_GoesOnInAnEnvironment_AndTheOtherWayRound()
    {
        // MapValueToKey meets "1" first, so that the outputs are in another order than in the environment.
        var steps = Steps(2000, random: 1).SkipWhile(step => step.Action == "0").ToArray();
        var plain = Options(false);
        plain.ConservativeWeight = 0;
        using var fromLog = Fit(steps, plain);
        CollectionAssert.AreEqual(new[] { "1", "0" }, fromLog.ActionNames!.ToArray());
        var options = DqnTests.Options(1);
        (options.Epochs, options.InitialModel, options.Layers) = (2, fromLog, DqnLayers.Perceptron(16));
        (options.InitialEpsilon, options.FinalEpsilon, options.LearningRate) = (.1, .1, 1e-4);
        using var inGame = DqnTests.Fit(new Corridor(), options);
        Assert.AreEqual(1, inGame.History.BeforeTraining!.Validation["return"], "what it knew from the log");
        CollectionAssert.AreEqual(new[] { "1", "0" }, inGame.ActionNames!.ToArray());
        var more = Options(false);
        (more.Epochs, more.InitialModel) = (0, inGame);
        using var again = Fit(Steps(50, random: 2).SkipWhile(step => step.Action == "1").ToArray(), more);
        CollectionAssert.AreEqual(inGame.ActionValues(Corridor.At(2)), again.ActionValues(Corridor.At(2)));
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Masks_AreObeyed()
    {
        var options = Options(false);
        (options.ActionMaskColumnName, options.NextActionMaskColumnName, options.ConservativeWeight) = (nameof(Step.Allowed), nameof(Step.NextAllowed), 0);
        var steps = Steps(2000, random: 1).Where(step => step.State[0] == 0 || step.Action == "1").ToArray();
        foreach (var step in steps)
            (step.Allowed, step.NextAllowed) = ([step.State[0] == 0, true], [step.NextState[0] == 0, true]);
        // Keys are sorted by value here, as masks are.
        using var policy = Fit(steps, options);
        CollectionAssert.AreEqual(new[] { "0", "1" }, policy.ActionNames!.ToArray());
        Floor.Near(Math.Pow(.9, 3), policy.ActionValues(Corridor.At(0))[1], .15);
        steps[7].Allowed = [false, false];
        Assert.Contains("Column 'Allowed', row 7", Assert.ThrowsExactly<FormatException>(() => Fit(steps, options)).Message);
        steps[7].Allowed = [steps[7].Action != "0", steps[7].Action != "1"];
        Assert.Contains("that was taken", Assert.ThrowsExactly<FormatException>(() => Fit(steps, options)).Message);
    }

    [TestMethod]
    public void Killed_IsResumed_SameBits()
    {
        using var folder = new TemporaryFolder();
        var steps = Steps(500, random: 1);
        DqnEstimator.Options first = Options(true), whole = Options(true);
        (first.Epochs, first.CheckpointFolder, first.LearningRateSchedule, first.PrioritizedReplay, whole.PrioritizedReplay) = (6, folder.Path, LearningRateSchedule.Constant(), true, true);
        (whole.Epochs, whole.LearningRateSchedule) = (6, LearningRateSchedule.Constant());
        using var source = new CancellationTokenSource();
        first.Progress = new Contract.Listener(progress =>
        {
            if (progress.Completed?.Epoch == 3)
                source.Cancel();
        });
        first.CancellationToken = source.Token;
        Assert.ThrowsExactly<OperationCanceledException>(() => Fit(steps, first));
        (first.ResumeFromCheckpoint, first.CancellationToken) = (true, CancellationToken.None);
        using DqnTransformer resumed = Fit(steps, first), once = Fit(steps, whole);
        foreach (var name in once.Model.WeightShapes.Keys)
            Contract.Outcome.AssertSameBits(once.Model.GetWeights(name), resumed.Model.GetWeights(name));
    }

    [TestMethod]
    public void EpisodesThatDoNotTerminate_LoseTheirLastStep_AndAreCounted()
    {
        var steps = Steps(400, random: 1);
        var open = steps.GroupBy(step => step.Episode).Count(episode => !episode.Last().Terminated);
        Assert.IsGreaterThan(2, open);
        using var policy = Fit(steps, Options(true));
        Assert.AreEqual(open, policy.History.DataCounts["last steps without a next state"]);
        Assert.IsTrue(policy.History.Warnings.Any(warning => warning.Contains($"{open} episodes did not terminate")));
    }

    [TestMethod]
    public void WrongRows_AreNamed()
    {
        Refused("column 'State', row 5 (the first row is 0), slot 2: the value is NaN", (steps, _) => steps[5].State[2] = float.NaN);
        Refused("column 'NextState', row 5 (the first row is 0), slot 2: the value is NaN", (steps, _) => (steps[5].NextState[2], steps[5].Terminated) = (float.NaN, false));
        Refused("Column 'Reward', row 5 (the first row is 0): the reward is Infinity", (steps, _) => steps[5].Reward = float.PositiveInfinity);
        Refused("Column 'Action', row 5 (the first row is 0): the action is missing", (steps, _) => steps[5].Action = "");
        var episode = (Step[] steps) => steps.Skip(5).First(step => step.Number == 3 && !step.Terminated);
        Refused("Column 'Number', row", (steps, options) => options.StepColumnName = episode(steps).Number++ > 0 ? "Number" : null, episodes: true);
        Refused("An episode with a gap must be made two", (steps, options) => options.StepColumnName = episode(steps).Number++ > 0 ? "Number" : null, episodes: true);
        Refused("goes on, but the row before says that it ended", (steps, _) => episode(steps).Terminated = true, episodes: true);
        Refused("has ended before", (steps, _) => steps[^1].Episode = 0, episodes: true);
        Refused("its last step is missing", (steps, options) => (steps.First(step => step.Terminated).Terminated, options.TruncatedColumnName) = (false, "Truncated"), episodes: true);
    }

    [TestMethod]
    public void WrongColumns_AreNamed()
    {
        var steps = Steps(20, random: 1);
        Assert.Contains("Column 'Nothing' is not in the data", Assert.ThrowsExactly<ArgumentException>(() => Fit(steps, new DqnEstimator.Options { StateColumnName = "Nothing" })).Message);
        Assert.Contains("Column 'Reward' has type", Assert.ThrowsExactly<ArgumentException>(() => Fit(steps, new DqnEstimator.Options { ActionColumnName = "Reward" })).Message);
        Assert.Contains("must be a Boolean", Assert.ThrowsExactly<ArgumentException>(() => Fit(steps, new DqnEstimator.Options { TerminatedColumnName = "Reward" })).Message);
        Assert.Contains("Column 'Short' has 2 values; column 'State' has 5", Assert.ThrowsExactly<ArgumentException>(() => Fit(steps, new DqnEstimator.Options { NextStateColumnName = "Short" })).Message);
        Assert.Contains("a mask must be", Assert.ThrowsExactly<ArgumentException>(() => Fit(steps, new DqnEstimator.Options { ActionMaskColumnName = "Short3" })).Message);
        Assert.Contains("no rows", Assert.ThrowsExactly<ArgumentException>(() => Fit([], Options(false))).Message);
    }

    /// <summary>Where the target network is the network, the errors can be computed from the action values of the policy.</summary>
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void HeldOutRows_AreMeasured(bool doubleLearning)
    {
        var (training, held) = (Steps(300, random: 1), Steps(101, random: 2));
        var options = Options(false);
        (options.Epochs, options.ConservativeWeight, options.TargetUpdateRate, options.Loss, options.DoubleLearning) = (2, 0, 1, ValueLoss.Squared, doubleLearning);
        using var policy = Ml.ReinforcementLearning.Trainers.Dqn(options).Fit(Keyed(training), Keyed(held));
        var (squares, agreements) = (0.0, 0);
        foreach (var step in held)
        {
            var values = policy.ActionNames!.Zip(policy.ActionValues(step.State)).ToDictionary(pair => pair.First, pair => pair.Second);
            squares += Math.Pow(values[step.Action] - step.Reward - (step.Terminated ? 0 : .9 * policy.ActionValues(step.NextState).Max()), 2);
            agreements += values[step.Action] == values.Values.Max() ? 1 : 0;
        }
        var measured = policy.History.Epochs[^1].Validation;
        Assert.AreEqual(Math.Sqrt(squares / held.Length), measured["error"], 1e-5);
        Assert.AreEqual(squares / held.Length / 2, measured["loss"], 1e-5);
        Assert.AreEqual(agreements / (double)held.Length, measured["agreement"], 1e-12);
        Assert.HasCount(3, policy.History.BeforeTraining!.Validation);
        Assert.IsNull(policy.History.BestEpoch, "an error does not say which policy is best");
        using var without = Fit(training, options);
        Contract.Outcome.AssertSameBits(without.Model.GetWeights("layers.0.weight"), policy.Model.GetWeights("layers.0.weight"));
    }

    /// <summary>Whole episodes, whose last steps are left out there, too, and cloning, whose epochs can be compared.</summary>
    [TestMethod]
    public void HeldOutEpisodes_StopCloning()
    {
        var (training, held) = (Steps(300, random: 1), Steps(200, random: 2));
        var options = Options(true);
        (options.LogLearning, options.EarlyStopping, options.Epochs, options.LearningRateSchedule) = (LogLearning.Cloning, new EarlyStopping { Patience = 2 }, 200, LearningRateSchedule.Constant());
        using var policy = Ml.ReinforcementLearning.Trainers.Dqn(options).Fit(Keyed(training), Keyed(held));
        Assert.AreEqual(StopReason.EarlyStopping, policy.History.StopReason, "random actions cannot be predicted");
        Assert.IsTrue(policy.History.Epochs[^1].Validation.Keys.Order().SequenceEqual(["agreement", "loss"]));
        Assert.AreEqual(held.GroupBy(step => step.Episode).Count(episode => !episode.Last().Terminated), policy.History.DataCounts["validation: last steps without a next state"]);
    }

    /// <summary>States that are not numbered from 0: where an episode terminated, no state follows, and none must be needed.</summary>
    [TestMethod]
    [DataRow(true, 1)]
    [DataRow(false, 1)]
    [DataRow(false, -3)]
    public void ModelOfNumberedStates_GoesOnInALog(bool episodes, int firstState)
    {
        var options = DqnTests.Options(1);
        options.Epochs = 1;
        using var inGame = DqnTests.Fit(new NumberedCells(new Corridor(), firstState), options);
        var steps = Steps(300, random: 1).Select(step => new NumberedStep { Episode = step.Episode, State = [Number(step.State)], NextState = [Number(step.NextState)], Action = step.Action, Reward = step.Reward, Terminated = step.Terminated }).ToArray();
        var more = Options(episodes);
        (more.InitialModel, more.ConservativeWeight) = (inGame, 0);
        var data = Ml.Data.LoadFromEnumerable(steps);
        using var policy = Ml.ReinforcementLearning.Trainers.Dqn(more).Fit(Ml.Transforms.Conversion.MapValueToKey("Action").Fit(data).Transform(data));
        Assert.AreEqual(1, policy.ActionValues([firstState + 3])[1], .3, "the last step to the right gives 1");
        more.Precision = Precision.BFloat16;
        Assert.Contains("Float32 with numbered states", Assert.Throws<ArgumentException>(() => Ml.ReinforcementLearning.Trainers.Dqn(more).Fit(Ml.Transforms.Conversion.MapValueToKey("Action").Fit(data).Transform(data))).Message);

        float Number(float[] cell) => firstState + Array.IndexOf(cell, 1);
    }

    /// <summary>An episode that was cut off has returns of several steps up to the last state that is known, and each of its steps but the last counts.</summary>
    [TestMethod]
    [DataRow(1, false)]
    [DataRow(3, false)]
    [DataRow(3, true)]
    [DataRow(100, false)]
    public void ReturnsOfEpisodesThatWereCutOff_EndInTheLastState(int returnSteps, bool saysSo)
    {
        var (training, held) = (Steps(300, random: 1), Steps(101, random: 2));
        foreach (var step in held)
            step.Terminated &= step.Episode % 2 == 0;
        foreach (var last in new[] { training, held }.SelectMany(steps => steps.Reverse().DistinctBy(step => step.Episode)))
            last.Truncated = !last.Terminated;
        var options = Options(true);
        (options.Epochs, options.ConservativeWeight, options.TargetUpdateRate, options.Loss, options.ReturnSteps) = (2, 0, 1, ValueLoss.Squared, returnSteps);
        options.TruncatedColumnName = saysSo ? nameof(Step.Truncated) : null;
        using var policy = Ml.ReinforcementLearning.Trainers.Dqn(options).Fit(Keyed(training), Keyed(held));
        var squares = new List<double>();
        foreach (var episode in held.GroupBy(step => step.Episode).Select(group => group.ToArray()))
        {
            var last = episode[^1].Terminated ? episode.Length : episode.Length - 1;
            for (var i = 0; i < last; i++)
            {
                var end = Math.Min(i + returnSteps, last);
                var goal = Enumerable.Range(i, end - i).Sum(at => Math.Pow(.9, at - i) * episode[at].Reward)
                    + (end == episode.Length ? 0 : Math.Pow(.9, end - i) * policy.ActionValues(episode[end].State).Max());
                var taken = policy.ActionValues(episode[i].State)[policy.ActionNames!.ToList().IndexOf(episode[i].Action)];
                squares.Add(Math.Pow(taken - goal, 2));
            }
        }
        Assert.AreEqual(Math.Sqrt(squares.Average()), policy.History.Epochs[^1].Validation["error"], 1e-5);
    }

    /// <summary>Episodes shorter than returns, all of them cut off.</summary>
    [TestMethod]
    public void ShortEpisodesThatWereCutOff_AreLearnedFrom()
    {
        var steps = Enumerable.Range(0, 40).Select(i => new Step { Episode = i / 2, State = Corridor.At(i % 2), Action = $"{i % 2}", Reward = 1 }).ToArray();
        using var policy = Fit(steps, Options(true));
        Assert.AreEqual(20, policy.History.DataCounts["last steps without a next state"]);
        Assert.IsGreaterThan(0, policy.History.Epochs[^1].TrainingLoss);
    }

    [TestMethod]
    public void HeldOutRows_ThatDoNotSuit_AreNamed()
    {
        var training = Steps(100, random: 1);
        Refused(Options(false), "Validation data: Column 'Action', row 0 (the first row is 0): the action is", steps => steps[0].Action = "9");
        Refused(Options(false), "Validation data: Column 'Reward', row 3", steps => steps[3].Reward = float.NaN);
        Refused(Options(true), "Validation data: There are no rows", steps => Array.ForEach(steps, step => (step.Terminated, step.Truncated, step.Episode) = (false, false, Array.IndexOf(steps, step))));
        var stopping = Options(false);
        stopping.EarlyStopping = new EarlyStopping();
        Refused(stopping, "EarlyStopping is set, but errors of values on held-out rows", _ => { });

        void Refused(DqnEstimator.Options options, string message, Action<Step[]> spoil)
        {
            var held = Steps(100, random: 2);
            spoil(held);
            Assert.Contains(message, Assert.Throws<Exception>(() => Ml.ReinforcementLearning.Trainers.Dqn(options).Fit(Keyed(training), Keyed(held))).Message);
        }
    }

    private static void Refused(string message, Action<Step[], DqnEstimator.Options> spoil, bool episodes = false)
    {
        var (steps, options) = (Steps(300, random: 1), Options(episodes));
        spoil(steps, options);
        Assert.Contains(message, Assert.ThrowsExactly<FormatException>(() => Fit(steps, options)).Message);
    }

    private static Dictionary<string, float> Named(DqnTransformer policy, int cell) =>
        policy.ActionNames!.Zip(policy.ActionValues(Corridor.At(cell))).ToDictionary(pair => pair.First, pair => pair.Second);

    internal static DqnEstimator.Options Options(bool episodes) => new()
    {
        Epochs = 15, BatchSize = 16, LearningRate = 5e-3, Layers = DqnLayers.Perceptron(16), DiscountFactor = .9, ReturnSteps = 1, TargetUpdateRate = .05, Seed = TestSeed.Of(1), ThreadCount = 1, Device = "cpu",
        EpisodeColumnName = episodes ? nameof(Step.Episode) : null,
    };

    internal static DqnTransformer Fit(Step[] steps, DqnEstimator.Options options) => Ml.ReinforcementLearning.Trainers.Dqn(options).Fit(Keyed(steps));

    private static IDataView Keyed(Step[] steps)
    {
        var data = Ml.Data.LoadFromEnumerable(steps);
        // Keys as they come, but sorted where there are masks, whose slots are in that order.
        var order = steps.Any(step => step.Allowed.Contains(false)) ? Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue : Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByOccurrence;
        return Ml.Transforms.Conversion.MapValueToKey("Action", keyOrdinality: order).Fit(data).Transform(data);
    }

    internal static Step[] Steps(int count, int random)
    {
        using var corridor = new Corridor();
        var (generator, steps, episode, number) = (new Random(TestSeed.Of(random)), new List<Step>(), 0, 0);
        var state = corridor.Reset().Observation.ToArray();
        while (steps.Count < count)
        {
            var action = generator.Next(2);
            var step = corridor.Step(action);
            var next = step.Observation.ToArray();
            steps.Add(new Step { Episode = episode, Number = ++number, State = state, Action = action.ToString(), Reward = (float)step.Reward, NextState = next.ToArray(), Terminated = step.Terminated, Truncated = step.Truncated });
            (state, episode, number) = step.IsEnd ? (corridor.Reset().Observation.ToArray(), episode + 1, 0) : (next, episode, number);
        }
        return [.. steps];
    }

    /// <summary>Cells as numbers.</summary>
    private sealed class NumberedCells(IEnvironment inner, int first) : EnvironmentWrapper(inner)
    {
        public override Space ObservationSpace { get; } = new DiscreteSpace(Corridor.Cells, first);

        public override EnvironmentState Reset(int? seed = null) => new(Numbered(Inner.Reset(seed).Observation));

        public override EnvironmentStep Step(int action) => Inner.Step(action) is var step ? step with { Observation = Numbered(step.Observation) } : default;

        private float[] Numbered(ReadOnlyMemory<float> cell) => [first + cell.Span.IndexOf(1)];
    }

    private sealed class NumberedStep
    {
        public int Episode { get; set; }

        [VectorType(1)]
        public float[] State { get; set; } = [];

        [VectorType(1)]
        public float[] NextState { get; set; } = [];

        public string Action { get; set; } = "";

        public float Reward { get; set; }

        public bool Terminated { get; set; }
    }

    internal sealed class Step
    {
        public int Episode { get; set; }

        public int Number { get; set; }

        [VectorType(Corridor.Cells)]
        public float[] State { get; set; } = [];

        public string Action { get; set; } = "";

        public float Reward { get; set; }

        [VectorType(Corridor.Cells)]
        public float[] NextState { get; set; } = [];

        public bool Terminated { get; set; }

        public bool Truncated { get; set; }

        [VectorType(2)]
        public bool[] Allowed { get; set; } = [true, true];

        [VectorType(2)]
        public float[] Short { get; set; } = [1, 1];

        [VectorType(3)]
        public bool[] Short3 { get; set; } = [true, true, true];

        [VectorType(2)]
        public bool[] NextAllowed { get; set; } = [true, true];
    }
}
