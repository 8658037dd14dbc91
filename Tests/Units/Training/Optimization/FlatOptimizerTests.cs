using MLExtensions.Engine;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Training;

[TestClass]
public class FlatOptimizerTests
{
    [TestMethod]
    [DataRow("sgd nesterov")]
    [DataRow("adamw")]
    public void ThreadsChangeNoBit(string name)
    {
        OptimizerCase optimizer = OptimizerCases.ByName[name];
        var length = ElementBlocks.Threshold + 13;
        using var alone = new FlatProblem(optimizer.Settings, length, length / 2 + 1, new(0.01, 0.01, 0.01));
        using var shared = new FlatProblem(optimizer.Settings, length, length / 2 + 1, new(0.01, 0.01, 0.01), threads: 3);
        alone.Steps(2, optimizer.LearningRate);
        shared.Steps(2, optimizer.LearningRate);
        AssertSameBits(alone.Parameters, shared.Parameters);
        alone.FillGradients();
        shared.FillGradients();
        Assert.AreEqual(alone.Optimizer.GradientNorm(), shared.Optimizer.GradientNorm());
    }

    [TestMethod]
    [DynamicData(nameof(OptimizerCases.Names), typeof(OptimizerCases))]
    public void StateContinuesWhereItWasLeft(string name)
    {
        OptimizerCase optimizer = OptimizerCases.ByName[name];
        using var first = new FlatProblem(optimizer.Settings, 1001, 501, new(0, 0.01, 0));
        using var second = new FlatProblem(optimizer.Settings, 1001, 501, new(0, 0.01, 0));
        first.Steps(5, optimizer.LearningRate);
        second.Parameters.copy_(first.Parameters);
        second.Optimizer.StepCount = first.Optimizer.StepCount;
        foreach (((var from, Tensor saved), (var to, Tensor state)) in first.Optimizer.State.Zip(second.Optimizer.State))
        {
            Assert.AreEqual(from, to);
            state.copy_(saved);
        }
        first.Steps(5, optimizer.LearningRate);
        second.Steps(5, optimizer.LearningRate);
        AssertSameBits(first.Parameters, second.Parameters);
    }

    [TestMethod]
    public void StateIsNamedAsTorchDoes()
    {
        using var adam = new FlatProblem(new AdamOptimizer(), 3);
        using var sgd = new FlatProblem(new SgdOptimizer(), 3);
        CollectionAssert.AreEqual(new[] { "exp_avg", "exp_avg_sq" }, adam.Optimizer.State.Select(s => s.Name).ToArray());
        Assert.IsEmpty(sgd.Optimizer.State);
    }

    [TestMethod]
    public void OutlivesScopeAndCallersTensors()
    {
        FlatOptimizer optimizer;
        using (NewDisposeScope())
            optimizer = FlatOptimizer.Create(new AdamOptimizer(), zeros(100_000), ones(100_000), [new(0, 100_000, default)]);
        using (optimizer)
        {
            optimizer.Step(0.1);
            Assert.AreEqual(0.1f, optimizer.State[0].State.max().item<float>(), 1e-6f);
        }
    }

    [TestMethod]
    public void RefusesToWorkOnFreedMemory()
    {
        var problem = new FlatProblem(new AdamOptimizer(), 3);
        problem.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => problem.Optimizer.Step(0.1));
        Assert.ThrowsExactly<ObjectDisposedException>(() => problem.Optimizer.GradientNorm());
    }

    [TestMethod]
    public void RefusesNegativeStepCount()
    {
        using var problem = new FlatProblem(new AdamOptimizer(), 3);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => problem.Optimizer.StepCount = -1);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void NormIsTorchs(bool tensorOperations)
    {
        using var problem = new FlatProblem(new SgdOptimizer(), 100_003, tensorOperations: tensorOperations);
        problem.FillGradients();
        using Tensor wide = problem.Gradients.to(ScalarType.Float64);
        var expected = wide.norm().item<double>();
        Assert.AreEqual(expected, problem.Optimizer.GradientNorm(), expected * (tensorOperations ? 1e-6 : 1e-12));
    }

    [TestMethod]
    public void NormDoesNotOverflow()
    {
        using var problem = new FlatProblem(new SgdOptimizer(), 9);
        problem.Gradients.fill_(1e30);
        Assert.AreEqual(3e30, problem.Optimizer.GradientNorm(), 1e24);
    }

    [TestMethod]
    [DataRow(float.NaN, 0)]
    [DataRow(float.NaN, 18)]
    [DataRow(float.PositiveInfinity, 3)]
    [DataRow(float.NegativeInfinity, 18)]
    public void NormShowsWhatIsNotFinite(float value, int index)
    {
        using var problem = new FlatProblem(new SgdOptimizer(), 19);
        problem.Gradients[index] = tensor(value);
        Assert.IsFalse(double.IsFinite(problem.Optimizer.GradientNorm()));
    }

    [TestMethod]
    [DynamicData(nameof(OptimizerCases.Names), typeof(OptimizerCases))]
    public void ZeroGradientsMoveNothing(string name)
    {
        OptimizerCase optimizer = OptimizerCases.ByName[name];
        using var problem = new FlatProblem(optimizer.Settings, 13);
        using Tensor before = problem.Parameters.clone();
        problem.Optimizer.Step(optimizer.LearningRate);
        AssertSameBits(before, problem.Parameters);
    }

    [TestMethod]
    public void SubnormalStateBecomesZero()
    {
        using var problem = new FlatProblem(new SgdOptimizer { Momentum = 0.5 }, 11);
        problem.Gradients.fill_(2e-38);
        problem.Optimizer.Step(0.1);
        problem.Optimizer.Step(0.1);
        Assert.AreEqual(0, problem.Optimizer.State[0].State.abs().max().item<float>());
    }

    [TestMethod]
    public void EmptyIsFine()
    {
        using var problem = new FlatProblem(new AdamOptimizer(), 0);
        problem.Optimizer.Step(0.1);
        Assert.AreEqual(0, problem.Optimizer.GradientNorm());
    }

    [TestMethod]
    public void RefusesWhatItCannotWorkOn()
    {
        FlatSegment[] all = [new(0, 3, default)];
        AssertRefused<ArgumentException>("Gradients is Float64[3]", zeros(3), zeros(3, ScalarType.Float64), all);
        AssertRefused<ArgumentException>("Parameters is Float32[1, 3]", zeros(1, 3), zeros(3), all);
        AssertRefused<ArgumentException>("4 gradients for 3 parameters", zeros(3), zeros(4), all);
        AssertRefused<ArgumentException>("segments end at 4", zeros(3), zeros(3), [new(0, 4, default)]);
        AssertRefused<ArgumentException>("from 2 to 3; it must begin at 1", zeros(3), zeros(3), [new(0, 1, default), new(2, 3, default)]);
        AssertRefused<ArgumentOutOfRangeException>("LearningRateFactor is -1", zeros(3), zeros(3), [new(0, 3, default, -1)]);
        AssertRefused<ArgumentOutOfRangeException>("L2 is NaN", zeros(3), zeros(3), [new(0, 3, new(0, double.NaN, 0))]);
        AssertRefused<ArgumentOutOfRangeException>("Threads is 0", zeros(3), zeros(3), all, threads: 0);
    }

    [TestMethod]
    [DataRow("sgd nesterov", false)]
    [DataRow("adamw", false)]
    [DataRow("adamw", true)]
    public void SegmentsAreUpdatedAsIfTheyWereAlone(string name, bool tensorOperations)
    {
        OptimizerCase optimizer = OptimizerCases.ByName[name];
        FlatSegment[] segments = [new(0, 100, new(0, 0.1, 0.1)), new(100, 333, new(0, 0.2, 0), 0.5), new(333, 1003, default, 0.5), new(1003, 1003, default), new(1003, 1500, default, 2)];
        using var together = new FlatProblem(optimizer.Settings, 1500, segments, tensorOperations: tensorOperations);
        using Tensor start = together.Parameters.clone();
        together.Steps(3, optimizer.LearningRate);
        foreach (FlatSegment segment in segments)
        {
            using var alone = new FlatProblem(optimizer.Settings, 1500, [new(0, 1500, segment.Regularization)], tensorOperations: tensorOperations);
            alone.Parameters.copy_(start);
            alone.Steps(3, optimizer.LearningRate * segment.LearningRateFactor);
            var length = segment.End - segment.Start;
            AssertSameBits(alone.Parameters.narrow(0, segment.Start, length), together.Parameters.narrow(0, segment.Start, length));
        }
    }

    [TestMethod]
    [DataRow(double.NaN, 1, "learningRate is NaN")]
    [DataRow(-0.1, 1, "learningRate is -0.1")]
    [DataRow(0.1, double.NaN, "gradientScale is NaN")]
    public void RefusesRatesThatAreNotNumbers(double learningRate, double scale, string message)
    {
        using var problem = new FlatProblem(new SgdOptimizer(), 3);
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => problem.Optimizer.Step(learningRate, scale));
        StringAssert.Contains(error.Message, message);
        Assert.AreEqual(0, problem.Optimizer.StepCount);
    }

    private static void AssertRefused<TException>(
        string message, Tensor parameters, Tensor gradients, FlatSegment[] segments, int threads = 1)
        where TException : Exception
    {
        var error = Assert.ThrowsExactly<TException>(
            () => FlatOptimizer.Create(new AdamOptimizer(), parameters, gradients, segments, threads));
        StringAssert.Contains(error.Message, message);
    }

    private static void AssertSameBits(Tensor expected, Tensor actual)
    {
        using Tensor a = expected.contiguous();
        using Tensor b = actual.contiguous();
        Assert.IsTrue(a.bytes.SequenceEqual(b.bytes));
    }
}
