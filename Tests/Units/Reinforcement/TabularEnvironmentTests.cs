using MLExtensions.Families.Reinforcement;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>Environments whose model is a table: the exact optimum, and that they play by the table.</summary>
[TestClass]
public sealed class TabularEnvironmentTests
{
    [TestMethod]
    [DataRow("FrozenLake-v1", .7442, 5e-5)]
    [DataRow("FrozenLake8x8-v1", .9132, 5e-5)]
    [DataRow("Taxi-v3", 7.93, 5e-3)]
    [DataRow("CliffWalking-v1", -13, 1e-9)]
    [DataRow("Blackjack-v1", -.0431, 5e-5)]
    public void Optimum_IsTheKnownOne(string name, double expected, double tolerance)
    {
        using var environment = EnvironmentRegistry.Make(name);
        Assert.AreEqual(expected, KnownModel.Optimum(environment)!.Value, tolerance);
    }

    [TestMethod]
    [DataRow(false, .9, .7298)]
    [DataRow(false, .95, .7298)]
    [DataRow(false, .99, .7402)]
    [DataRow(true, .95, .7386)]
    [DataRow(true, .99, .8630)]
    [DataRow(true, .999, .8857)]
    public void FrozenLake_DiscountedOptimum_HasItsReturn(bool large, double discount, double expected)
    {
        using var environment = new FrozenLakeEnvironment(large ? FrozenLakeEnvironment.Map8x8 : null);
        var solver = new MarkovSolver(KnownModel.ToTable(environment));
        var byValues = solver.ValueIteration(discount, 1e-10, 1_000_000);
        var byPolicies = solver.PolicyIteration(discount, 1e-10, 1000);
        Assert.IsTrue(byValues.Converged && byPolicies.Converged);
        for (var state = 0; state < environment.StateCount; state++)
            Assert.AreEqual(byValues.StateValues[state], byPolicies.StateValues[state], 1e-8);
        Assert.AreEqual(expected, solver.ReturnOf(solver.Greedy(byValues.ActionValues), large ? 200 : 100), 5e-5);
        Assert.AreEqual(expected, solver.ReturnOf(solver.Greedy(byPolicies.ActionValues), large ? 200 : 100), 5e-5);
    }

    [TestMethod]
    [DataRow(false, .8235)]
    [DataRow(true, 1)]
    public void FrozenLake_WithoutLimit_HasItsOptimum(bool large, double expected)
    {
        using var environment = new FrozenLakeEnvironment(large ? FrozenLakeEnvironment.Map8x8 : null);
        var solver = new MarkovSolver(KnownModel.ToTable(environment));
        Assert.AreEqual(expected, solver.Initial(solver.ValueIteration(1, 1e-10, 100_000).StateValues), 5e-5);
    }

    [TestMethod]
    public void Taxi_HasItsStates()
    {
        using var environment = new TaxiEnvironment();
        Assert.AreEqual(500, environment.StateCount);
        Assert.HasCount(300, environment.InitialStates);
        var reached = environment.InitialStates.Select(initial => initial.State).ToHashSet();
        var waiting = new Queue<int>(reached);
        while (waiting.TryDequeue(out var state))
        {
            foreach (var next in Enumerable.Range(0, 6).SelectMany(action => environment.Transitions(state, action)))
            {
                if (reached.Add(next.NextState) && !next.Terminated)
                    waiting.Enqueue(next.NextState);
            }
        }
        Assert.HasCount(404, reached);

        var solver = new MarkovSolver(KnownModel.ToTable(environment));
        var values = solver.ValueIteration(1, 1e-9, 1000).StateValues;
        Assert.AreEqual(3, environment.InitialStates.Min(initial => values[initial.State]));
        Assert.AreEqual(15, environment.InitialStates.Max(initial => values[initial.State]));
    }

    [TestMethod]
    public void Taxi_Mask_AllowsWhatChangesSomething()
    {
        using var environment = new TaxiEnvironment();
        for (var episode = 0; episode < 50; episode++)
        {
            var state = environment.Reset(episode);
            for (var i = 0; i < 20; i++)
            {
                var now = (int)state.Observation.Span[0];
                for (var action = 0; action < 6; action++)
                    Assert.AreEqual(environment.Transitions(now, action)[0].NextState != now, state.ActionMask.Span[action], $"state {now}, action {action}");
                var step = environment.Step((episode + i) % 4);
                state = new EnvironmentState(step.Observation, step.ActionMask);
            }
        }
    }

    [TestMethod]
    public void CliffWalking_Falls_BackToTheStart()
    {
        using var environment = new CliffWalkingEnvironment();
        Assert.AreEqual(36, environment.Reset().Observation.Span[0]);
        var step = environment.Step(1);
        Assert.AreEqual((36, -100, false), ((int)step.Observation.Span[0], step.Reward, step.Terminated));
        Assert.AreEqual(-13, Play.Episode(environment, null, state => state[0] == 36 ? 0 : state[0] < 35 ? 1 : 2).Return);
    }

    [TestMethod]
    [DataRow(true, false)]
    [DataRow(false, false)]
    [DataRow(false, true)]
    public void Blackjack_NaturalsAreWonByTheRules(bool suttonAndBarto, bool naturalBonus)
    {
        using var environment = new BlackjackEnvironment(suttonAndBarto, naturalBonus);
        // A dealer who shows a 7 can only have another 21, not a natural.
        var transitions = environment.Transitions(704 + 7, 0);
        Assert.AreEqual(suttonAndBarto ? 0 : .0741, transitions.Single(transition => transition.Reward == 0).Probability, 5e-4);
        Assert.AreEqual(naturalBonus ? 1.5 : 1, transitions.Max(transition => transition.Reward));
        Assert.AreEqual((((21 * 11) + 7) * 2) + 1, environment.Observed(704 + 7));
        Assert.ThrowsExactly<ArgumentException>(() => new BlackjackEnvironment(true, true));
    }

    // What is drawn has the frequencies of the table, of rewards, too.
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow("FrozenLake-v1")]
    [DataRow("Blackjack-v1")]
    [DataRow("CliffWalkingSlippery-v1")]
    [DataRow("Taxi-v3")]
    public void Steps_FollowTheModel(string name)
    {
        using var environment = EnvironmentRegistry.Make(name);
        var (known, _) = KnownModel.Find(environment)!.Value;
        var (expected, seen, variance) = (0.0, 0.0, 0.0);
        var random = new Random(TestSeed.Of(1));
        environment.Reset(TestSeed.Of(1));
        var tabular = (TabularEnvironment)known;
        const int Steps = 20_000;
        for (var i = 0; i < Steps; i++)
        {
            var (state, action) = (tabular.State, random.Next(environment.ActionSpace.Count));
            var possible = known.Transitions(state, action);
            var mean = possible.Sum(transition => transition.Probability * (transition.Reward + transition.NextState));
            expected += mean;
            variance += possible.Sum(transition => transition.Probability * Math.Pow(transition.Reward + transition.NextState - mean, 2));
            var step = environment.Step(action);
            seen += step.Reward + tabular.State;
            Assert.AreEqual(known.Observed(tabular.State), step.Observation.Span[0]);
            if (step.IsEnd)
                environment.Reset();
        }
        Floor.Near(0, (seen - expected) / Math.Sqrt(variance + 1e-9), 6, name);
    }

    [TestMethod]
    public void FrozenLake_OwnMap_IsPlayed()
    {
        using var environment = new FrozenLakeEnvironment(["SF", "HG"], isSlippery: false);
        Assert.AreEqual(1, Play.Episode(environment, null, state => state[0] == 0 ? 2 : 1).Return);
        Assert.AreEqual((0, 1), Play.Episode(environment, null, _ => 1));
        var map = FrozenLakeEnvironment.DrawMap(12, .7, seed: 5);
        using var drawn = new FrozenLakeEnvironment(map, isSlippery: false);
        Assert.AreEqual(1, KnownModel.Optimum(new TimeLimit(drawn, 144))!.Value, 1e-9);
    }

    [TestMethod]
    [DataRow("SF|HX", "Row 1, column 1 of the map is 'X'")]
    [DataRow("SF|HGG", "Row 1 of the map has 3 fields")]
    [DataRow("FF|HG", "no start")]
    [DataRow("", "1 rows, the first of 0 fields")]
    public void FrozenLake_BadMap_IsRefused(string map, string message) =>
        Assert.Contains(message, Assert.ThrowsExactly<ArgumentException>(() => new FrozenLakeEnvironment(map.Split('|'))).Message);
}
