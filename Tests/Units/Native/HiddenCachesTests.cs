using MLExtensions.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Tests.Native;

/// <summary>
/// What oneDNN gets wrong in virtual machines that hide their caches is right, here and everywhere: each of these was off by 0.2 and more there.
/// </summary>
[TestClass]
public sealed class HiddenCachesTests
{
    [TestMethod]
    public void WhereCachesAreHidden_SomethingIsDone()
    {
        TorchRuntime.Initialize();
        Assert.AreEqual(HiddenCaches.AreHidden, HiddenCaches.Way != null);
    }

    [TestMethod]
    [DataRow(20, 4, 3)]
    [DataRow(33, 33, 3)]
    [DataRow(40, 3, 5)]
    public void Convolution_SameInDoublePrecision(int channels, int filters, int kernelSize)
    {
        TorchRuntime.Initialize();
        using var scope = NewDisposeScope();
        var (x, weight) = (rand(3, channels, 8, 8).sub_(0.5), rand(filters, channels, kernelSize, kernelSize).sub_(0.5));
        AssertClose(nn.functional.conv2d(x.to(ScalarType.Float64), weight.to(ScalarType.Float64)), nn.functional.conv2d(x, weight));
    }

    [TestMethod]
    [DataRow(2, 12)]
    [DataRow(16, 16)]
    [DataRow(100, 200)]
    public void LstmScores_SameInDoublePrecision(int inputs, int units)
    {
        TorchRuntime.Initialize();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var lstm = nn.LSTM(inputs, units);
        var x = rand(7, 5, inputs).sub_(0.5);
        var (actual, _, _) = lstm.call(x);
        var (expected, _, _) = lstm.to(ScalarType.Float64).call(x.to(ScalarType.Float64));
        AssertClose(expected, actual);
    }

    /// <summary>At most 1000 terms of at most 1/4 are added: sums below 30 in practice, and some ten roundings of them.</summary>
    private static void AssertClose(Tensor expected, Tensor actual) =>
        Assert.AreEqual(0, (expected - actual.to(ScalarType.Float64)).abs().max().item<double>(), 256 * Math.ScaleB(1, -24));
}
