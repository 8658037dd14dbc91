using MLExtensions.Engine;
using MLExtensions.Tensors;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Training;

/// <summary>Flat weights that move towards others.</summary>
[TestClass]
public sealed class FlatAverageTests
{
    [TestMethod]
    [DataRow(1)]
    [DataRow(37)]
    [DataRow(100_003)]
    public void Values_MoveByTheShare(int count)
    {
        using var scope = NewDisposeScope();
        Tensor values = linspace(-1, 3, count, ScalarType.Float32, CPU), towards = linspace(5, -7, count, ScalarType.Float32, CPU);
        var before = TensorMemory.Floats(values).ToArray();
        FlatAverage.Move(values, towards, .01, threads: 1);
        var (moved, target) = (TensorMemory.Floats(values).ToArray(), TensorMemory.Floats(towards).ToArray());
        for (var i = 0; i < count; i++)
            Assert.AreEqual((.99 * before[i]) + (.01 * target[i]), moved[i], 1e-6, $"{i}");
    }

    /// <summary>More elements than one thread takes alone.</summary>
    [TestMethod]
    public void Threads_ChangeNoBit()
    {
        using var scope = NewDisposeScope();
        Tensor one = linspace(-1, 3, ElementBlocks.Threshold + 5, ScalarType.Float32, CPU), two = one.clone(), towards = one.flip(0).contiguous();
        FlatAverage.Move(one, towards, .3, threads: 1);
        FlatAverage.Move(two, towards, .3, threads: 2);
        Assert.IsTrue(TensorMemory.Floats(one).SequenceEqual(TensorMemory.Floats(two)));
        Assert.IsFalse(TensorMemory.Floats(one).SequenceEqual(TensorMemory.Floats(towards)));
    }
}
