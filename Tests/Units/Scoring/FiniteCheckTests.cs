using MLExtensions.Tensors;

namespace MLExtensions.Tests.Scoring;

[TestClass]
public sealed class FiniteCheckTests
{
    [TestMethod]
    public void EveryPositionAndLength()
    {
        foreach (var bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            for (var length = 1; length < 70; length++)
            {
                var values = Enumerable.Range(0, length).Select(i => i % 2 == 0 ? float.MaxValue : -float.Epsilon).ToArray();
                Assert.AreEqual(-1, FiniteCheck.FirstNonFinite(values));
                for (var at = 0; at < length; at++)
                {
                    var spoilt = (float[])values.Clone();
                    spoilt[at] = bad;
                    spoilt[^1] = at < length - 1 ? float.NaN : bad;
                    Assert.AreEqual(at, FiniteCheck.FirstNonFinite(spoilt));
                }
            }
        }
        Assert.AreEqual(-1, FiniteCheck.FirstNonFinite([]));
    }
}
