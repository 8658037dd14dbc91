using TorchSharp;

[assembly: DoNotParallelize]

namespace MLExtensions.Tests;

/// <summary>What every test finds done: torch is loaded and computes on one thread, so that figures repeat bit by bit.</summary>
[TestClass]
public static class TestAssembly
{
    [AssemblyInitialize]
    public static void Initialize(TestContext _) => InitializeTorch();

    /// <summary>For child processes, which no test framework starts.</summary>
    internal static void InitializeTorch()
    {
        TorchRuntime.Initialize();
        torch.set_num_threads(1);
    }
}
