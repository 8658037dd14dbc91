using System.Text.Json;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Training;

[TestClass]
public class LearningRateScheduleTests
{
    private const int StepsPerEpoch = 7;
    private const int Epochs = 10;
    private const int Steps = StepsPerEpoch * Epochs;

    private static readonly LearningRateSchedule[] all =
    [
        LearningRateSchedule.Constant(),
        LearningRateSchedule.Step(3, 0.5),
        LearningRateSchedule.Exponential(0.9, 2, staircase: true),
        LearningRateSchedule.Exponential(0.9, 2),
        LearningRateSchedule.Cosine(0.1),
        LearningRateSchedule.OneCycle(),
    ];

    [TestMethod]
    public void HandComputedValues()
    {
        AssertFactor(1, LearningRateSchedule.Constant(), 99);
        AssertFactor(1, LearningRateSchedule.Step(3, 0.5), 2.99);
        AssertFactor(0.5, LearningRateSchedule.Step(3, 0.5), 3);
        AssertFactor(0.125, LearningRateSchedule.Step(3, 0.5), 9.5);
        AssertFactor(0.9, LearningRateSchedule.Exponential(0.81), 0.5);
        AssertFactor(0.81, LearningRateSchedule.Exponential(0.9, 2), 4);
        AssertFactor(0.9, LearningRateSchedule.Exponential(0.9, 2, staircase: true), 3.9);
        AssertFactor(1, LearningRateSchedule.Cosine(0.2), 0);
        AssertFactor(0.6, LearningRateSchedule.Cosine(0.2), 5);
        AssertFactor(0.2, LearningRateSchedule.Cosine(0.2), 10);
        AssertFactor(0.04, LearningRateSchedule.OneCycle(), 0);
        AssertFactor(0.52, LearningRateSchedule.OneCycle(), 1.5);
        AssertFactor(1, LearningRateSchedule.OneCycle(), 3);
        AssertFactor(4e-6, LearningRateSchedule.OneCycle(), 10);
    }

    [TestMethod]
    public void StepsFallOnTheEpochInSpiteOfRounding()
    {
        LearningRateSchedule schedule = LearningRateSchedule.Step(0.1, 0.5);
        AssertFactor(0.125, schedule, 0.3);
        AssertFactor(0.125, LearningRateSchedule.Step(0.1, 0.5, warmupEpochs: 0.7), 0.7 + 0.3);
    }

    [TestMethod]
    public void StepEqualsTorch() =>
        AssertEqualsTorch(LearningRateSchedule.Step(2, 0.3), o => optim.lr_scheduler.StepLR(o, 2 * StepsPerEpoch, 0.3));

    [TestMethod]
    public void ExponentialEqualsTorch() => AssertEqualsTorch(
        LearningRateSchedule.Exponential(0.8), o => optim.lr_scheduler.ExponentialLR(o, Math.Pow(0.8, 1.0 / StepsPerEpoch)));

    [TestMethod]
    public void CosineEqualsTorch() => AssertEqualsTorch(
        LearningRateSchedule.Cosine(0.05), o => optim.lr_scheduler.CosineAnnealingLR(o, Steps, eta_min: 0.05));

    /// <summary>Torch reaches the end one step early and counts the peak from there: the same curve, over one step more.</summary>
    [TestMethod]
    public void OneCycleEqualsTorch() => AssertEqualsTorch(
        LearningRateSchedule.OneCycle(0.4, 10, 100),
        o => optim.lr_scheduler.OneCycleLR(
            o,
            1,
            Steps + 1,
            pct_start: (0.4 * Steps + 1) / (Steps + 1),
            cycle_momentum: false,
            div_factor: 10,
            final_div_factor: 100));

    [TestMethod]
    public void WarmupRisesLinearlyAndHandsOver()
    {
        foreach (LearningRateSchedule plain in all)
        {
            LearningRateSchedule warm = plain with { WarmupEpochs = 2 };
            var top = plain.Factor(0, 8);
            double previous = 0;
            for (double epoch = 0; epoch < 2; epoch += 0.125)
            {
                var factor = warm.Factor(epoch, 10);
                Assert.IsGreaterThan(previous, factor, warm.ToString());
                Assert.AreEqual(top * epoch / 2, factor, top * 0.00101, warm.ToString());
                previous = factor;
            }
            Assert.AreEqual(top, warm.Factor(2, 10), warm.ToString());
            Assert.AreEqual(plain.Factor(5, 8), warm.Factor(7, 10), warm.ToString());
        }
    }

    [TestMethod]
    public void FactorsAreAlwaysUsable()
    {
        foreach (LearningRateSchedule plain in all)
        {
            foreach (var warmup in new[] { 0, 0.5, 3, 10 })
            {
                LearningRateSchedule schedule = plain with { WarmupEpochs = warmup };
                schedule.Check(Epochs);
                for (double epoch = 0; epoch < 40; epoch += 0.25)
                    Assert.IsTrue(schedule.Factor(epoch, Epochs) is > 0 and <= 1, $"{schedule} {epoch}");
                Assert.IsTrue(schedule.Factor(1e9, Epochs) is >= 0 and <= 1, schedule.ToString());
            }
        }
        AssertFactor(0, LearningRateSchedule.Cosine(), 1000);
    }

    [TestMethod]
    [DataRow(double.NaN)]
    [DataRow(double.PositiveInfinity)]
    [DataRow(-0.5)]
    public void RefusesByName(double bad)
    {
        AssertRefused(LearningRateSchedule.Constant(bad), "WarmupEpochs");
        AssertRefused(LearningRateSchedule.Step(bad), "StepEpochs");
        AssertRefused(LearningRateSchedule.Step(1, bad), "Decay");
        AssertRefused(LearningRateSchedule.Exponential(bad), "Decay");
        AssertRefused(LearningRateSchedule.Exponential(0.5, bad), "DecayEpochs");
        AssertRefused(LearningRateSchedule.Cosine(bad), "MinimumFactor");
        AssertRefused(LearningRateSchedule.OneCycle(bad), "PeakFraction");
        AssertRefused(LearningRateSchedule.OneCycle(0.3, bad), "InitialDivisor");
        AssertRefused(LearningRateSchedule.OneCycle(0.3, 25, bad), "FinalDivisor");
    }

    [TestMethod]
    public void RefusesBorders()
    {
        AssertRefused(LearningRateSchedule.Constant(warmupEpochs: 11), "WarmupEpochs");
        AssertRefused(LearningRateSchedule.Step(0), "StepEpochs");
        AssertRefused(LearningRateSchedule.Step(1, 1.01), "Decay");
        AssertRefused(LearningRateSchedule.Exponential(0), "Decay");
        AssertRefused(LearningRateSchedule.Cosine(1.01), "MinimumFactor");
        AssertRefused(LearningRateSchedule.OneCycle(1), "PeakFraction");
        AssertRefused(LearningRateSchedule.OneCycle(0.3, 0.5), "InitialDivisor");
    }

    [TestMethod]
    public void JsonRoundTrip()
    {
        foreach (LearningRateSchedule schedule in all)
        {
            LearningRateSchedule warm = schedule with { WarmupEpochs = 1.5 };
            var json = JsonSerializer.Serialize(warm);
            Assert.AreEqual(warm, JsonSerializer.Deserialize<LearningRateSchedule>(json), json);
        }
        StringAssert.StartsWith(JsonSerializer.Serialize<LearningRateSchedule>(LearningRateSchedule.Cosine()), """{"$type":"cosine",""");
    }

    private static void AssertFactor(double expected, LearningRateSchedule schedule, double epoch) =>
        Assert.AreEqual(expected, schedule.Factor(epoch, Epochs), 1e-12, $"{schedule} at {epoch}");

    private static void AssertRefused(LearningRateSchedule schedule, string name)
    {
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => schedule.Check(Epochs));
        Assert.AreEqual($"LearningRateSchedule.{name}", error.ParamName);
        StringAssert.Contains(error.Message, "it must be ");
    }

    private static void AssertEqualsTorch(LearningRateSchedule schedule, Func<optim.Optimizer, optim.lr_scheduler.LRScheduler> make)
    {
        using var parameter = new Parameter(zeros(1));
        using SGD optimizer = optim.SGD([parameter], 1);
        optim.lr_scheduler.LRScheduler torchs = make(optimizer);
        for (var step = 0; step < Steps; step++)
        {
            var expected = optimizer.ParamGroups.Single().LearningRate;
            Assert.AreEqual(expected, schedule.Factor((double)step / StepsPerEpoch, Epochs), 1e-9, $"{schedule} at step {step}");
            torchs.step();
        }
    }
}
