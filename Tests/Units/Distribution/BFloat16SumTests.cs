using MLExtensions.Distribution;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Distribution;

[TestClass]
public sealed unsafe class BFloat16SumTests
{
    /// <summary>Every number there is, and a length that leaves a rest behind the vectors.</summary>
    [TestMethod]
    public void EveryNumber_AsTorchAdds()
    {
        using var scope = NewDisposeScope();
        var all = Enumerable.Range(0, ushort.MaxValue).Select(bits => (ushort)bits).ToArray();
        var random = new SplitMix64((ulong)TestSeed.Of(5));
        var others = all.Select(_ => (ushort)random.Next(ushort.MaxValue + 1)).ToArray();
        var expected = Bits(Tensor(all) + Tensor(others));
        BFloat16Sum.Add(all, others);
        for (var i = 0; i < all.Length; i++)
        {
            if (!IsNaN(expected[i]) || !IsNaN(others[i]))
                Assert.AreEqual(expected[i], others[i], $"{all[i]:X4}");
        }
    }

    [TestMethod]
    public void Halves_ToEven()
    {
        // 1 + 1/256 and 1 + 3/256 lie between two numbers each.
        ushort[] sums = [0x3F80, 0x3F81];
        BFloat16Sum.Add([0x3B80, 0x3B80], sums);
        CollectionAssert.AreEqual(new ushort[] { 0x3F80, 0x3F82 }, sums);
    }

    private static bool IsNaN(ushort bits) => (bits & 0x7FFF) > 0x7F80;

    private static Tensor Tensor(ushort[] bits)
    {
        var values = zeros(bits.Length, ScalarType.BFloat16, CPU);
        bits.CopyTo(new Span<ushort>(TensorMemory.Pointer<ushort>(values), bits.Length));
        return values;
    }

    private static ushort[] Bits(Tensor values) => new Span<ushort>(TensorMemory.Pointer<ushort>(values), (int)values.NumberOfElements).ToArray();
}
