using MLExtensions.Engine;
using MLExtensions.Networks;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Mlp;

/// <summary>Dropout, batch normalization and initial weights, by their statistics.</summary>
[TestClass]
public sealed class LayerTests
{
    [TestMethod]
    public void Dropout_DropsTheShareAndKeepsTheMean()
    {
        using var scope = NewDisposeScope();
        var layer = new SeededDropout(0.3) { Generator = new Generator(1) };
        layer.train();
        var y = layer.call(ones(1000, 200));
        Assert.AreEqual(0.3, y.eq(0).to(ScalarType.Float32).mean().item<float>(), 0.005);
        Assert.AreEqual(1, y.mean().item<float>(), 0.01);
        Assert.AreEqual(1 / 0.7f, y.max().item<float>(), 1e-6f);
        layer.eval();
        Assert.AreEqual(1, layer.call(ones(10)).min().item<float>());
    }

    [TestMethod]
    public void Dropout_DrawsFromItsOwnGenerator()
    {
        using var scope = NewDisposeScope();
        float[] Draw(long processSeed, ulong seed)
        {
            manual_seed(processSeed);
            var layer = new SeededDropout(0.5) { Generator = new Generator(seed) };
            layer.train();
            return layer.call(ones(100)).data<float>().ToArray();
        }
        CollectionAssert.AreEqual(Draw(1, 7), Draw(2, 7));
        CollectionAssert.AreNotEqual(Draw(1, 7), Draw(1, 8));
    }

    [TestMethod]
    public void BatchNormalization_BatchStatisticsInTrainingRunningOnesAfter()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var layer = new MlpHiddenLayer(2, new MlpLayer(3, Activation.Identity, 0, true));
        WeightInitializer.Initialize(layer, WeightInitialization.XavierNormal, 1);
        using var generator = new Generator(1);
        var x = randn(500, 2, generator: generator) * 5 + 3;
        layer.train();
        Tensor y = zeros(1);
        for (var i = 0; i < 100; i++)
            y = layer.call(x);
        Assert.AreEqual(0, y.mean([0]).abs().max().item<float>(), 1e-4);
        Assert.AreEqual(1, y.std(0, unbiased: false).min().item<float>(), 1e-3);
        layer.eval();
        var whole = layer.call(x);
        Assert.AreEqual(0, (whole - y).abs().max().item<float>(), 0.02);
        // A row's result doesn't depend on the rows beside it.
        Assert.AreEqual(0, (layer.call(x.narrow(0, 7, 1)) - whole.narrow(0, 7, 1)).abs().max().item<float>(), 1e-5);
    }

    [TestMethod]
    [DataRow(WeightInitialization.XavierUniform, 2.0 / 700, 3.0)]
    [DataRow(WeightInitialization.XavierNormal, 2.0 / 700, double.PositiveInfinity)]
    [DataRow(WeightInitialization.HeUniform, 2.0 / 400, 3.0)]
    [DataRow(WeightInitialization.HeNormal, 2.0 / 400, double.PositiveInfinity)]
    [DataRow(WeightInitialization.ScaledNormal, 1.0 / 400, double.PositiveInfinity)]
    // A normal distribution cut at two deviations has .7737 of its variance left; 4 / .7737 is the bound's square over it.
    [DataRow(WeightInitialization.TruncatedNormal, 0.77374 / 400, 4 / 0.77374)]
    [DataRow(WeightInitialization.FanInUniform, 1.0 / 3 / 400, 3.0)]
    public void Initialization_VarianceAndBound(WeightInitialization scheme, double variance, double squaredBoundOverVariance)
    {
        using var scope = NewDisposeScope();
        var linear = nn.Linear(400, 300);
        WeightInitializer.Initialize(linear, scheme, 1);
        var weight = linear.weight.detach();
        Assert.AreEqual(variance, weight.var().item<float>(), variance * 0.02);
        Assert.AreEqual(0, weight.mean().item<float>(), 4 * Math.Sqrt(variance / 120_000));
        // Of 300 uniform numbers, the largest is above 0.97 of the bound in all but one of ten thousand cases.
        var (least, most) = scheme == WeightInitialization.FanInUniform ? (0.97 / 20, 1.0 / 20) : (0, 0);
        Assert.IsInRange(least, most, linear.bias!.detach().abs().max().item<float>());
        var largest = weight.abs().max().item<float>();
        var bound = Math.Sqrt(variance * squaredBoundOverVariance);
        Assert.IsLessThanOrEqualTo(bound * 1.00001, largest);
        Assert.IsGreaterThan(double.IsInfinity(bound) ? 4 * Math.Sqrt(variance) : 0.99 * bound, largest);
    }

    [TestMethod]
    public void Initialization_SeedDecides()
    {
        using var scope = NewDisposeScope();
        float[] Draw(ulong seed)
        {
            var linear = nn.Linear(10, 10);
            WeightInitializer.Initialize(linear, WeightInitialization.XavierUniform, seed);
            return linear.weight.detach().data<float>().ToArray();
        }
        CollectionAssert.AreEqual(Draw(5), Draw(5));
        CollectionAssert.AreNotEqual(Draw(5), Draw(6));
    }
}
