using Microsoft.ML;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>What an evaluation says beside the return: states that the policy does not know, and the optimum within the steps that it had.</summary>
[TestClass]
public sealed class PolicyEvaluatorTests
{
    /// <summary>The log knows the first field of the cliff alone. There the policy goes up, to a field that it does not know.</summary>
    [TestMethod]
    public void StatesThatALogLacks_AreCounted()
    {
        var context = new MLContext(1);
        var warnings = new List<string>();
        context.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                warnings.Add(e.Message);
        };
        var rows = context.Data.LoadFromEnumerable(new[] { new MarkovDecisionProcessTests.Step { State = "36", Action = "0", Reward = -1 } });
        var policy = MarkovDecisionProcessTests.Keys().Append(context.ReinforcementLearning.Trainers.MarkovDecisionProcess()).Fit(rows).LastTransformer;
        using var cliff = new Upwards();
        var metrics = context.ReinforcementLearning.Evaluate(policy, cliff, episodes: 3);
        Assert.AreEqual(6, metrics.UnknownSteps, "steps 2 and 3 of 3 episodes");
        Assert.AreEqual(2, metrics.UnknownStates, "fields 24 and 12");
        Assert.Contains("6 steps at random in 2 unknown states", metrics.ToString());
        Assert.Contains(warning => warning.Contains("does not know 2 of the states that it met in Upwards; in 6 of 9 steps it acted at random", StringComparison.Ordinal), warnings);

        using var known = new CliffWalkingEnvironment();
        var exact = context.ReinforcementLearning.Evaluate(context.ReinforcementLearning.Trainers.MarkovDecisionProcess().Fit(known), known, episodes: 1);
        Assert.AreEqual(0, exact.UnknownSteps);
        Assert.DoesNotContain("unknown", exact.ToString());
    }

    /// <summary>The cliff is 13 steps wide: in fewer, the best is to lose 1 in each.</summary>
    [TestMethod]
    [DataRow(5, -5)]
    [DataRow(12, -12)]
    [DataRow(13, -13)]
    [DataRow(100_000, -13)]
    public void Optimum_IsThatOfTheStepsThatThereAre(int maximumSteps, double optimum)
    {
        var ml = new MLContext(1);
        using var cliff = new CliffWalkingEnvironment();
        var policy = ml.ReinforcementLearning.Trainers.MarkovDecisionProcess().Fit(cliff);
        var metrics = ml.ReinforcementLearning.Evaluate(policy, cliff, episodes: 1, maximumSteps: maximumSteps);
        Assert.AreEqual(optimum, metrics.OptimalReturn!.Value, 1e-9);
        Assert.AreEqual(0, metrics.Regret!.Value, 1e-9);
        using var limited = new TimeLimit(new CliffWalkingEnvironment(), 7);
        Assert.AreEqual(Math.Max(-7, optimum), ml.ReinforcementLearning.Evaluate(policy, limited, episodes: 1, maximumSteps: maximumSteps).OptimalReturn!.Value, 1e-9);
    }

    /// <summary>Three fields of the cliff, one above the other; each step goes up.</summary>
    private sealed class Upwards : IEnvironment
    {
        private int _field;

        public string Name => "Upwards";

        public Space ObservationSpace { get; } = new DiscreteSpace(48);

        public DiscreteSpace ActionSpace { get; } = new(4);

        public EnvironmentState Reset(int? seed = null)
        {
            _field = 36;
            return new EnvironmentState(new float[] { _field });
        }

        public EnvironmentStep Step(int action)
        {
            _field -= 12;
            return new EnvironmentStep(new float[] { _field }, -1, _field == 0, false);
        }

        public void Dispose()
        {
        }
    }
}
