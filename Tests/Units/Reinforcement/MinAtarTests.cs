using MLExtensions.Networks;

namespace MLExtensions.Tests.Reinforcement;

/// <summary>The small games, by their rules.</summary>
[TestClass]
public sealed class MinAtarTests
{
    private const int Plane = 100;

    [TestMethod]
    public void Breakout_BeginsWithWallAndBall()
    {
        using var game = new BreakoutEnvironment(0);
        var columns = new HashSet<int>();
        for (var seed = 0; seed < 20; seed++)
        {
            var planes = game.Reset(seed).Observation.ToArray();
            Assert.AreEqual(94, Array.IndexOf(planes, 1f), "the paddle");
            Assert.AreEqual(30, planes[(3 * Plane)..].Sum(), "three rows of bricks");
            Assert.AreEqual(30, planes[((3 * Plane) + 10)..((3 * Plane) + 40)].Sum());
            columns.Add(Place(planes, 1));
        }
        CollectionAssert.AreEquivalent(new[] { 30, 39 }, columns.ToArray());
    }

    [TestMethod]
    public void Breakout_BallFallsWithoutPaddle_AndIsReflectedByIt()
    {
        using var game = new BreakoutEnvironment(0);
        Reset(game, ball: 30, plane: 1);
        // Down to the right: from row 3, column 0 to row 8, column 5; the paddle is at 4 then.
        EnvironmentStep step = default;
        for (var frame = 0; frame < 5; frame++)
            step = game.Step(0);
        Assert.AreEqual(85, Place(step.Observation.Span, 1));
        Assert.AreEqual(74, Place(step.Observation.Span, 2), "where it was");
        Assert.IsTrue(game.Step(0).Terminated);

        Reset(game, ball: 30, plane: 1);
        for (var frame = 0; frame < 5; frame++)
            game.Step(frame == 0 ? 2 : 0); // to column 5, below the ball
        step = game.Step(0);
        Assert.AreEqual((86, false), (Place(step.Observation.Span, 1), step.Terminated));
        Assert.AreEqual(77, Place(game.Step(0).Observation.Span, 1), "up, and on to the right");

        Reset(game, ball: 30, plane: 1);
        for (var frame = 0; frame < 6; frame++)
            step = game.Step(frame < 2 ? 2 : 0); // to column 6, where the ball comes to from the side
        Assert.AreEqual((86, false), (Place(step.Observation.Span, 1), step.Terminated));
        Assert.AreEqual(75, Place(game.Step(0).Observation.Span, 1), "up, and back to the left");
    }

    [TestMethod]
    public void Breakout_Bricks_GiveOneAndThrowBack()
    {
        using var game = new BreakoutEnvironment(0);
        var planes = game.Reset(3).Observation.ToArray();
        var (reward, bricks) = (0.0, 30.0);
        for (var frame = 0; frame < 3000; frame++)
        {
            var step = game.Step(Follow(planes));
            planes = step.Observation.ToArray();
            Assert.IsFalse(step.Terminated, "who follows the ball never misses it");
            reward += step.Reward;
            var left = planes[(3 * Plane)..].Sum();
            Assert.AreEqual(bricks - step.Reward + (left > bricks ? 30 : 0), left, "a brick for each point, and a new wall when all are gone");
            bricks = left;
        }
        Assert.IsGreaterThan(100, reward);

        // To where the ball comes down, from its place and where it was.
        static int Follow(float[] planes)
        {
            var (ball, trail, paddle) = (Place(planes, 1), Place(planes, 2), Place(planes, 0) % 10);
            var right = ball % 10 == trail % 10 ? (ball % 10 == 0 ? 1 : -1) : ball % 10 - (trail % 10);
            var target = ball % 10;
            for (var row = ball / 10; row < 8; row++)
            {
                if (target + right is < 0 or > 9)
                    right = -right;
                else
                    target += right;
            }
            target = ball > trail ? target : ball % 10;
            return paddle < target ? 2 : paddle > target ? 1 : 0;
        }
    }

    [TestMethod]
    public void Freeway_UpTheRoad_GivesPoints()
    {
        using var game = EnvironmentRegistry.Make("MinAtar/Freeway-v1");
        var points = 0.0;
        for (var seed = 0; seed < 10; seed++)
        {
            var played = Play.Episode(game, seed, _ => 1);
            Assert.AreEqual(2500, played.Length);
            Assert.IsLessThan(93, played.Return, "nine rows take 27 frames at least");
            points += played.Return;
        }
        Assert.IsGreaterThan(10, points, "who does not look is hit in most lanes");
        Assert.AreEqual(0, Play.Episode(game, 1, _ => 0).Return);
    }

    [TestMethod]
    public void Freeway_CarsMoveAsTheirSpeedSays()
    {
        using var game = new FreewayEnvironment(0);
        var planes = game.Reset(1).Observation.ToArray();
        var speeds = Enumerable.Range(1, 8).Select(lane => Enumerable.Range(1, 5).Single(speed => planes.AsSpan(((1 + speed) * Plane) + (10 * lane), 10).Contains(1))).ToArray();
        var before = Cars(planes);
        for (var frame = 0; frame < 60; frame++)
            planes = game.Step(0).Observation.ToArray();
        var after = Cars(planes);
        for (var lane = 0; lane < 8; lane++)
        {
            var moved = 60 / speeds[lane] % 10;
            Assert.Contains((after[lane] - before[lane] + 10) % 10, new[] { moved, (10 - moved) % 10 }, $"lane {lane}, a field in {speeds[lane]} frames");
        }

        static int[] Cars(float[] planes) => Enumerable.Range(1, 8).Select(lane => planes.AsSpan(Plane + (10 * lane), 10).IndexOf(1)).ToArray();
    }

    [TestMethod]
    public void SpaceInvaders_ShotsHit_AndAliensComeDown()
    {
        using var game = new SpaceInvadersEnvironment(0);
        var planes = game.Reset(1).Observation.ToArray();
        Assert.AreEqual(24, planes[Plane..(2 * Plane)].Sum());
        Assert.AreEqual(24, planes[(2 * Plane)..(3 * Plane)].Sum(), "they go to the left");
        var reward = 0.0;
        for (var frame = 0; frame < 7; frame++)
        {
            var step = game.Step(3);
            reward += step.Reward;
            planes = step.Observation.ToArray();
        }
        Assert.AreEqual(1, reward, "the first shot hits the lowest row after six frames");
        Assert.AreEqual(23, planes[Plane..(2 * Plane)].Sum());
        // Without defense: the cannon is hit, or the aliens land.
        var (points, frames) = Play.Episode(game, 2, _ => 0);
        Assert.AreEqual(0, points);
        Assert.IsLessThan(400, frames);
    }

    // 1,000 games of a random policy; published as about a half for Breakout, where four of six actions do nothing.
    [TestMethod]
    [TestCategory("Floor")]
    [DataRow("MinAtar/Breakout-v1", .5, .15)]
    [DataRow("MinAtar/SpaceInvaders-v1", 4.1, 1)]
    public void Random_HasItsReturn(string name, double expected, double tolerance)
    {
        using var game = EnvironmentRegistry.Make(name);
        var random = new SplitMix64((ulong)TestSeed.Of(1));
        var sum = 0.0;
        for (var episode = 0; episode < 1000; episode++)
            sum += Play.Episode(game, episode == 0 ? TestSeed.Of(1) : null, _ => game is BreakoutEnvironment ? Math.Max(0, random.Next(6) - 3) : random.Next(4)).Return;
        Floor.Near(expected, sum / 1000, tolerance, name);
    }

    [TestMethod]
    public void StickyActions_RepeatTheLast()
    {
        using var game = new BreakoutEnvironment(.5);
        var repeated = 0;
        for (var seed = 0; seed < 400; seed++)
        {
            game.Reset(seed);
            repeated += Place(game.Step(2).Observation.Span, 0) == 94 ? 1 : 0;
        }
        Assert.AreEqual(200, repeated, 60);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new BreakoutEnvironment(1));
    }

    private static int Place(ReadOnlySpan<float> planes, int plane) => planes.Slice(plane * Plane, Plane).IndexOf(1);

    private static void Reset(BreakoutEnvironment game, int ball, int plane)
    {
        for (var seed = 0; Place(game.Reset(seed).Observation.Span, plane) != ball; seed++)
        {
        }
    }
}
