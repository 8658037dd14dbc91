using MLExtensions.Families.Reinforcement;
using MLExtensions.Tensors;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>What a replay buffer gives back of what an agent met.</summary>
[TestClass]
public sealed class ReplayBufferTests
{
    private const double Discount = 0.5;

    [TestMethod]
    public void Returns_OverSeveralSteps_BootstrapThroughTruncation_NotThroughTermination()
    {
        using var buffer = Create(20);
        // Rewards 1, 2, 4, then the end.
        Episode(buffer, [0, 1, 2, 3], [1, 2, 4], terminated: true);
        Episode(buffer, [10, 11, 12, 13], [1, 2, 4], terminated: false);
        var drawn = DrawAll(buffer, 2);
        Assert.AreEqual((1 + (Discount * 2), Discount * Discount, 2f), drawn[0]);
        Assert.AreEqual((2 + (Discount * 4), 0, 3f), drawn[1], "the episode terminates within");
        Assert.AreEqual((4, 0, 3f), drawn[2], "the last step has one step");
        Assert.AreEqual((2 + (Discount * 4), Discount * Discount, 13f), drawn[11], "the episode was cut off, but would go on");
        Assert.AreEqual((4, Discount, 13f), drawn[12]);
        Assert.HasCount(6, drawn, "the last observations of episodes are no transitions");
    }

    [TestMethod]
    public void StepsThatAreNotComplete_AreNotDrawn()
    {
        using var buffer = Create(20);
        buffer.Begin([0], []);
        for (var step = 0; step < 5; step++)
            buffer.Add(0, step, false, false, [step + 1], []);
        CollectionAssert.AreEquivalent(new[] { 0f, 1f, 2f }, DrawAll(buffer, 3).Keys.ToArray());
    }

    [TestMethod]
    public void FullBuffer_ForgetsTheOldest()
    {
        using var buffer = Create(6);
        Episode(buffer, Enumerable.Range(0, 31).Select(value => (float)value).ToArray(), new float[30], terminated: true);
        CollectionAssert.AreEquivalent(new[] { 25f, 26f, 27f, 28f, 29f }, DrawAll(buffer, 1).Keys.ToArray());
        Assert.AreEqual(6, buffer.Count);
    }

    /// <summary>Each frame is kept once, and put together as the environment showed it: at the beginning the first is repeated.</summary>
    [TestMethod]
    public void StackedFrames_AreKeptOnce_AndShownAsTheyWere()
    {
        var format = new ReplayFormat(1, 3, ReplayStorage.Byte, ArePixels: false, Actions: 2, IsPrioritized: false);
        using var buffer = new ReplayBuffer(format, 8, "test");
        using var environment = new FrameStack(new Counter(), 3);
        var shown = new Dictionary<float, float[]>();
        var random = new Random(1);
        for (var episode = 0; episode < 4; episode++)
        {
            var state = environment.Reset();
            buffer.Begin(state.Observation.Span, []);
            for (var isEnd = false; !isEnd;)
            {
                shown[state.Observation.Span[^1]] = state.Observation.ToArray();
                var step = environment.Step(0);
                buffer.Add(0, 0, step.Terminated, step.Truncated, step.Observation.Span, []);
                state = new EnvironmentState(step.Observation);
                isEnd = step.IsEnd;
            }
        }
        var seen = new HashSet<float>();
        for (var i = 0; i < 200; i++)
        {
            var (current, next) = (new float[3], new float[3]);
            Read(buffer, buffer.Draw(random, 1, 0, 1), 1, current, next);
            CollectionAssert.AreEqual(shown[current[^1]], current);
            CollectionAssert.AreEqual(new[] { current[1], current[2], current[2] + 1 }, next);
            seen.Add(current[^1]);
        }
        Assert.IsGreaterThan(3, seen.Count);
        Assert.AreEqual(8.0 * (1 + 2 + 13), format.Bytes(8), "one byte for the frame, two for the mask, action, reward, end and place");
    }

    [TestMethod]
    public void Bytes_TakeOnlyWholeNumbers_PixelsAreRounded()
    {
        using var buffer = new ReplayBuffer(new ReplayFormat(2, 1, ReplayStorage.Byte, ArePixels: false, 2, false), 4, "Game");
        buffer.Begin([0, 255], []);
        var message = Assert.ThrowsExactly<FormatException>(() => buffer.Add(0, 0, false, false, [0, 0.5f], [])).Message;
        Assert.Contains("Game: value 1 of the observation is 0.5", message);
        Assert.Contains("Single", message);
        using var pixels = new ReplayBuffer(new ReplayFormat(2, 1, ReplayStorage.Byte, ArePixels: true, 2, false), 4, "Game");
        pixels.Begin([0.4f, 254.6f], []);
        var last = new float[2];
        pixels.CopyLast(last, new bool[2]);
        CollectionAssert.AreEqual(new[] { 0f, 255f }, last);
    }

    [TestMethod]
    public void Masks_ComeWithTheirStates()
    {
        using var buffer = Create(10);
        buffer.Begin([0], [true, false]);
        buffer.Add(0, 1, false, false, [1], [false, true]);
        buffer.Add(1, 1, true, false, [2], [false, false]);
        Assert.IsTrue(buffer.HasMasks);
        var random = new Random(1);
        for (var i = 0; i < 20; i++)
        {
            var (state, mask, next) = (new float[1], new byte[2], new byte[2]);
            Read(buffer, buffer.Draw(random, 1, 0, 1), 1, state, new float[1], mask, next);
            CollectionAssert.AreEqual(state[0] == 0 ? new byte[] { 1, 0 } : [0, 1], mask);
            CollectionAssert.AreEqual(state[0] == 0 ? new byte[] { 0, 1 } : [1, 1], next, "after the end everything is allowed");
        }
    }

    [TestMethod]
    public void SumTree_DrawsInProportion()
    {
        using var tree = new SumTree(5);
        for (var place = 0; place < 5; place++)
            tree[place] = place;
        tree[4] = 0;
        Assert.AreEqual(6, tree.Total);
        var counts = new int[5];
        for (var i = 0; i < 600; i++)
            counts[tree.Find((i + 0.5) / 100)]++;
        CollectionAssert.AreEqual(new[] { 0, 100, 200, 300, 0 }, counts);
        Assert.AreEqual(3, tree.Find(6), "rounding leads to a place with a priority");
    }

    [TestMethod]
    public void Priorities_DecideWhatIsDrawn()
    {
        using var buffer = new ReplayBuffer(new ReplayFormat(1, 1, ReplayStorage.Single, false, 2, IsPrioritized: true), 40, "test");
        Episode(buffer, Enumerable.Range(0, 31).Select(value => (float)value).ToArray(), new float[30], terminated: true);
        var options = new DqnEstimator.Options { BatchSize = 10, PriorityExponent = 1, PriorityCorrection = 1, ReturnSteps = 1 };
        using var batches = new ReplayBatches(buffer, options, isShared: false);
        var random = new Random(1);
        var states = new List<float>();
        for (var i = 0; i < 100; i++)
        {
            using var batch = batches.Draw(random, 1, 1, 0, false)!;
            var values = batch.Block.States.Values.ToArray();
            // One state is wrong by 29, the others by 1: half of all draws.
            batch.TakeErrors!(values.Select(value => value == 7 ? 29f : 1f).ToArray());
            if (i < 20)
                continue;
            states.AddRange(values);
            for (var row = 0; row < 10; row++)
                Assert.AreEqual(batch.Block.Weights.Values.ToArray().Max() * (values[row] == 7 ? 1 / 29f : 1), batch.Block.Weights.Values[row], values.Any(value => value != 7) ? 1e-4f : 1);
        }
        Assert.AreEqual(.5, states.Count(state => state == 7) / (double)states.Count, .05);
    }

    private static ReplayBuffer Create(int capacity) => new(new ReplayFormat(1, 1, ReplayStorage.Single, false, 2, false), capacity, "test");

    private static void Episode(ReplayBuffer buffer, float[] states, float[] rewards, bool terminated)
    {
        buffer.Begin([states[0]], []);
        for (var step = 0; step < rewards.Length; step++)
        {
            var isLast = step == rewards.Length - 1;
            buffer.Add(0, rewards[step], isLast && terminated, isLast && !terminated, [states[step + 1]], []);
        }
    }

    private static Dictionary<float, (double Reward, double Discount, float Next)> DrawAll(ReplayBuffer buffer, int steps)
    {
        var (found, random) = (new Dictionary<float, (double, double, float)>(), new Random(1));
        for (var i = 0; i < 1000; i++)
        {
            var (state, next) = (new float[1], new float[1]);
            var (reward, discount) = Read(buffer, buffer.Draw(random, steps, 0, 1), steps, state, next);
            found[state[0]] = (reward, discount, next[0]);
        }
        return found;
    }

    private static (float Reward, float Discount) Read(ReplayBuffer buffer, int place, int steps, float[] state, float[] next, byte[]? mask = null, byte[]? nextMask = null)
    {
        var (action, reward, discount) = (0L, 0f, 0f);
        buffer.Read(place, steps, Discount, new TransitionRow(state, next, ref action, ref reward, ref discount, mask, nextMask));
        return (reward, discount);
    }

    /// <summary>Counts its steps, in episodes of three.</summary>
    private sealed class Counter : IEnvironment
    {
        private float _count;
        private int _step;

        public string Name => "Counter";

        public Space ObservationSpace { get; } = new BoxSpace([1], 0, 1000);

        public DiscreteSpace ActionSpace { get; } = new(2);

        public EnvironmentState Reset(int? seed = null)
        {
            (_count, _step) = (_count + 10, 0);
            return new EnvironmentState(new[] { _count });
        }

        public EnvironmentStep Step(int action) => new(new[] { ++_count }, 0, ++_step == 3, false);

        public void Dispose()
        {
        }
    }
}
