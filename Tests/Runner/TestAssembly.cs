using TorchSharp;

[assembly: DoNotParallelize]

namespace MLExtensions.Tests;

/// <summary>What every test finds done: torch is loaded and computes on one thread, so that figures repeat bit by bit.</summary>
[TestClass]
public static class TestAssembly
{
    /// <summary>A file that names the test that runs; it is gone when all have run. Whoever has to end the run, or finds it ended, looks there.</summary>
    private static readonly string? RunningTestFile =
        Environment.GetEnvironmentVariable("MLEXTENSIONS_RUNNING_TEST_FOLDER") is { Length: > 0 } folder
            ? Path.GetFullPath(Path.Combine(folder, typeof(TestAssembly).Assembly.GetName().Name + ".txt")) // tests may change the current folder
            : null;

    [AssemblyInitialize]
    public static void Initialize(TestContext _) => InitializeTorch();

    [GlobalTestInitialize]
    public static void NameRunningTest(TestContext context)
    {
        if (RunningTestFile != null)
            File.WriteAllText(RunningTestFile, $"{context.FullyQualifiedTestClassName}.{context.TestDisplayName}, since {DateTime.Now:HH:mm:ss}\n");
    }

    [AssemblyCleanup]
    public static void ForgetRunningTest()
    {
        if (RunningTestFile != null)
            File.Delete(RunningTestFile);
    }

    /// <summary>For child processes, which no test framework starts.</summary>
    internal static void InitializeTorch()
    {
        TorchRuntime.Initialize();
        torch.set_num_threads(1);
    }
}
