using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Families.Reinforcement;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Tables that are counted from logged rows, and the best policies of them.</summary>
[TestClass]
public sealed class MarkovDecisionProcessTests
{
    private static readonly MLContext Ml = new(1);

    /// <summary>The table of the book: a state, an action, and what follows with which probability and reward.</summary>
    [TestMethod]
    public void Book_ExpectedReward()
    {
        var rows = new List<Step>();
        foreach (var (state, count, reward) in new[] { ("A", 35, 3f), ("B", 12, 2f), ("C", 5, 7f), ("D", 48, 0f) })
            rows.AddRange(Enumerable.Repeat(new Step { State = "S", Action = "go", Reward = reward, NextState = state }, count));
        var policy = Fit(rows, new() { Horizon = 1, DiscountFactor = 1 });
        var start = policy.StateNames!.ToList().IndexOf("S");
        Assert.AreEqual((.35 * 3) + (.12 * 2) + (.05 * 7), policy.ActionValue(start, 0), 1e-12);
        Assert.AreEqual(1.64, policy.Model!.ExpectedReward(start, 0), 1e-12);
        Assert.AreEqual(100, policy.Model.Count(start, 0));
        CollectionAssert.AreEquivalent(new[] { .35, .12, .05, .48 }, policy.Model.Transitions(start, 0).Select(transition => transition.Probability).ToArray());
        Assert.AreEqual(-1, policy.BestAction(policy.StateNames!.ToList().IndexOf("A")), "nothing was tried there");
        Assert.IsNull(policy.OptimalReturn, "where episodes begin is unknown");
    }

    [TestMethod]
    public void Rewards_AreMeans_AndTheBestIsChosen()
    {
        var policy = Fit(
        [
            new() { State = "a", Action = "stay", Reward = 1, NextState = "a" },
            new() { State = "a", Action = "stay", Reward = 3, NextState = "a" },
            new() { State = "a", Action = "leave", Reward = 10 },
        ], new() { DiscountFactor = .5 });
        Assert.AreEqual(2 / (1 - .5) > 10 ? 0 : 1, policy.BestAction(0));
        Assert.AreEqual(10, policy.StateValue(0), 1e-9);
        Assert.AreEqual(2 + (.5 * 10), policy.ActionValue(0, 0), 1e-8);
        var patient = Fit([.. Rows(policy)], new() { DiscountFactor = .9 });
        Assert.AreEqual(20, patient.StateValue(0), 1e-7);
        Assert.AreEqual(0, patient.BestAction(0));

        static IEnumerable<Step> Rows(TabularPolicyTransformer _) =>
            [new() { State = "a", Action = "stay", Reward = 2, NextState = "a" }, new() { State = "a", Action = "leave", Reward = 10 }];
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Log_OfARandomWalk_FindsTheOptimum()
    {
        using var lake = new FrozenLakeEnvironment();
        var rows = Log(lake, 60_000, TestSeed.Of(1));
        var policy = Fit(rows, new() { DiscountFactor = .99 });
        var metrics = Ml.ReinforcementLearning.Evaluate(policy, EnvironmentRegistry.Make("FrozenLake-v1"), 1000, TestSeed.Of(2));
        Floor.Above(.66, metrics.MeanReturn);
        Assert.AreEqual(.7442, metrics.OptimalReturn!.Value, 5e-5);
        var learned = Ml.ReinforcementLearning.Trainers.QLearning(new QLearningEstimator.Options { Epochs = 20, Seed = TestSeed.Of(3) });
        var replayed = Keys().Append(learned).Fit(Ml.Data.LoadFromEnumerable(rows)).LastTransformer;
        Floor.Above(.6, Ml.ReinforcementLearning.Evaluate(replayed, EnvironmentRegistry.Make("FrozenLake-v1"), 1000, TestSeed.Of(2)).MeanReturn, "Q-learning of rows");
        Assert.IsTrue(replayed.History!.Epochs.All(epoch => epoch.Examples == 60_000));
    }

    [TestMethod]
    [DataRow("FrozenLake-v1", 100, .7442)]
    [DataRow("FrozenLake8x8-v1", 200, .9132)]
    public void FiniteHorizon_IsTheExactOptimum(string name, int steps, double optimum)
    {
        using var lake = EnvironmentRegistry.Make(name);
        var policy = Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess(new MarkovDecisionProcessEstimator.Options { DiscountFactor = 1, Horizon = steps }).Fit(lake);
        Assert.AreEqual(optimum, policy.OptimalReturn!.Value, 5e-5);
        Assert.AreEqual(optimum, policy.StateValue(0), 5e-5);
    }

    [TestMethod]
    public void CliffWalking_IsSolved()
    {
        using var cliff = EnvironmentRegistry.Make("CliffWalking-v1");
        foreach (var solver in Enum.GetValues<MarkovSolverKind>())
        {
            var policy = Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess(new MarkovDecisionProcessEstimator.Options { Solver = solver }).Fit(cliff);
            var metrics = Ml.ReinforcementLearning.Evaluate(policy, cliff, 3);
            Assert.AreEqual(-13, metrics.MeanReturn, 1e-9);
            Assert.AreEqual(0, metrics.Regret!.Value, 1e-9);
        }
    }

    [TestMethod]
    [TestCategory("Floor")]
    public void Blackjack_SolvedPolicy_ReachesTheOptimum()
    {
        using var game = EnvironmentRegistry.Make("Blackjack-v1");
        var policy = Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess(discountFactor: 1).Fit(game);
        Assert.AreEqual(-.0431, policy.OptimalReturn!.Value, 5e-5);
        Assert.AreEqual(704, policy.StateCount);
        Floor.Near(-.0431, Ml.ReinforcementLearning.Evaluate(policy, game, 40_000, TestSeed.Of(1)).MeanReturn, .025);
    }

    [TestMethod]
    public void EndlessRewards_AreRefused()
    {
        var options = new MarkovDecisionProcessEstimator.Options { DiscountFactor = 1, MaximumIterations = 1000 };
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => Fit([new() { State = "a", Action = "x", Reward = 1, NextState = "a" }], options));
        Assert.Contains("Horizon", error.Message);
        Assert.AreEqual(5, Fit([new() { State = "a", Action = "x", Reward = 1, NextState = "a" }], new() { DiscountFactor = 1, Horizon = 5 }).StateValue(0), 1e-12);
    }

    /// <summary>Each evaluation of a policy is as bounded as value iteration is: with a factor this near to 1 it would take years.</summary>
    [TestMethod]
    public void PolicyIteration_IsBounded()
    {
        var options = new MarkovDecisionProcessEstimator.Options { DiscountFactor = 1 - 1e-12, Solver = MarkovSolverKind.PolicyIteration, MaximumIterations = 1000 };
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => Fit([new() { State = "a", Action = "x", Reward = 1, NextState = "a" }], options));
        Assert.Contains("use a factor below 1, or a Horizon", error.Message);
    }

    [TestMethod]
    public void Names_FollowInTheSamePipeline()
    {
        var rows = Ml.Data.LoadFromEnumerable([new Step { State = "a", Action = "stay", Reward = 1 }, new Step { State = "a", Action = "leave", Reward = 2 }]);
        var model = Keys().Append(Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess()).Append(Ml.Transforms.Conversion.MapKeyToValue("PredictedAction")).Fit(rows);
        CollectionAssert.AreEqual(new[] { "leave", "leave" }, model.Transform(rows).GetColumn<string>("PredictedAction").ToArray());
    }

    [TestMethod]
    public void Models_ThatAreNone_AreNamed()
    {
        Refused(new Model { StateCount = 2 }, "has 2 states, but its observations are whole numbers from 0 to 2");
        Refused(new Model { Possible = [new(0, 0, double.NaN, false), new(1, 1, 0, true)] }, "state 0, action 0: a reward is NaN");
        Refused(new Model { Possible = [new(0, .5, 0, false)] }, "state 0, action 0: the probabilities add up to 0.5");
        Refused(new Model { Possible = null! }, "state 0, action 0: the transitions are null");
        Refused(new Model { Possible = [new(0, 1, 1e308, false)] }, "The value of state 0 is Infinity", new() { Horizon = 50 });
        Refused(new Model { Possible = [new(0, 1, 1e308, false)] }, "The value of state 0 is Infinity", new() { Solver = MarkovSolverKind.PolicyIteration });

        static void Refused(Model model, string message, MarkovDecisionProcessEstimator.Options? options = null) =>
            Assert.Contains(message, Assert.ThrowsExactly<FormatException>(() => Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess(options ?? new()).Fit(model)).Message);
    }

    [TestMethod]
    public void BadRows_AreNamed()
    {
        Assert.Contains("Column 'Reward', row 1 (the first row is 0): the reward is NaN", Assert.ThrowsExactly<FormatException>(() => Fit(
            [new() { State = "a", Action = "x" }, new() { State = "a", Action = "x", Reward = float.NaN }], new())).Message);
        Assert.Contains("row 0 (the first row is 0): the next state is missing", Assert.ThrowsExactly<FormatException>(() => Fit(
            [new() { State = "a", Action = "x" }], new() { TerminatedColumnName = "Terminated" })).Message);
        Assert.Contains("no rows", Assert.ThrowsExactly<ArgumentException>(() => Fit([new() { State = "a" }, new() { Action = "x" }], new())).Message);
        var data = Ml.Data.LoadFromEnumerable([new Step { State = "a" }]);
        Assert.Contains("Column 'State' has type String; it must be a key", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess().Fit(data)).Message);
        Assert.Contains("'Nothing'", Assert.ThrowsExactly<ArgumentException>(() => Fit([new() { State = "a" }], new() { RewardColumnName = "Nothing" })).Message);
    }

    [TestMethod]
    public void KeysOfBothStates_MustBeComparable()
    {
        var data = Ml.Data.LoadFromEnumerable([new Numbered { State = "a", Action = "x" }]);
        var keyed = Ml.Transforms.Conversion.MapValueToKey("State").Append(Ml.Transforms.Conversion.MapValueToKey("Action")).Fit(data).Transform(data);
        var error = Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess().Fit(keyed));
        Assert.Contains("Column 'NextState': its keys have no values", error.Message);
    }

    [TestMethod]
    public void TerminatedColumn_EndsEpisodes()
    {
        List<Step> rows = [new() { State = "a", Action = "x", Reward = 1, NextState = "a", Terminated = true }];
        Assert.AreEqual(1, Fit(rows, new() { TerminatedColumnName = "Terminated" }).StateValue(0));
        Assert.AreEqual(100, Fit(rows, new()).StateValue(0), 1e-6);
    }

    /// <summary>A column of numbers has as many keys as there are numbers, few of which a log has.</summary>
    [TestMethod]
    public void Sweeps_AreOfStatesThatWereMet()
    {
        var table = new TransitionTable(1 << 20, 1, [.. Enumerable.Range(0, (1 << 20) + 1).Select(pair => pair > 1000 ? 2 : pair > 5 ? 1 : 0)], [new(1000, 1, 1, false), new(5, 1, 2, false)], [], []);
        var solver = new MarkovSolver(table);
        Assert.AreEqual(2, solver.SweptStates);
        // 5 gives 1 and leads to 1000, which gives 2 and leads back.
        foreach (var solution in new[] { solver.ValueIteration(.5, 1e-12, 1000), solver.PolicyIteration(.5, 1e-12, 1000), solver.FiniteHorizon(.5, 1000) })
        {
            Assert.AreEqual(8 / 3.0, solution.StateValues[5], 1e-9);
            Assert.AreEqual(10 / 3.0, solution.StateValues[1000], 1e-9);
            Assert.AreEqual(0, solution.StateValues[6]);
            Assert.AreEqual(10 / 3.0, solution.ActionValues[1000], 1e-9);
            Assert.IsTrue(double.IsNaN(solution.ActionValues[6]));
        }
    }

    [TestMethod]
    public void StatesThatNoRowBeginsWith_AreCounted()
    {
        List<Step> rows =
        [
            new() { State = "a", Action = "x", Reward = 1, NextState = "b" }, new() { State = "a", Action = "x", Reward = 1, NextState = "b" },
            new() { State = "a", Action = "x", Reward = 1, NextState = "a" }, new() { State = "a", Action = "x", Reward = 1, NextState = "b", Terminated = true },
        ];
        Assert.AreEqual("Warning: 2 rows lead to a state in which nothing was tried; they count as ends of episodes, after which nothing comes. Column 'Terminated' says that they are not.", Said("Terminated", out var history));
        Assert.AreEqual(2, history.DataCounts["rows that lead to a state in which nothing was tried"]);
        Assert.HasCount(1, history.Warnings);
        Assert.AreEqual("Info: 3 rows lead to a state in which nothing was tried; they count as ends of episodes, after which nothing comes.", Said(null, out history));
        Assert.AreEqual(3, history.DataCounts["rows that lead to a state in which nothing was tried"]);
        Assert.IsEmpty(history.Warnings);

        string Said(string? terminated, out TrainingHistory history)
        {
            var context = new MLContext(1);
            var said = new List<string>();
            context.Log += (_, e) =>
            {
                if (e.RawMessage.Contains("rows lead to", StringComparison.Ordinal))
                    said.Add($"{e.Kind}: {e.RawMessage}");
            };
            var data = Keys().Fit(context.Data.LoadFromEnumerable(rows)).Transform(context.Data.LoadFromEnumerable(rows));
            history = context.ReinforcementLearning.Trainers.QLearning(new QLearningEstimator.Options { Epochs = 1, TerminatedColumnName = terminated }).Fit(data).History!;
            context.ReinforcementLearning.Trainers.MarkovDecisionProcess(new MarkovDecisionProcessEstimator.Options { TerminatedColumnName = terminated }).Fit(data);
            Assert.HasCount(2, said);
            Assert.AreEqual(said[0], said[1]);
            return said[0];
        }
    }

    [TestMethod]
    public void BadOptions_AreNamed()
    {
        Refused(new() { DiscountFactor = 1.1 }, "DiscountFactor is 1.1");
        Refused(new() { DiscountFactor = 1, Solver = MarkovSolverKind.PolicyIteration }, "below 1 with Solver = PolicyIteration");
        Refused(new() { Horizon = 0 }, "Horizon is 0");
        Refused(new() { ActionValuesColumnName = "PredictedAction" }, "ActionValuesColumnName");
        using var pole = EnvironmentRegistry.Make("CartPole-v1");
        Assert.Contains("numbered states", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess().Fit(pole)).Message);
        using var clipped = new RewardClip(new CliffWalkingEnvironment());
        Assert.Contains("does not know its model", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess().Fit(clipped)).Message);

        static void Refused(MarkovDecisionProcessEstimator.Options options, string message) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess(options)).Message);
    }

    /// <summary>A model of three states that says what it is told to.</summary>
    private sealed class Model : IKnownModelEnvironment
    {
        public string Name => "Model-v0";

        public Space ObservationSpace { get; } = new DiscreteSpace(3);

        public DiscreteSpace ActionSpace { get; } = new(2);

        public int StateCount { get; init; } = 3;

        public IReadOnlyList<StateProbability> InitialStates => [new(0, 1)];

        public IReadOnlyList<StateTransition> Possible { get; init; } = [new(1, 1, 0, true)];

        public IReadOnlyList<StateTransition> Transitions(int state, int action) => Possible;

        public EnvironmentState Reset(int? seed = null) => new(new float[1]);

        public EnvironmentStep Step(int action) => new(new float[1], 0, true, false);

        public void Dispose()
        {
        }
    }

    internal static EstimatorChain<Microsoft.ML.Transforms.ValueToKeyMappingTransformer> Keys() => Ml.Transforms.Conversion.MapValueToKey("State")
        .Append(Ml.Transforms.Conversion.MapValueToKey("NextState")).Append(Ml.Transforms.Conversion.MapValueToKey("Action"));

    /// <summary>A log of random actions. Texts are numbers of the environment.</summary>
    internal static List<Step> Log(TabularEnvironment environment, int steps, int seed)
    {
        var (random, rows) = (new Random(seed), new List<Step>());
        var state = environment.Reset(seed).Observation.Span[0];
        for (var i = 0; i < steps; i++)
        {
            var action = random.Next(environment.ActionSpace.Count);
            var step = environment.Step(action);
            rows.Add(new Step { State = $"{state}", Action = $"{action}", Reward = (float)step.Reward, NextState = step.Terminated ? "" : $"{step.Observation.Span[0]}" });
            state = step.IsEnd ? environment.Reset().Observation.Span[0] : step.Observation.Span[0];
        }
        return rows;
    }

    private static TabularPolicyTransformer Fit(IReadOnlyList<Step> rows, MarkovDecisionProcessEstimator.Options options) =>
        Keys().Append(Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess(options)).Fit(Ml.Data.LoadFromEnumerable(rows)).LastTransformer;

    private sealed class Numbered
    {
        public string State { get; set; } = "";

        public string Action { get; set; } = "";

        public float Reward { get; set; }

        [KeyType(3)]
        public uint NextState { get; set; }
    }

    internal sealed class Step
    {
        public string State { get; set; } = "";

        public string Action { get; set; } = "";

        public float Reward { get; set; }

        public string NextState { get; set; } = "";

        public bool Terminated { get; set; }
    }
}
