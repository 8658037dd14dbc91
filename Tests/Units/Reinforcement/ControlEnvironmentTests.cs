using MLExtensions.Networks;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>The environments of control problems against trajectories that Gymnasium computed.</summary>
[TestClass]
public sealed class ControlEnvironmentTests
{
    [TestMethod]
    public void CartPole_OneStep_IsTheReference()
    {
        using var environment = new CartPoleEnvironment { State = (0, 0, 0, 0) };
        var step = environment.Step(1);
        Assert.AreEqual(0, environment.State.Position, 1e-15);
        Assert.AreEqual(.1951219512195122, environment.State.Velocity, 1e-15);
        Assert.AreEqual(0, environment.State.Angle, 1e-15);
        Assert.AreEqual(-.2926829268292683, environment.State.AngularVelocity, 1e-15);
        Assert.AreEqual(1, step.Reward);
    }

    [TestMethod]
    public void CartPole_TenSteps_AreTheReference()
    {
        using var environment = new CartPoleEnvironment { State = (.01, -.02, .03, .04) };
        EnvironmentStep step = default;
        for (var i = 0; i < 10; i++)
            step = environment.Step(i % 2);
        var state = environment.State;
        Assert.AreEqual(-.0140178186, state.Position, 6e-11);
        Assert.AreEqual(-.0268407016, state.Velocity, 6e-11);
        Assert.AreEqual(.0784775845, state.Angle, 6e-11);
        Assert.AreEqual(.1914455874, state.AngularVelocity, 6e-11);
        Assert.AreEqual((float)state.Angle, step.Observation.Span[2]);
    }

    [TestMethod]
    public void MountainCar_FiftySteps_AreTheReference()
    {
        using var environment = new MountainCarEnvironment { State = (-.5, 0) };
        for (var i = 0; i < 50; i++)
            Assert.AreEqual(-1, environment.Step(2).Reward);
        Assert.AreEqual(-.31846478881797813, environment.State.Position, 1e-12);
        Assert.AreEqual(-.007623632792237611, environment.State.Velocity, 1e-12);
    }

    [TestMethod]
    public void MountainCar_AtTheWall_Stops()
    {
        using var environment = new MountainCarEnvironment { State = (-1.19, -.05) };
        environment.Step(0);
        Assert.AreEqual((-1.2, 0), environment.State);
    }

    [TestMethod]
    public void Acrobot_TenSteps_AreTheReference()
    {
        using var environment = new AcrobotEnvironment { State = default };
        for (var i = 0; i < 10; i++)
            environment.Step(i < 5 ? 2 : 0);
        Assert.AreEqual(.336563345, environment.State.Angle1, 6e-10);
        Assert.AreEqual(-.714341345, environment.State.Angle2, 6e-10);
        Assert.AreEqual(.207479965, environment.State.Velocity1, 6e-10);
        Assert.AreEqual(-1.105710369, environment.State.Velocity2, 6e-10);
    }

    [TestMethod]
    [DataRow(1, 1, 0, DisplayName = "the cart is too far")]
    [DataRow(0, 0, 1, DisplayName = "the pole leans too far")]
    public void CartPole_OutOfBounds_Terminates(double far, double velocity, double lean)
    {
        using var environment = new CartPoleEnvironment { State = (2.39 * far, velocity, 11.9 * Math.PI / 180 * lean, lean) };
        var step = environment.Step(1);
        Assert.IsTrue(step.Terminated);
        Assert.IsFalse(step.Truncated);
        Assert.AreEqual(1, step.Reward, "the last step counts");
        Assert.ThrowsExactly<InvalidOperationException>(() => environment.Step(0));
    }

    // Means of 2,000 episodes with standard deviations of at most 100, except for the rules that nearly always win.
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow("CartPole-v1", "random", 21.9, 2.2)]
    [DataRow("CartPole-v1", "right", 9.35, .15)]
    [DataRow("CartPole-v1", "angle", 42.3, 1.5)]
    [DataRow("CartPole-v1", "velocity", 198.9, 9)]
    [DataRow("CartPole-v1", "both", 486, 12)]
    [DataRow("CartPole-v1", "all", 500, 0)]
    [DataRow("MountainCar-v0", "swing", -119.4, 1)]
    [DataRow("Acrobot-v1", "against", -83.7, 6)]
    [DataRow("Acrobot-v1", "along", -89.8, 9)]
    public void Rules_HaveTheirReturns(string name, string rule, double expected, double tolerance)
    {
        const int Episodes = 2000;
        using var environment = EnvironmentRegistry.Make(name);
        var random = new SplitMix64((ulong)TestSeed.Of(1));
        Func<float[], int> act = rule switch
        {
            "random" => _ => random.Next(2),
            "right" => _ => 1,
            "angle" => o => o[2] > 0 ? 1 : 0,
            "velocity" => o => o[3] > 0 ? 1 : 0,
            "both" => o => o[2] + o[3] > 0 ? 1 : 0,
            "all" => o => (3 * o[2]) + o[3] + (.1 * o[0]) + (.3 * o[1]) > 0 ? 1 : 0,
            "swing" => o => o[1] < 0 ? 0 : 2,
            "against" => o => o[4] > 0 ? 0 : 2,
            _ => o => o[5] > 0 ? 2 : 0,
        };
        var sum = 0.0;
        for (var episode = 0; episode < Episodes / (name == "Acrobot-v1" ? 4 : 1); episode++)
            sum += Play.Episode(environment, episode == 0 ? TestSeed.Of(1) : null, act).Return;
        Floor.Near(expected, sum / (Episodes / (name == "Acrobot-v1" ? 4 : 1)), tolerance, $"{name} {rule}");
    }

    [TestMethod]
    public void TimeLimit_Truncates()
    {
        using var environment = EnvironmentRegistry.Make("CartPole-v1");
        var (steps, last) = (0, default(EnvironmentStep));
        var observation = environment.Reset(3).Observation;
        do
        {
            last = environment.Step(Play.Balance(observation.Span));
            observation = last.Observation;
            steps++;
        }
        while (!last.IsEnd);
        Assert.AreEqual(500, steps);
        Assert.IsTrue(last.Truncated);
        Assert.IsFalse(last.Terminated);
        Assert.ThrowsExactly<InvalidOperationException>(() => environment.Step(0));
    }

    [TestMethod]
    public void TimeLimit_TerminationOnTheLastStep_IsNoTruncation()
    {
        using var environment = new TimeLimit(new CatchEnvironment(), 9);
        environment.Reset(1);
        for (var i = 0; i < 8; i++)
            Assert.IsFalse(environment.Step(1).IsEnd);
        var last = environment.Step(1);
        Assert.IsTrue(last.Terminated);
        Assert.IsFalse(last.Truncated);
    }

    [TestMethod]
    public void Catch_BallIsCaughtOrNot()
    {
        using var environment = new CatchEnvironment();
        for (var episode = 0; episode < 20; episode++)
        {
            var start = environment.Reset(episode).Observation.ToArray();
            var ball = Array.IndexOf(start, 1f);
            Assert.AreEqual(1, start[47], "the paddle begins in the middle");
            var caught = Play.Episode(environment, episode, _ => 1);
            Assert.AreEqual(ball == 2 ? 1 : -1, caught.Return);
            Assert.AreEqual(9, caught.Length);
            var follows = Play.Episode(environment, episode, o => Math.Sign(Array.IndexOf(o, 1f) % 5 - (Array.LastIndexOf(o, 1f) - 45)) + 1);
            Assert.AreEqual(1, follows.Return);
        }
    }
}
