using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Fitted Q evaluation: the values of policies that did not make the log, against exact ones.</summary>
[TestClass]
public sealed class FittedQTests
{
    private const double Discount = .9;
    private static readonly MLContext Ml = new(1);

    /// <summary>A log of random steps says what rules are worth that are better and worse than chance.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow(true)]
    [DataRow(false)]
    public void ValuesOfRules_AreTheExactOnes(bool episodes)
    {
        var rows = Keyed(Steps(3000, random: 1));
        foreach (var (name, right) in new[] { ("right", new[] { 1.0, 1, 1, 1 }), ("mostly", [1, .5, .5, 1]), ("left", [0, 0, 0, 0]) })
        {
            var metrics = Ml.ReinforcementLearning.FittedQEvaluation(rows, new Chances(right), Options(episodes));
            using var model = metrics.Model;
            Floor.Near(Exact(right), metrics.Value.Value, .1, name);
            Assert.AreEqual(episodes ? FirstStates.OfEpisodes : FirstStates.AfterEnds, metrics.FirstStates);
            Assert.AreEqual(metrics.Value.Value, metrics.Value.Lower, 1e-6, "all episodes begin in the same cell");
            Floor.Near(.5, metrics.AgreementShare, .1, name);
            Assert.AreEqual(0, metrics.UncoveredShare);
            Assert.IsTrue(metrics.Warnings.All(warning => episodes && warning.Contains(" episodes did not terminate")), string.Join('\n', metrics.Warnings));
        }
    }

    /// <summary>Ice is slippery: values are those of the counted table, whose policy is fixed.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void FrozenLake_IsWorthWhatTheTableSays()
    {
        using var lake = EnvironmentRegistry.Make("FrozenLake-v1");
        var guide = Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess(discountFactor: .99).Fit(lake); // who reaches the goal by chance alone seldom does
        var random = new Random(TestSeed.Of(1));
        var steps = new List<Step>();
        var (state, episode) = (0, 0);
        lake.Reset(TestSeed.Of(1));
        while (steps.Count < 12_000)
        {
            var action = random.Next(2) == 0 ? random.Next(4) : guide.BestAction(state);
            var step = lake.Step(action);
            var next = (int)step.Observation.Span[0];
            steps.Add(new Step { Episode = episode, Cell = $"{state}", NextCell = $"{next}", Wide = At(state), Action = $"{action}", Reward = (float)step.Reward, Terminated = step.Terminated });
            (state, episode) = step.IsEnd ? ((int)lake.Reset().Observation.Span[0], episode + 1) : (next, episode);
        }
        var rows = Keyed([.. steps]);
        var keyed = Ml.Transforms.Conversion.MapValueToKey("Cell").Append(Ml.Transforms.Conversion.MapValueToKey("NextCell")).Fit(rows).Transform(rows);
        var policy = Ml.ReinforcementLearning.Trainers.MarkovDecisionProcess(new MarkovDecisionProcessEstimator.Options { StateColumnName = "Cell", NextStateColumnName = "NextCell", TerminatedColumnName = "Terminated", DiscountFactor = Discount }).Fit(keyed);
        // The best policy of the counted table: its own value there is what fitted Q evaluation must find.
        var start = policy.StateNames!.ToList().IndexOf("0");
        var options = Options(episodes: true);
        (options.Training.StateColumnName, options.Training.Layers, options.Training.Epochs, options.Training.BatchSize, options.Training.LearningRate) = ("Wide", [new DenseLayer()], 30, 128, 1e-2);
        var metrics = Ml.ReinforcementLearning.FittedQEvaluation(rows, new OneHot(policy), options);
        using var model = metrics.Model;
        Assert.IsGreaterThan(.04, policy.StateValue(start));
        Floor.Near(1, metrics.Value.Value / policy.StateValue(start), .35);
        var worst = Ml.ReinforcementLearning.FittedQEvaluation(rows, new Always(0), options);
        using var left = worst.Model;
        Floor.Below(.3, worst.Value.Value / policy.StateValue(start));
    }

    /// <summary>Rare failures cost much: a value is the mean of rewards, not what they mostly are.</summary>
    [TestMethod]
    [TestCategory("Floor")]
    public void Value_IsTheMean_WhereRewardsAreSkewed()
    {
        var random = new Random(TestSeed.Of(7));
        var steps = Enumerable.Range(0, 2000).Select(i => new Step { Episode = i, State = Corridor.At(0), Action = $"{i % 2}", Reward = random.NextDouble() < .1 ? -10 : 1, Terminated = true }).ToArray();
        var options = Options(episodes: true);
        (options.Training.Loss, options.Training.BatchSize) = (ValueLoss.Huber, 128);
        var metrics = Ml.ReinforcementLearning.FittedQEvaluation(Keyed(steps), new Always(1), options);
        using var model = metrics.Model;
        Floor.Near(steps.Where(step => step.Action == "1").Average(step => step.Reward), metrics.Value.Value, .4);
    }

    [TestMethod]
    public void PolicyAsColumns_IsThePolicyItself()
    {
        var rule = new Chances([1, 1, 0, 1]); // no chance in it
        foreach (var episodes in new[] { true, false })
        {
            var rows = Keyed(Steps(500, random: 2), state => state[2] == 1 ? "0" : "1");
            var options = Options(episodes);
            options.Training.Epochs = 2;
            var itself = Ml.ReinforcementLearning.FittedQEvaluation(rows, rule, options);
            (options.PolicyActionColumnName, options.NextPolicyActionColumnName) = ("Here", episodes ? null : "There");
            var columns = Ml.ReinforcementLearning.FittedQEvaluation(rows, options);
            using DqnTransformer first = itself.Model, second = columns.Model;
            Assert.AreEqual(itself.Value, columns.Value);
            Assert.AreEqual(itself.AgreementShare, columns.AgreementShare);
            foreach (var name in first.Model.WeightShapes.Keys)
                Contract.Outcome.AssertSameBits(first.Model.GetWeights(name), second.Model.GetWeights(name));
        }
    }

    /// <summary>A trained network is met by the names of actions, whatever they are.</summary>
    [TestMethod]
    public void TrainedPolicy_OfNamedActions_IsFollowed()
    {
        var steps = Steps(500, random: 3);
        foreach (var step in steps)
            step.Action = step.Action == "0" ? "left" : "right";
        var rows = Keyed(steps);
        using var policy = Ml.ReinforcementLearning.Trainers.Dqn(new DqnEstimator.Options { Epochs = 1, Layers = DqnLayers.Perceptron(4), ThreadCount = 1, Seed = 1, Device = "cpu" }).Fit(rows);
        var options = Options(episodes: true);
        options.Training.Epochs = 1;
        var asked = Ml.ReinforcementLearning.FittedQEvaluation(rows, policy, options);
        options.PolicyActionColumnName = "PredictedAction";
        var told = Ml.ReinforcementLearning.FittedQEvaluation(policy.Transform(rows), options);
        using DqnTransformer first = asked.Model, second = told.Model;
        Assert.AreEqual(told.Value, asked.Value);
        options.PolicyActionColumnName = null;
        Assert.Contains("The actions of the log are", Assert.ThrowsExactly<ArgumentException>(() => Ml.ReinforcementLearning.FittedQEvaluation(rows, new Always(0), options)).Message);
    }

    [TestMethod]
    public void LogsThatSayLittle_AreWarnedOf()
    {
        var ml = new MLContext(1);
        var heard = new List<string>();
        ml.Log += (_, log) => heard.AddRange(log.Kind == ChannelMessageKind.Warning ? [log.Message] : []);
        var options = Options(episodes: false);
        options.Training.Epochs = 1;
        var random = new Random(1);
        var shuffled = Steps(600, random: 4);
        random.Shuffle(shuffled);
        var metrics = ml.ReinforcementLearning.FittedQEvaluation(Keyed(shuffled), new Always(1), options);
        using var first = metrics.Model;
        Assert.AreEqual((FirstStates.OfAllRows, 600), (metrics.FirstStates, metrics.FirstStateCount));
        Assert.IsTrue(metrics.Warnings.Any(warning => warning.Contains("do not say where episodes begin")));
        Assert.IsTrue(heard.Any(warning => warning.Contains("do not say where episodes begin")));
        Assert.IsTrue(metrics.Warnings.Any(warning => warning.Contains("Training was too short")), string.Join('\n', metrics.Warnings));

        var onlyLeft = Keyed(Steps(600, random: 4)); // both actions are known, but only one is in the rows
        onlyLeft = ml.Data.FilterRowsByKeyColumnFraction(onlyLeft, "Action", 0, .5);
        var uncovered = ml.ReinforcementLearning.FittedQEvaluation(onlyLeft, new Always(1), options);
        using var second = uncovered.Model;
        Assert.AreEqual((1.0, 0.0), (uncovered.UncoveredShare, uncovered.AgreementShare));
        Assert.IsTrue(uncovered.Warnings.Any(warning => warning.Contains("does what no row did (1)")));
        Assert.IsTrue(uncovered.Warnings.Any(warning => warning.Contains("hardly covers")));
    }

    [TestMethod]
    public void SameSeed_SameValue_AndTheTrainingIsLikeOthers()
    {
        var rows = Keyed(Steps(300, random: 5));
        var options = Options(episodes: true);
        (options.Training.Epochs, options.Training.ConservativeWeight, options.Training.DoubleLearning) = (3, 5, true); // not used
        var epochs = 0;
        options.Training.Progress = new Contract.Listener(progress => epochs += progress.Completed == null ? 0 : 1);
        FittedQMetrics Run() => Ml.ReinforcementLearning.FittedQEvaluation(rows, new Chances([.5, .5, .5, .5]), options);
        FittedQMetrics once = Run(), again = Run();
        using DqnTransformer first = once.Model, second = again.Model;
        Assert.AreEqual(once.Value, again.Value);
        Assert.AreEqual(3, first.History.Epochs.Count);
        Assert.IsGreaterThanOrEqualTo(6, epochs);
        Assert.AreEqual(5, options.Training.ConservativeWeight, "options are the caller's");
        options.Training.CancellationToken = new CancellationToken(canceled: true);
        Assert.Throws<OperationCanceledException>(Run);
    }

    [TestMethod]
    public void WrongOptionsAndPolicies_AreNamed()
    {
        var rows = Keyed(Steps(50, random: 6));
        Refused("LogLearning is Cloning", options => options.Training.LogLearning = LogLearning.Cloning, new Always(0));
        Refused("PolicyActionColumnName is Here; it must be null", options => options.PolicyActionColumnName = "Here", new Always(0));
        Refused("PolicyActionColumnName is null; it must be the name of a column, unless an IPolicy", _ => { }, null);
        Refused("NextPolicyActionColumnName is empty", options => options.PolicyActionColumnName = "Action", null, episodes: false);
        Refused("NextPolicyActionColumnName is Action; it must be null", options => options.PolicyActionColumnName = options.NextPolicyActionColumnName = "Action", null);
        Refused("Column 'Nothing' is not in the data", options => options.PolicyActionColumnName = "Nothing", null);
        Refused("Column 'Reward' has type", options => options.PolicyActionColumnName = "Reward", null);
        Refused("Resamples is 0", options => options.Resamples = 0, new Always(0));
        Refused("The policy takes action 7 in row 0 (the first row is 0), or", _ => { }, new Always(7));
        Refused("Column 'Nothing' is not in the data", options => options.Training.StateColumnName = "Nothing", new Always(0));

        void Refused(string message, Action<FittedQOptions> spoil, IPolicy? policy, bool episodes = true)
        {
            var options = Options(episodes);
            spoil(options);
            var said = Assert.Throws<ArgumentException>(() => policy == null ? Ml.ReinforcementLearning.FittedQEvaluation(rows, options) : Ml.ReinforcementLearning.FittedQEvaluation(rows, policy, options)).Message;
            Assert.Contains(message, said);
        }
    }

    [TestMethod]
    public void MissingActionOfThePolicy_IsNamed()
    {
        var steps = Steps(50, random: 6);
        var options = Options(episodes: true);
        options.PolicyActionColumnName = "Here";
        var count = 0;
        Assert.Contains("Column 'Here', row 7 (the first row is 0): the action is missing", Assert.ThrowsExactly<FormatException>(() => Ml.ReinforcementLearning.FittedQEvaluation(Keyed(steps, _ => count++ == 14 ? "" : "1"), options)).Message);
        // A mask that forbids what the policy does.
        foreach (var step in steps)
            step.Allowed = [true, true];
        steps[9].Allowed = [steps[9].Action == "0", steps[9].Action == "1"];
        options = Options(episodes: true);
        options.Training.ActionMaskColumnName = "Allowed";
        Assert.Contains("in row 9 (the first row is 0), or in the state that followed, where the mask does not allow it", Assert.ThrowsExactly<FormatException>(() => Ml.ReinforcementLearning.FittedQEvaluation(Keyed(steps), new Always(steps[9].Action == "0" ? 1 : 0), options)).Message);
        // The same in the state that followed.
        options = Options(episodes: false);
        options.Training.NextActionMaskColumnName = "Allowed";
        Assert.Contains("in row 9 (the first row is 0), or in the state that followed, where the mask does not allow it", Assert.ThrowsExactly<FormatException>(() => Ml.ReinforcementLearning.FittedQEvaluation(Keyed(steps), new Always(steps[9].Action == "0" ? 1 : 0), options)).Message);
    }

    /// <summary>The value of the first cell, where a rule goes right with these chances; to the left of it is a wall.</summary>
    private static double Exact(double[] right)
    {
        var values = new double[Corridor.Cells];
        for (var sweep = 0; sweep < 1000; sweep++)
        {
            for (var cell = 0; cell < right.Length; cell++)
                values[cell] = (right[cell] * (cell == right.Length - 1 ? 1 : Discount * values[cell + 1])) + ((1 - right[cell]) * Discount * values[Math.Max(0, cell - 1)]);
        }
        return values[0];
    }

    private static FittedQOptions Options(bool episodes) => new()
    {
        Training = new DqnEstimator.Options
        {
            Epochs = 30, BatchSize = 32, LearningRate = 5e-3, Layers = DqnLayers.Perceptron(16), DiscountFactor = Discount, TargetUpdateRate = .05, Seed = TestSeed.Of(1), ThreadCount = 1, Device = "cpu",
            EpisodeColumnName = episodes ? nameof(Step.Episode) : null,
        },
    };

    private static float[] At(int place)
    {
        var wide = new float[16];
        wide[place] = 1;
        return wide;
    }

    private static IDataView Keyed(Step[] steps, Func<float[], string>? policy = null)
    {
        foreach (var step in steps)
            (step.Here, step.There) = (policy?.Invoke(step.State) ?? "0", policy?.Invoke(step.NextState) ?? "0");
        var data = Ml.Data.LoadFromEnumerable(steps);
        var conversions = Ml.Transforms.Conversion;
        var byValue = Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue;
        return conversions.MapValueToKey("Action", keyOrdinality: byValue).Append(conversions.MapValueToKey("Here")).Append(conversions.MapValueToKey("There")).Fit(data).Transform(data);
    }

    private static Step[] Steps(int count, int random)
    {
        using var corridor = new Corridor();
        var (generator, steps, episode) = (new Random(TestSeed.Of(random)), new List<Step>(), 0);
        var state = corridor.Reset().Observation.ToArray();
        while (steps.Count < count)
        {
            var action = generator.Next(2);
            var step = corridor.Step(action);
            var next = step.Observation.ToArray();
            steps.Add(new Step { Episode = episode, State = state, Action = $"{action}", Reward = (float)step.Reward, NextState = next, Terminated = step.Terminated });
            (state, episode) = step.IsEnd ? (corridor.Reset().Observation.ToArray(), episode + 1) : (next, episode);
        }
        return [.. steps];
    }

    /// <summary>Goes right with a chance for each cell.</summary>
    private sealed class Chances(double[] right) : IPolicy
    {
        public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random)
        {
            var chance = observation[^1] == 1 ? 0 : right[observation.IndexOf(1)];
            return chance is 0 or 1 ? (int)chance : random.NextDouble() < chance ? 1 : 0;
        }
    }

    private sealed class Always(int action) : IPolicy
    {
        public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random) => action;
    }

    /// <summary>A policy of numbered states that sees them as one-hot vectors.</summary>
    private sealed class OneHot(TabularPolicyTransformer policy) : IPolicy
    {
        public int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random) => policy.Act([observation.IndexOf(1)], actionMask, random);
    }

    private sealed class Step
    {
        public int Episode { get; set; }

        [VectorType(Corridor.Cells)]
        public float[] State { get; set; } = new float[Corridor.Cells];

        [VectorType(16)]
        public float[] Wide { get; set; } = new float[16];

        public string Cell { get; set; } = "0";

        public string NextCell { get; set; } = "0";

        public string Action { get; set; } = "";

        public float Reward { get; set; }

        [VectorType(Corridor.Cells)]
        public float[] NextState { get; set; } = new float[Corridor.Cells];

        public bool Terminated { get; set; }

        [VectorType(2)]
        public bool[] Allowed { get; set; } = [true, true];

        public string Here { get; set; } = "0";

        public string There { get; set; } = "0";
    }
}
