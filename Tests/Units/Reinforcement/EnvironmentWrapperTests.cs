namespace MLExtensions.Tests.Reinforcement;

/// <summary>What goes around environments.</summary>
[TestClass]
public sealed class EnvironmentWrapperTests
{
    [TestMethod]
    public void FrameStack_ShowsTheLast_OldestFirst()
    {
        using var environment = new FrameStack(new CatchEnvironment(), 3);
        Assert.AreEqual(new BoxSpace([3, 10, 5], 0, 1), environment.ObservationSpace);
        var start = environment.Reset(1).Observation.ToArray();
        CollectionAssert.AreEqual(start[..50], start[100..]);
        var first = environment.Step(0).Observation.ToArray();
        var second = environment.Step(0).Observation.ToArray();
        CollectionAssert.AreEqual(start[..50], second[..50]);
        CollectionAssert.AreEqual(first[100..], second[50..100]);
        CollectionAssert.AreNotEqual(second[50..100], second[100..]);

        using var vectors = new FrameStack(new CartPoleEnvironment(), 2);
        Assert.AreEqual(8, vectors.ObservationSpace.Size);
        Assert.ThrowsExactly<ArgumentException>(() => new FrameStack(new TaxiEnvironment()));
        // 64 times 64 MB of bounds are not made first.
        using var huge = new Still(new BoxSpace([1 << 23], 0, 1), []);
        Assert.Contains("536870912 is out of range", Assert.ThrowsExactly<ArgumentException>(() => new FrameStack(huge, 64)).Message);
    }

    [TestMethod]
    public void FrameStack_StateIsKept()
    {
        using var first = new FrameStack(new CatchEnvironment(), 4);
        using var second = new FrameStack(new CatchEnvironment(), 4);
        first.Reset(2);
        first.Step(0);
        second.LoadState(first.SaveState());
        CollectionAssert.AreEqual(first.Step(1).Observation.ToArray(), second.Step(1).Observation.ToArray());
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void GrayscaleResize_AveragesAreas(bool channelsFirst)
    {
        // 2 x 4 pixels of red 10 k, green 20 k, blue 30 k are 23.8 k... as gray .299 * 10 + .587 * 20 + .114 * 30 = 18.15 k.
        const int Height = 2, Width = 4;
        var image = new float[Height * Width * 3];
        for (var pixel = 0; pixel < Height * Width; pixel++)
        {
            for (var channel = 0; channel < 3; channel++)
                image[channelsFirst ? (channel * Height * Width) + pixel : (pixel * 3) + channel] = 10 * (channel + 1) * pixel / 3f;
        }
        using var environment = new GrayscaleResize(new Still(new BoxSpace(channelsFirst ? [3, Height, Width] : [Height, Width, 3], 0, 255), image), 1, 3);
        Assert.AreEqual(new BoxSpace([1, 1, 3], 0, 255), environment.ObservationSpace);
        // Columns 0 and a third of 1; two thirds of 1 and of 2; a third of 2 and 3; both rows, whose pixels differ by 4.
        float[] places = [(0 + (1 / 3f)) / (4 / 3f), 1.5f, ((2 / 3f) + 3) / (4 / 3f)];
        var expected = places.Select(place => (place + 2) * 18.15f / 3).ToArray();
        var seen = environment.Reset().Observation.ToArray();
        for (var i = 0; i < 3; i++)
            Assert.AreEqual(expected[i], seen[i], 1e-4);
        CollectionAssert.AreEqual(seen, environment.Step(0).Observation.ToArray());
        Assert.ThrowsExactly<ArgumentException>(() => new GrayscaleResize(new CartPoleEnvironment()));
    }

    [TestMethod]
    public void Atari_IsFourGrayFramesOf84Pixels()
    {
        using var environment = new FrameStack(new GrayscaleResize(new Still(new BoxSpace([210, 160, 3], 0, 255), new float[210 * 160 * 3])), 4);
        Assert.AreEqual(new BoxSpace([4, 84, 84], 0, 255), environment.ObservationSpace);
    }

    [TestMethod]
    public void RewardClip_Clips()
    {
        using var environment = new RewardClip(new CliffWalkingEnvironment(), -5, 5);
        environment.Reset();
        Assert.AreEqual(-5, environment.Step(1).Reward);
        Assert.AreEqual(-1, environment.Step(0).Reward);
        Assert.ThrowsExactly<ArgumentException>(() => new RewardClip(new CatchEnvironment(), 1, 1));
    }

    [TestMethod]
    public void EpisodeStatistics_KeepTheLast()
    {
        using var environment = new EpisodeStatistics(EnvironmentRegistry.Make("CliffWalking-v1"), 2);
        for (var episode = 0; episode < 3; episode++)
        {
            if (episode == 2)
                Assert.AreEqual((-113, 14), Play.Episode(environment, null, new Fall().Act));
            else
                Play.Episode(environment, null, Edge);
        }
        Assert.AreEqual(3, environment.EpisodeCount);
        Assert.AreEqual(40, environment.StepCount);
        Assert.AreEqual((-13 - 113) / 2.0, environment.MeanReturn);
        CollectionAssert.AreEqual(new[] { new EpisodeSummary(-13, 13, false), new EpisodeSummary(-113, 14, false) }, environment.Episodes.ToArray());
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void VectorEnvironment_IsItsCopies(bool inParallel)
    {
        using var vector = new VectorEnvironment(_ => EnvironmentRegistry.Make("CartPole-v1"), 3, inParallel);
        var single = Enumerable.Range(0, 3).Select(_ => EnvironmentRegistry.Make("CartPole-v1")).ToArray();
        var seen = vector.Reset(10).Observation.ToArray();
        for (var i = 0; i < 3; i++)
            CollectionAssert.AreEqual(single[i].Reset(10 + i).Observation.ToArray(), seen[(4 * i)..(4 * (i + 1))]);
        var ends = 0;
        for (var steps = 0; steps < 100; steps++)
        {
            int[] actions = [steps % 2, 1, steps / 3 % 2];
            var step = vector.Step(actions);
            for (var i = 0; i < 3; i++)
            {
                var expected = single[i].Step(actions[i]);
                Assert.AreEqual(expected.Terminated, step.Terminated.Span[i]);
                Assert.AreEqual(expected.Reward, step.Rewards.Span[i]);
                CollectionAssert.AreEqual(expected.Observation.ToArray(), step.FinalObservations.Slice(4 * i, 4).ToArray());
                var next = expected.IsEnd ? single[i].Reset().Observation : expected.Observation;
                CollectionAssert.AreEqual(next.ToArray(), step.Observations.Slice(4 * i, 4).ToArray());
                ends += expected.IsEnd ? 1 : 0;
            }
        }
        Assert.IsGreaterThan(5, ends);

        using var other = new VectorEnvironment(_ => EnvironmentRegistry.Make("CartPole-v1"), 3);
        other.LoadState(vector.SaveState());
        CollectionAssert.AreEqual(vector.Step([1, 0, 1]).Observations.ToArray(), other.Step([1, 0, 1]).Observations.ToArray());
        Assert.ThrowsExactly<ArgumentException>(() => vector.Step([1, 0]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => vector.Step([1, 0, 2]));
    }

    [TestMethod]
    public void VectorEnvironment_WithoutSeed_CopiesDiffer_AndMasksAreThere()
    {
        using var vector = new VectorEnvironment(_ => new TaxiEnvironment(), 4);
        var start = vector.Reset();
        Assert.IsGreaterThan(1, start.Observation.ToArray().Distinct().Count());
        Assert.AreEqual(24, start.ActionMask.Length);
        Assert.ThrowsExactly<ArgumentException>(() => new VectorEnvironment(i => i == 0 ? new TaxiEnvironment() : new CatchEnvironment(), 2));
    }

    [TestMethod]
    public void VectorEnvironment_ErrorsNameTheCopy()
    {
        using var vector = new VectorEnvironment(i => new Faulty(i == 2), 3);
        vector.Reset(1);
        var own = Assert.ThrowsExactly<IOException>(() => vector.Step([0, 0, 0]));
        Assert.AreEqual("Faulty-v0, copy 2, episode 1, step 1: the wire is cut", own.Message);
        Assert.AreEqual("Faulty-v0, copy 2, episode 1, step 2: value 0 of the observation is NaN; it must be a number from 0 to 1.", Assert.ThrowsExactly<FormatException>(() => vector.Step([0, 0, 1])).Message);
        Assert.Contains("copy 1, episode 1, step 2: the action is 7", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => vector.Step([0, 7, 0])).Message);
    }

    [TestMethod]
    public void VectorEnvironment_TheSameInstanceTwice_IsRefused()
    {
        using var same = new CartPoleEnvironment();
        Assert.Contains("Copies 0 and 1 are the same CartPole-v1", Assert.ThrowsExactly<ArgumentException>(() => new VectorEnvironment(_ => same, 2)).Message);
        Assert.Contains("Copies 0 and 2 are the same", Assert.ThrowsExactly<ArgumentException>(() => new VectorEnvironment(i => i == 1 ? new CartPoleEnvironment() : new TimeLimit(same, i + 5), 3)).Message);
        Assert.Contains("Copy 1 is null", Assert.ThrowsExactly<ArgumentException>(() => new VectorEnvironment(i => i == 1 ? null! : new CartPoleEnvironment(), 3)).Message);
        var large = new BoxSpace([1 << 20], 0, 1);
        Assert.Contains("2048 copies of 1048576 values", Assert.ThrowsExactly<ArgumentException>(() => new VectorEnvironment(_ => new Still(large, []), 1 << 11)).Message);
    }

    /// <summary>Walks along the edge of the cliff.</summary>
    private static int Edge(float[] state) => state[0] == 36 ? 0 : state[0] < 35 ? 1 : 2;

    /// <summary>Falls once.</summary>
    private sealed class Fall
    {
        private bool _fallen;

        public int Act(float[] state)
        {
            if (_fallen)
                return Edge(state);
            _fallen = true;
            return 1;
        }
    }

    /// <summary>Action 0 throws and action 1 shows what is no number, if it is told to.</summary>
    private sealed class Faulty(bool isFaulty) : IEnvironment
    {
        public string Name => "Faulty-v0";

        public Space ObservationSpace { get; } = new BoxSpace([1], 0, 1);

        public DiscreteSpace ActionSpace { get; } = new(2);

        public EnvironmentState Reset(int? seed = null) => new(new float[1]);

        public EnvironmentStep Step(int action) => !isFaulty ? new(new float[1], 0, false, false)
            : action == 0 ? throw new IOException("the wire is cut") : new(new[] { float.NaN }, 0, false, false);

        public void Dispose()
        {
        }
    }

    /// <summary>Shows the same picture for ever.</summary>
    private sealed class Still(Space space, float[] image) : IEnvironment
    {
        public string Name => "Still-v0";

        public Space ObservationSpace => space;

        public DiscreteSpace ActionSpace { get; } = new(1);

        public EnvironmentState Reset(int? seed = null) => new(image);

        public EnvironmentStep Step(int action) => new(image, 0, false, false);

        public void Dispose()
        {
        }
    }
}
