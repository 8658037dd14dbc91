using MLExtensions.Families.Reinforcement;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>What all environments promise, and what is checked of those that others write.</summary>
[TestClass]
public sealed class EnvironmentTests
{
    public static IEnumerable<object[]> Names => EnvironmentRegistry.Names.Where(name => !name.StartsWith("Test", StringComparison.Ordinal)).Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void SameSeed_SameTrajectory(string name)
    {
        using var first = CheckedEnvironment.Around(EnvironmentRegistry.Make(name));
        using var second = EnvironmentRegistry.Make(name);
        Assert.AreEqual(name, first.Name);
        var (a, b) = (Walk(first, 7, 300), Walk(second, 7, 300));
        CollectionAssert.AreEqual(a, b);
        CollectionAssert.AreEqual(a, Walk(first, 7, 300), "begun anew");
        using var unseeded = EnvironmentRegistry.Make(name);
        CollectionAssert.AreEqual(Walk(EnvironmentRegistry.Make(name), 0, 50), Walk(unseeded, null, 50), "without a seed it is 0");
        if (name == "CliffWalking-v1")
            return; // no chance in it
        CollectionAssert.AreNotEqual(a, Walk(first, 8, 300), "another seed");
        CollectionAssert.AreNotEqual(Walk(unseeded, 3, 300), Walk(unseeded, null, 300), "the random numbers go on");
    }

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void State_IsKept(string name)
    {
        using var first = Wrapped(name);
        using var second = Wrapped(name);
        first.Reset(5);
        Walk(first, null, 37);
        second.LoadState(first.SaveState());
        CollectionAssert.AreEqual(Walk(first, null, 200, reset: false), Walk(second, null, 200, reset: false));
        Assert.ThrowsExactly<FormatException>(() => second.LoadState(first.SaveState().AsSpan(0, 40)));
        using var other = name == "Catch-v0" ? Wrapped("Taxi-v3") : Wrapped("Catch-v0");
        Assert.ThrowsExactly<FormatException>(() => other.LoadState(first.SaveState()));

        static CheckedEnvironment Wrapped(string name) => CheckedEnvironment.Around(new TimeLimit(new EpisodeStatistics(EnvironmentRegistry.Make(name), 3), 60));
    }

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void Pictures_ShowTheState(string name)
    {
        using var environment = (IRenderableEnvironment)EnvironmentRegistry.Make(name);
        Assert.IsTrue(environment.CanRender);
        var (frames, texts) = (new HashSet<string>(), new HashSet<string>());
        environment.Reset(1);
        for (var i = 0; i < 40; i++)
        {
            var frame = environment.Render();
            Assert.AreEqual(3 * frame.Width * frame.Height, frame.Pixels.Length);
            frames.Add(Convert.ToBase64String(frame.Pixels.Span));
            texts.Add(environment.RenderText());
            if (environment.Step(i * 7 / 3 % environment.ActionSpace.Count).IsEnd)
                environment.Reset();
        }
        Assert.IsGreaterThan(2, frames.Count);
        Assert.IsGreaterThan(2, texts.Count);
    }

    [TestMethod]
    public void Frames_AreSaved()
    {
        using var folder = new TemporaryFolder();
        using var environment = new CatchEnvironment();
        environment.Reset(1);
        var frames = new List<RgbFrame> { environment.Render() };
        for (var i = 0; i < 9; i++)
        {
            environment.Step(1);
            frames.Add(environment.Render());
        }
        var path = Path.Combine(folder.Path, "catch.png");
        frames.SavePng(path, columns: 10);
        Assert.IsGreaterThan(200, new FileInfo(path).Length);
        Assert.ThrowsExactly<ArgumentException>(() => frames.Append(new CartPoleEnvironment().Render()).ToArray().SavePng(path));
        Assert.ThrowsExactly<ArgumentException>(() => Array.Empty<RgbFrame>().SavePng(path));
    }

    [TestMethod]
    public void UnknownName_SaysWhichThereAre()
    {
        var message = Assert.ThrowsExactly<ArgumentException>(() => EnvironmentRegistry.Make("CartPole-v9")).Message;
        Assert.Contains("CartPole-v1", message);
        EnvironmentRegistry.Register("TestOnly-v0", () => new CatchEnvironment());
        Assert.IsInstanceOfType<CatchEnvironment>(EnvironmentRegistry.Make("TestOnly-v0"));
    }

    [TestMethod]
    [DataRow("NaN", "Fake-v0, episode 2, step 3: value 1 of the observation is NaN; it must be a number from -1 to 1.")]
    [DataRow("outside", "Fake-v0, episode 2, step 3: value 1 of the observation is 2; it must be a number from -1 to 1.")]
    [DataRow("size", "Fake-v0, episode 2, step 3: the observation has 3 values; the observation space has 2.")]
    [DataRow("reward", "Fake-v0, episode 2, step 3: the reward is NaN; it must be finite.")]
    [DataRow("mask size", "Fake-v0, episode 2, step 3: the mask has 1 values; there are 2 actions.")]
    [DataRow("mask", "Fake-v0, episode 2, step 3: the mask allows no action.")]
    public void BadEnvironment_IsNamedWithEpisodeAndStep(string fault, string message)
    {
        using var environment = CheckedEnvironment.Around(new Fake(fault));
        environment.Reset();
        environment.Step(0);
        environment.Reset();
        environment.Step(0);
        environment.Step(0);
        Assert.AreEqual(message, Assert.ThrowsExactly<FormatException>(() => environment.Step(0)).Message);
    }

    [TestMethod]
    public void WrongUse_IsNamed()
    {
        using var environment = CheckedEnvironment.Around(new Fake(""));
        Assert.Contains("has not begun", Assert.ThrowsExactly<InvalidOperationException>(() => environment.Step(0)).Message);
        environment.Reset();
        Assert.Contains("the action is 2; it must be in whole numbers from 0 to 1", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => environment.Step(2)).Message);
        for (var i = 0; i < 5; i++)
            environment.Step(1);
        Assert.Contains("Fake-v0, episode 1, step 5: the episode is over", Assert.ThrowsExactly<InvalidOperationException>(() => environment.Step(0)).Message);
        Assert.IsFalse(environment.CanRender);
        Assert.IsFalse(environment.CanSaveState);
        Assert.Contains("Fake-v0", Assert.ThrowsExactly<NotSupportedException>(() => environment.SaveState()).Message);
    }

    [TestMethod]
    public void Spaces_CompareByValueAndCheck()
    {
        Assert.AreEqual(new BoxSpace([2], 0, 1), new BoxSpace([2], [0, 0], [1, 1]));
        Assert.AreNotEqual(new BoxSpace([2], 0, 1), new BoxSpace([1, 2], 0, 1));
        Assert.IsFalse(new BoxSpace([1], float.NegativeInfinity, float.PositiveInfinity).Contains([float.PositiveInfinity]));
        Assert.IsTrue(new DiscreteSpace(3, start: 5).Contains([7]));
        Assert.IsFalse(new DiscreteSpace(3, start: 5).Contains([8]));
        Assert.IsFalse(new DiscreteSpace(3).Contains([1.5f]));
        Assert.ThrowsExactly<ArgumentException>(() => new BoxSpace([2], 1, 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new DiscreteSpace(0));
    }

    /// <summary>Acts in a fixed order that is not the same everywhere, and writes down all that comes.</summary>
    internal static double[] Walk(IEnvironment environment, int? seed, int steps, bool reset = true)
    {
        var seen = new List<double>();
        var over = reset;
        for (var i = 0; i < steps; i++)
        {
            if (over)
                seen.AddRange(environment.Reset(i == 0 ? seed : null).Observation.ToArray().Select(value => (double)value));
            var step = environment.Step((i * 5 / 3) % environment.ActionSpace.Count);
            seen.AddRange([step.Reward, step.Terminated ? 1 : 0, step.Truncated ? 1 : 0, .. step.Observation.ToArray()]);
            over = step.IsEnd;
        }
        if (over)
            environment.Reset();
        return [.. seen];
    }

    /// <summary>An environment with a fault in the third step of the second episode; episodes have five steps.</summary>
    private sealed class Fake(string fault) : IEnvironment
    {
        private int _episode;
        private int _step;

        public string Name => "Fake-v0";

        public Space ObservationSpace { get; } = new BoxSpace([2], -1, 1);

        public DiscreteSpace ActionSpace { get; } = new(2);

        public EnvironmentState Reset(int? seed = null)
        {
            (_episode, _step) = (_episode + 1, 0);
            return new EnvironmentState(new float[2]);
        }

        public EnvironmentStep Step(int action)
        {
            _step++;
            var kind = _episode == 2 && _step == 3 ? fault : "";
            float[] observation = kind switch { "NaN" => [0, float.NaN], "outside" => [0, 2], "size" => [0, 0, 0], _ => [0, 0] };
            bool[] mask = kind switch { "mask size" => [true], "mask" => [false, false], _ => [] };
            return new EnvironmentStep(observation, kind == "reward" ? double.NaN : 0, false, _step == 5, mask);
        }

        public void Dispose()
        {
        }
    }
}
