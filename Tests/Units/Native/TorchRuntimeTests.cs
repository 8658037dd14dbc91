using TorchSharp;

namespace MLExtensions.Tests.Native;

[TestClass]
public sealed class TorchRuntimeTests
{
    [TestMethod]
    public void InitializeTwice_TorchComputes()
    {
        TorchRuntime.Initialize();
        TorchRuntime.Initialize();
        using torch.Tensor sum = torch.ones(3, 4).sum();
        Assert.AreEqual(12f, sum.item<float>());
    }
}
