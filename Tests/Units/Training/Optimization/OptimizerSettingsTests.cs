using System.Text.Json;

namespace MLExtensions.Tests.Training;

[TestClass]
public class OptimizerSettingsTests
{
    [TestMethod]
    public void DefaultsAreValid()
    {
        foreach (OptimizerCase optimizer in OptimizerCases.ByName.Values)
            optimizer.Settings.Check();
    }

    [TestMethod]
    public void OnlyAdamWDecaysByDefault()
    {
        Assert.AreEqual(0.01, new AdamWOptimizer().DefaultWeightDecay);
        Assert.AreEqual(0, new AdamOptimizer().DefaultWeightDecay);
    }

    [TestMethod]
    [DataRow(double.NaN)]
    [DataRow(double.PositiveInfinity)]
    [DataRow(-0.1)]
    [DataRow(1.5)]
    public void RefusesByName(double bad)
    {
        AssertRefused(new SgdOptimizer { Momentum = bad }, "Optimizer.Momentum", bad);
        AssertRefused(new AdamOptimizer { Beta1 = bad }, "Optimizer.Beta1", bad);
        AssertRefused(new AdamOptimizer { Beta2 = bad }, "Optimizer.Beta2", bad);
        AssertRefused(new AdamOptimizer { Epsilon = bad }, "Optimizer.Epsilon", bad);
        AssertRefused(new AdamWOptimizer { Beta1 = bad }, "Optimizer.Beta1", bad);
        AssertRefused(new AdamWOptimizer { Beta2 = bad }, "Optimizer.Beta2", bad);
        AssertRefused(new AdamWOptimizer { Epsilon = bad }, "Optimizer.Epsilon", bad);
        AssertRefused(new RmsPropOptimizer { Decay = bad }, "Optimizer.Decay", bad);
        AssertRefused(new RmsPropOptimizer { Epsilon = bad }, "Optimizer.Epsilon", bad);
        AssertRefused(new RmsPropOptimizer { Momentum = bad }, "Optimizer.Momentum", bad);
        AssertRefused(new AdagradOptimizer { Epsilon = bad }, "Optimizer.Epsilon", bad);
        AssertRefused(new AdadeltaOptimizer { Decay = bad }, "Optimizer.Decay", bad);
        AssertRefused(new AdadeltaOptimizer { Epsilon = bad }, "Optimizer.Epsilon", bad);
    }

    [TestMethod]
    public void RefusesBordersThatDivideByZero()
    {
        AssertRefused(new AdamOptimizer { Beta1 = 1 }, "Optimizer.Beta1", 1);
        AssertRefused(new AdamOptimizer { Epsilon = 0 }, "Optimizer.Epsilon", 0);
        AssertRefused(new AdagradOptimizer { InitialAccumulator = -1 }, "Optimizer.InitialAccumulator", -1);
        AssertRefused(new AdagradOptimizer { InitialAccumulator = double.NaN }, "Optimizer.InitialAccumulator", double.NaN);
    }

    [TestMethod]
    public void NesterovNeedsMomentum()
    {
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new SgdOptimizer { Nesterov = true }.Check());
        Assert.AreEqual("Optimizer.Nesterov", error.ParamName);
    }

    [TestMethod]
    public void JsonRoundTrip()
    {
        foreach (OptimizerCase optimizer in OptimizerCases.ByName.Values)
        {
            var json = JsonSerializer.Serialize(optimizer.Settings);
            Assert.AreEqual(optimizer.Settings, JsonSerializer.Deserialize<Optimizer>(json), json);
        }
        StringAssert.StartsWith(JsonSerializer.Serialize<Optimizer>(new AdamWOptimizer()), """{"$type":"adamw","Beta1":0.9""");
    }

    private static void AssertRefused(Optimizer settings, string name, double value)
    {
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(settings.Check);
        Assert.AreEqual(name, error.ParamName);
        Assert.AreEqual(value, error.ActualValue);
        StringAssert.Contains(error.Message, "it must be ");
    }
}
