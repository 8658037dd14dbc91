using Microsoft.ML;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.Gan;

/// <summary>
/// Rate, schedule and optimizer of the discriminator are its own, and the generator's are the generator's. A rate of 1e-30 changes no bit of a
/// weight.
/// </summary>
[TestClass]
public sealed class DiscriminatorOptimizationTests
{
    private const double Nothing = 1e-30;
    private const double Rate = 0.05;

    private static readonly MLContext Ml = new(1);

    [TestMethod]
    public void LearningRate_ChangesTheDiscriminatorAlone()
    {
        using var start = Train(o => (o.LearningRate, o.DiscriminatorLearningRate) = (Nothing, Nothing));
        using var still = Train(o => (o.LearningRate, o.DiscriminatorLearningRate) = (Rate, Nothing));
        AssertSame(start.Discriminator, still.Discriminator);
        AssertMoved(start.Generator, still.Generator);
        using var alone = Train(o => (o.LearningRate, o.DiscriminatorLearningRate) = (Nothing, Rate));
        AssertSame(start.Generator, alone.Generator);
        AssertMoved(start.Discriminator, alone.Discriminator);
        // One step of gradient descent is as long as the rate says.
        using var twice = Train(o => (o.LearningRate, o.DiscriminatorLearningRate) = (Nothing, 2 * Rate));
        var steps = Steps(start.Discriminator, alone.Discriminator).Zip(Steps(start.Discriminator, twice.Discriminator)).ToArray();
        Assert.IsTrue(steps.All(pair => Math.Abs((2 * pair.First) - pair.Second) < 1e-6));
        Assert.IsGreaterThan(1e-3, steps.Max(pair => Math.Abs(pair.First)));
    }

    [TestMethod]
    public void NothingSet_AsTheGenerator()
    {
        var schedule = LearningRateSchedule.Step(1, 0.5);
        using var given = Train(o => (o.Epochs, o.LearningRateSchedule, o.DiscriminatorLearningRate, o.DiscriminatorLearningRateSchedule, o.DiscriminatorOptimizer) = (3, schedule, Rate, schedule, new SgdOptimizer()));
        using var taken = Train(o => (o.Epochs, o.LearningRateSchedule) = (3, schedule));
        AssertSame(given.Discriminator, taken.Discriminator);
        AssertSame(given.Generator, taken.Generator);
    }

    /// <summary>A schedule that ends after one epoch leaves the weights of one epoch; the other network goes on.</summary>
    [TestMethod]
    public void Schedule_OfEachNetworkItsOwn()
    {
        var ending = LearningRateSchedule.Step(1, Nothing);
        using var one = Train(o => o.Epochs = 1);
        using var discriminatorEnds = Train(o => (o.Epochs, o.DiscriminatorLearningRateSchedule) = (2, ending));
        AssertSame(one.Discriminator, discriminatorEnds.Discriminator);
        AssertMoved(one.Generator, discriminatorEnds.Generator);
        using var generatorEnds = Train(o => (o.Epochs, o.LearningRateSchedule, o.DiscriminatorLearningRateSchedule) = (2, ending, LearningRateSchedule.Constant()));
        AssertSame(one.Generator, generatorEnds.Generator);
        AssertMoved(one.Discriminator, generatorEnds.Discriminator);
        using var bothEnd = Train(o => (o.Epochs, o.LearningRateSchedule) = (2, ending));
        AssertSame(one.Discriminator, bothEnd.Discriminator);
        AssertSame(one.Generator, bothEnd.Generator);
    }

    /// <summary>Adam's first step has the length of the rate, whatever the gradient; that of gradient descent has the gradient's.</summary>
    [TestMethod]
    public void Optimizer_OfEachNetworkItsOwn()
    {
        using var start = Train(o => (o.LearningRate, o.DiscriminatorLearningRate) = (Nothing, Nothing));
        using var discriminator = Train(o => o.DiscriminatorOptimizer = new AdamOptimizer());
        Assert.IsTrue(HaveLengthOfTheRate(Steps(start.Discriminator, discriminator.Discriminator)));
        Assert.IsFalse(HaveLengthOfTheRate(Steps(start.Generator, discriminator.Generator)));
        using var generator = Train(o => (o.Optimizer, o.DiscriminatorOptimizer) = (new AdamOptimizer(), new SgdOptimizer()));
        Assert.IsFalse(HaveLengthOfTheRate(Steps(start.Discriminator, generator.Discriminator)));
        Assert.IsTrue(HaveLengthOfTheRate(Steps(start.Generator, generator.Generator)));
        // What the discriminator is optimized with is nothing to the generator while it stays as it is.
        using var still = Train(o => o.DiscriminatorLearningRate = Nothing);
        using var other = Train(o => (o.DiscriminatorLearningRate, o.DiscriminatorOptimizer) = (Nothing, new RmsPropOptimizer()));
        AssertSame(still.Generator, other.Generator);
        AssertSame(start.Discriminator, other.Discriminator);
    }

    /// <summary>All rows are one batch: an epoch is one step of each network.</summary>
    private static GanTransformer Train(Action<GanEstimator.Options> change)
    {
        var options = new GanEstimator.Options
        {
            Networks = new GanNetworks
            {
                LatentSize = 3,
                Generator = [new DenseLayer(6), new ActivationLayer(Activation.Tanh), new DenseLayer()],
                Discriminator = [new DenseLayer(6), new ActivationLayer(Activation.Tanh), new DenseLayer()],
            },
            Epochs = 1,
            BatchSize = 40,
            LearningRate = Rate,
            LearningRateSchedule = LearningRateSchedule.Constant(),
            Optimizer = new SgdOptimizer(),
            Seed = TestSeed.Of(1),
            ThreadCount = 1,
        };
        change(options);
        return Ml.GenerativeModels.Trainers.Gan(options).Fit(GanSample.Points(Ml, 40));
    }

    /// <summary>Few gradients are so small that Adam's guard against division by zero counts.</summary>
    private static bool HaveLengthOfTheRate(double[] steps) => steps.Count(step => Math.Abs(Math.Abs(step) - Rate) < 1e-4 * Rate) > 0.9 * steps.Length;

    private static double[] Steps(NetworkModelParameters from, NetworkModelParameters to) =>
        Outcome.Weights(from).Zip(Outcome.Weights(to), (before, after) => (double)after - before).ToArray();

    private static void AssertSame(NetworkModelParameters expected, NetworkModelParameters actual) => Outcome.AssertSameBits(Outcome.Weights(expected), Outcome.Weights(actual));

    private static void AssertMoved(NetworkModelParameters before, NetworkModelParameters after)
    {
        foreach (var name in before.WeightShapes.Keys)
            Assert.IsFalse(Outcome.SameBits(before.GetWeights(name), after.GetWeights(name)), name);
    }
}
