using MLExtensions.Engine;
using MLExtensions.Networks;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Engine;

/// <summary>Parameters in flat buffers, in both number formats, and what an update does to them.</summary>
[TestClass]
public sealed class ParameterSetTests
{
    [TestMethod]
    public void Float32_ModuleAndFlatTensorShareMemory()
    {
        using var scope = NewDisposeScope();
        var linear = nn.Linear(3, 2);
        var bias = linear.bias!.detach().clone();
        using var set = new ParameterSet(linear, Settings());
        var places = set.Split(set.Weights).ToDictionary(entry => entry.Name, entry => entry.Value);
        CollectionAssert.AreEqual(new long[] { 2, 3 }, places["weight"].shape);
        CollectionAssert.AreEqual(bias.data<float>().ToArray(), places["bias"].data<float>().ToArray());
        Assert.AreEqual(16, set.Segments.Single(segment => !segment.Regularization.IsNone).End, "the weights, up to the next multiple of 16 where the bias begins");
        Assert.AreEqual(32, set.Weights.NumberOfElements);
        Assert.AreEqual(0f, set.Weights.narrow(0, 6, 10).abs().max().item<float>(), "what lies between parameters");
        set.Weights.fill_(2);
        Assert.AreEqual(2 + (3 * 2 * 5), linear.call(full(1, 3, 5f)).sum().item<float>() / 2);
        linear.call(full(1, 3, 5f)).sum().backward();
        CollectionAssert.AreEqual(new float[] { 5, 5, 5, 5, 5, 5, 1, 1 }, Packed(set, set.Gradients));
    }

    [TestMethod]
    public void BFloat16_ModuleComputesWithRoundedCopies()
    {
        using var scope = NewDisposeScope();
        var linear = nn.Linear(2, 1);
        var network = nn.Sequential(("linear", linear));
        using var set = new ParameterSet(network, Settings(Precision.BFloat16));
        Assert.AreEqual(ScalarType.BFloat16, linear.weight.dtype);
        Assert.AreEqual(ScalarType.Float32, set.Weights.dtype);
        set.Weights.fill_(1.001f);
        set.PublishWeights();
        Assert.AreEqual(1f, linear.weight.detach().to(ScalarType.Float32).max().item<float>(), "1.001 in bfloat16");
        Assert.AreEqual(1.001f, set.Weights.max().item<float>(), "the master keeps its digits");
        network.call(full(1, 2, 3f).to(ScalarType.BFloat16)).sum().backward();
        set.CollectGradients();
        CollectionAssert.AreEqual(new float[] { 3, 3, 1 }, Packed(set, set.Gradients));
        Assert.AreEqual(0f, linear.weight.grad!.to(ScalarType.Float32).abs().max().item<float>());
    }

    [TestMethod]
    public void BFloat16_NormalizationStaysFloat32()
    {
        using var scope = NewDisposeScope();
        var network = new MlpArchitecture { InputCount = 3, OutputCount = 1, HiddenLayers = [new MlpLayer(4, BatchNormalization: true)] }.CreateModule();
        using var set = new ParameterSet(network, Settings(Precision.BFloat16));
        var norm = network.modules().OfType<BatchNormalization>().Single();
        Assert.AreEqual(ScalarType.Float32, norm.get_parameter("weight")!.dtype);
        Assert.AreEqual(ScalarType.Float32, norm.get_buffer("running_mean")!.dtype);
        Assert.AreEqual(ScalarType.BFloat16, network.modules().OfType<Linear>().First().weight.dtype);
        CollectionAssert.AreEquivalent(new[] { "hidden.0.norm.running_mean", "hidden.0.norm.running_var", "hidden.0.norm.num_batches_tracked" }, set.Buffers.Select(buffer => buffer.Name).ToArray());
    }

    [TestMethod]
    public void Exchange_PutsOtherWeightsInAndGivesTheOldOnesBack()
    {
        using var scope = NewDisposeScope();
        var linear = nn.Linear(1, 1);
        using var set = new ParameterSet(linear, Settings());
        set.Weights.fill_(1);
        var old = set.Exchange(full_like(set.Weights, 7f));
        Assert.AreEqual(14f, linear.call(ones(1, 1)).item<float>());
        set.Exchange(old);
        Assert.AreEqual(2f, linear.call(ones(1, 1)).item<float>());
    }

    [TestMethod]
    [DataRow(1.0, 0.6f, 0.8f)]
    [DataRow(100.0, 3f, 4f)]
    [DataRow(null, 3f, 4f)]
    public void Clip_ScalesLargeGradientsOnly(double? norm, float first, float second)
    {
        using var scope = NewDisposeScope();
        using var step = new FakeStep(new MlpRegressionTrainer.Options { Optimizer = new SgdOptimizer(), GradientClipNorm = norm });
        step.SetWeights(0);
        var set = step.Network.Parameters;
        set.Split(set.Gradients).First().Value.copy_(tensor(new float[] { 3, 4 }).view(1, 2));
        step.Network.Apply(1);
        var weights = Packed(set, set.Weights);
        Assert.AreEqual(-first, weights[0], 1e-6f);
        Assert.AreEqual(-second, weights[1], 1e-6f);
        Assert.AreEqual(0f, step.Network.Parameters.Gradients.abs().max().item<float>(), "gradients are used up");
    }

    [TestMethod]
    public void Regularization_LeavesBiasesOut()
    {
        using var scope = NewDisposeScope();
        float[] After(Action<SupervisedTrainerOptions> set)
        {
            var options = new MlpRegressionTrainer.Options { Optimizer = new SgdOptimizer() };
            set(options);
            using var step = new FakeStep(options);
            step.SetWeights(2);
            step.Network.Apply(0.1);
            return Packed(step.Network.Parameters, step.Network.Parameters.Weights);
        }
        AssertWeights(2 - (0.1f * 0.5f * 2), After(o => o.L2Regularization = 0.5));
        AssertWeights(2 - (0.1f * 0.5f), After(o => o.L1Regularization = 0.5));
        AssertWeights(2 * (1 - (0.1f * 0.5f)), After(o => o.WeightDecay = 0.5));
        AssertWeights(2 * (1 - (0.1f * 0.01f)), After(o => o.Optimizer = new AdamWOptimizer()));

        static void AssertWeights(float expected, float[] actual)
        {
            Assert.AreEqual(expected, actual[0], 1e-6f);
            Assert.AreEqual(expected, actual[1], 1e-6f);
            Assert.AreEqual(2f, actual[2], "the bias");
        }
    }

    /// <summary>The values of a flat tensor without what lies between the parameters.</summary>
    private static OptimizationSettings Settings(Precision precision = Precision.Float32) => new() { Optimizer = new SgdOptimizer(), L2 = 0.1, Precision = precision };

    private static float[] Packed(ParameterSet set, Tensor flat) => set.Split(flat).SelectMany(entry => entry.Value.flatten().data<float>().ToArray()).ToArray();
}
