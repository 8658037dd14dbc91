using MLExtensions.Engine;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Training;

[TestClass]
[TestCategory("Heart")]
public class FlatOptimizerAgainstTorchTests
{
    private const int Steps = 60;
    private const double GradientScale = 0.5;

    [TestMethod]
    [DynamicData(nameof(OptimizerCases.Names), typeof(OptimizerCases))]
    public void OnePassEqualsTorch(string name) => AssertEqualsTorch(OptimizerCases.ByName[name], 1003, 0, 0, tensorOperations: false);

    [TestMethod]
    [DynamicData(nameof(OptimizerCases.Names), typeof(OptimizerCases))]
    public void TensorOperationsEqualTorch(string name) => AssertEqualsTorch(OptimizerCases.ByName[name], 1003, 0, 0, tensorOperations: true);

    [TestMethod]
    [DynamicData(nameof(OptimizerCases.Names), typeof(OptimizerCases))]
    public void OnePassWithDecayEqualsTorch(string name) => AssertEqualsTorch(OptimizerCases.ByName[name], 301, 101, 0.1, tensorOperations: false);

    [TestMethod]
    [DynamicData(nameof(OptimizerCases.Names), typeof(OptimizerCases))]
    public void TensorOperationsWithDecayEqualTorch(string name) => AssertEqualsTorch(OptimizerCases.ByName[name], 301, 101, 0.1, tensorOperations: true);

    [TestMethod]
    [DataRow(1, 1)]
    [DataRow(3, 2)]
    [DataRow(7, 0)]
    [DataRow(8, 8)]
    [DataRow(9, 8)]
    [DataRow(17, 15)]
    [DataRow(70_001, 33_333)]
    public void AnyLengthEqualsTorch(int length, int decayed) =>
        AssertEqualsTorch(OptimizerCases.ByName["adam"], length, decayed, 0.1, tensorOperations: false);

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void L1PullsBySign(bool tensorOperations)
    {
        using var ours = new FlatProblem(new SgdOptimizer(), 5, 4, new Regularization(0.5, 0, 0), tensorOperations: tensorOperations);
        ours.Parameters.copy_(tensor(new float[] { 2, -2, 0, 1, 3 }));
        ours.Gradients.copy_(tensor(new float[] { 1, 1, 1, -0.5f, 1 }));
        ours.Optimizer.Step(0.1);
        float[] expected = [1.85f, -2.05f, -0.1f, 1, 2.9f];
        CollectionAssert.AreEqual(expected, ours.Parameters.data<float>().ToArray());
    }

    private static void AssertEqualsTorch(OptimizerCase optimizer, int length, int decayed, double strength, bool tensorOperations)
    {
        using DisposeScope scope = NewDisposeScope();
        using var ours = new FlatProblem(
            optimizer.Settings, length, decayed, optimizer.Regularization(strength), tensorOperations: tensorOperations);
        Parameter weights = new(ours.Parameters.narrow(0, 0, decayed).clone());
        Parameter others = new(ours.Parameters.narrow(0, decayed, length - decayed).clone());
        using optim.Optimizer forWeights = optimizer.Reference([weights], strength);
        using optim.Optimizer forOthers = optimizer.Reference([others], 0);
        for (var step = 0; step < Steps; step++)
        {
            ours.FillGradients();
            weights.grad = ours.Gradients.narrow(0, 0, decayed) * GradientScale;
            others.grad = ours.Gradients.narrow(0, decayed, length - decayed) * GradientScale;
            forWeights.step();
            forOthers.step();
            ours.Optimizer.Step(optimizer.LearningRate, GradientScale);
            Assert.AreEqual(0, ours.Gradients.abs().sum().item<float>());
        }
        using IDisposable noGradient = no_grad();
        Tensor expected = cat([weights, others]);
        double difference = ((ours.Parameters - expected).abs() / (expected.abs() + 0.1)).max().item<float>();
        Assert.IsLessThan(1e-5, difference);
        Assert.AreEqual(Steps, ours.Optimizer.StepCount);
    }
}
