using System.Runtime.InteropServices;
using MLExtensions.Native;

namespace MLExtensions.Tests.Native;

/// <summary>What OpenMP reads when libtorch loads it, in processes of their own.</summary>
[TestClass]
[OSCondition(OperatingSystems.Linux)]
public sealed class OpenMPWaitingTests
{
    private static readonly Dictionary<string, string?> Nothing = new() { ["OMP_WAIT_POLICY"] = null, ["GOMP_SPINCOUNT"] = null, ["KMP_BLOCKTIME"] = null, ["KMP_LIBRARY"] = null };

    [TestMethod]
    public void Initialize_WaitingIsPassive_BeforeLibTorchIsLoaded() => Assert.AreEqual("before: - -, set: passive 10000, libtorch: False, after: passive 10000, libtorch: True", Run(PrintPolicy));

    [TestMethod]
    [DataRow("OMP_WAIT_POLICY", "active", "active -")]
    [DataRow("GOMP_SPINCOUNT", "7", "- 7")]
    [DataRow("KMP_BLOCKTIME", "200", "- -")]
    [DataRow("KMP_LIBRARY", "turnaround", "- -")]
    public void WhatTheUserHasSet_Stays(string name, string value, string expected) =>
        Assert.AreEqual($"before: {expected}, set: {expected}, libtorch: False, after: {expected}, libtorch: True", Run(PrintPolicy, (name, value)));

    [TestMethod]
    public void Switch_LeavesOpenMPAsItIs() => Assert.AreEqual("before: - -, set: - -, libtorch: False, after: - -, libtorch: True", Run(SwitchOff));

    private static string Run(Action<string[]> method, params (string Name, string? Value)[] variables)
    {
        var environment = new Dictionary<string, string?>(Nothing);
        foreach (var (name, value) in variables)
            environment[name] = value;
        return ChildProcess.Run(method, [], environment).AssertSuccess().Output.Trim();
    }

    private static void SwitchOff(string[] args)
    {
        AppContext.SetSwitch(OpenMPWaiting.OffSwitch, true);
        PrintPolicy(args);
    }

    private static void PrintPolicy(string[] args)
    {
        // The test program sets a policy of its own, unseen by managed code.
        if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") == null)
            _ = unsetenv("OMP_WAIT_POLICY");
        var before = Policy();
        OpenMPWaiting.BePassive();
        var (set, early) = (Policy(), IsLibTorchLoaded());
        TorchRuntime.Initialize();
        Console.WriteLine($"before: {before}, set: {set}, libtorch: {early}, after: {Policy()}, libtorch: {IsLibTorchLoaded()}");
    }

    private static string Policy() => $"{Get("OMP_WAIT_POLICY")} {Get("GOMP_SPINCOUNT")}";

    /// <summary>What native code sees; the runtime's own copy is older.</summary>
    private static string Get(string name) => Marshal.PtrToStringUTF8(getenv(name)) ?? "-";

    private static bool IsLibTorchLoaded() => File.ReadAllText("/proc/self/maps").Contains("libtorch_cpu", StringComparison.Ordinal);

    [DllImport("libc")]
    private static extern nint getenv(string name);

    [DllImport("libc")]
    private static extern int unsetenv(string name);
}
